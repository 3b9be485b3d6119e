import { ClawError, type TaskBlock } from "@claw/core/protocol";
import type { MemoryDisk } from "./memory-disk.ts";

/** Numbers of tasks that an incarnation gives without asking again. */
const NUMBERS = 2 ** 32;

/** Who has standalone tasks in hand on a disk that nodes share; one that a process owns has none of it. */
export class TaskClaims {
  readonly #disk: MemoryDisk;
  /** The incarnation that claims; null for a process that is alone. */
  readonly #claimant: () => number | null;

  constructor(disk: MemoryDisk, claimant: () => number | null) {
    this.#disk = disk;
    this.#claimant = claimant;
  }

  /** True for what no other has in hand. */
  isFree(key: string): boolean {
    const own = this.#claimant();
    return (this.#disk.taskOwners.get(key) ?? own) === own;
  }

  /** Numbers of several nodes are not in the order of time. */
  sooner(a: TaskBlock, b: TaskBlock): number {
    return this.#claimant() === null ? 0 : a.addedAt - b.addedAt;
  }

  /** Errors: CLAW-4007. */
  claim(keys: readonly string[]): void {
    const own = this.#claimant();
    if (own === null || keys.length === 0) return;
    if (this.#disk.nodes.live(own) === undefined) {
      throw new ClawError("CLAW-4007", `Incarnation ${own} was ended`);
    }
    for (const key of keys) this.#disk.taskOwners.set(key, own);
    this.#disk.settleCommit(true);
  }

  /** The number after which those of the caller begin. */
  drawNumbers(): number {
    const last = this.#disk.taskHead.get("last") ?? 0;
    if (this.#claimant() === null) return last;
    const first = (Math.floor(last / NUMBERS) + 1) * NUMBERS;
    this.#disk.taskHead.set("last", first + NUMBERS - 1);
    this.#disk.settleCommit(true);
    return first;
  }
}
