import { type OpenBlock, type Payload, splitInputs, type TaskPlace } from "@claw/core/protocol";

/** A task that was taken from the store. */
export interface TaskInHand extends TaskPlace {
  readonly id: number;
  readonly addedAt: number;
  readonly attempt: number;
  readonly input: Payload;
  readonly progress: Payload;
  /** Null: it has a row of its own. */
  readonly block: BlockInHand | null;
}

/** A block that was taken from the store: which of its tasks were given out, and which are settled. */
export class BlockInHand {
  readonly row: OpenBlock;
  readonly #inputs: Payload[];
  readonly #settled: Uint8Array;
  #next = 0;
  /** What has left the block, as the store has it. */
  #durable: string;
  /** Tasks that are not settled. */
  left: number;

  constructor(row: OpenBlock) {
    this.row = row;
    this.#inputs = splitInputs(row.inputs);
    this.#settled = new Uint8Array(row.count);
    this.left = row.count;
    this.#durable = row.done;
    for (let at = 0; at < row.done.length; at++) if (row.done[at] === "1") this.#settle(at);
  }

  /** The next task that was not given out, or null. */
  peek(): TaskInHand | null {
    while (this.#next < this.row.count && this.#settled[this.#next] === 1) this.#next++;
    if (this.#next === this.row.count) return null;
    const at = this.#next;
    const { id, namespace, queue, rank, name, addedAt } = this.row;
    const input = this.#inputs[at] ?? "";
    const place = { namespace, queue, rank, name };
    return { ...place, id: id + at, addedAt, attempt: 1, input, progress: "", block: this };
  }

  /** What `peek` showed was given out. */
  taken(): void {
    this.#next++;
  }

  settle(id: number): void {
    this.#settle(id - this.row.id);
  }

  #settle(at: number): void {
    if (this.#settled[at] === 1) return;
    this.#settled[at] = 1;
    this.left--;
  }

  /** What has left the block, as the store keeps it. */
  marks(): string {
    return this.#settled.join("");
  }

  /** These marks are in the store. */
  written(marks: string): void {
    this.#durable = marks;
  }

  /**
   * These marks were refused, and what became of the tasks with them: those are not settled, and later marks must
   * not say so. They are given out again when the block is taken from the store anew.
   */
  refused(marks: string): void {
    for (let at = 0; at < marks.length; at++) {
      if (marks[at] !== "1" || this.#durable[at] === "1" || this.#settled[at] !== 1) continue;
      this.#settled[at] = 0;
      this.left++;
    }
  }
}
