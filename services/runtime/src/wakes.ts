import type { CancelTimer } from "@claw/core/ports";
import type { Node } from "./node.ts";

/** Runs taken up in one look at the store. */
const LOOK_LIMIT = 1_000;
/** Even without a known due time the store is looked at this often. */
const LOOK_EVERY_MS = 60_000;

/** Wakes parked runs when they are due: one timer for the earliest, none per run. */
export class Wakes {
  readonly #node: Node;
  #next = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer | null = null;
  #backlog = false;
  #looking = false;

  constructor(node: Node) {
    this.#node = node;
  }

  /** A run was parked until `due`. */
  expect(due: number): void {
    if (due >= this.#next) return;
    this.#next = due;
    this.#arm();
  }

  /** There is room for more runs in memory again. */
  roomFreed(): void {
    if (!this.#backlog || this.#looking) return;
    this.#backlog = false;
    this.#next = 0;
    this.#arm();
  }

  /** Runs had to stay in the store for want of room. */
  noRoom(): void {
    this.#backlog = true;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#next = Number.POSITIVE_INFINITY;
    this.#backlog = false;
  }

  #arm(): void {
    const { clock } = this.#node;
    this.#cancel?.();
    const delayMs = Math.min(this.#next - clock.now(), LOOK_EVERY_MS);
    this.#cancel = clock.after(delayMs, () => {
      this.#cancel = null;
      void this.look(false);
    });
  }

  /** Takes up what is due; `orphans` also what an ended process held. */
  async look(orphans: boolean): Promise<void> {
    const node = this.#node;
    if (this.#looking || !node.available) return;
    this.#looking = true;
    try {
      const now = node.clock.now();
      const room = Math.max(0, node.limits.activeRunsMax - node.active.size);
      const limit = Math.min(LOOK_LIMIT, room);
      if (limit === 0) {
        this.#backlog = true;
      } else {
        const held = node.active.size;
        const ids = await node.store.due(now, limit + held, orphans);
        const fresh = ids.filter((id) => !node.active.has(id)).slice(0, limit);
        await node.takeUp(fresh);
        if (ids.length === limit + held || fresh.length === limit) this.#backlog = true;
      }
      const next = await node.store.nextDue(now);
      this.#next = Math.min(next ?? now + LOOK_EVERY_MS, now + LOOK_EVERY_MS);
    } catch (error) {
      node.log("warn", "looking for due runs failed", { error: String(error) });
      this.#next = node.clock.now() + 1_000;
    } finally {
      this.#looking = false;
    }
    if (!node.available) return;
    if (this.#backlog && node.active.size < node.limits.activeRunsMax) {
      this.#backlog = false;
      this.#next = 0;
    }
    this.#arm();
  }
}
