import { type Entry, isCoded, type Payload, type RunId } from "@claw/core/protocol";
import { entryPlace } from "./places.ts";
import type { Sealer } from "./sealer.ts";

/** Data of a run's next entry that stay in the store until its turn, and then until they are read. */
export class OpenedData {
  readonly #sealer: Sealer;
  readonly #run: RunId;
  #opened: { readonly seq: number; readonly data: Payload } | null = null;
  /** True while something is read: no turn begins. */
  isOpening = false;

  constructor(sealer: Sealer, run: RunId) {
    this.#sealer = sealer;
    this.#run = run;
  }

  /** True when the turn of this entry must wait; `then` is told when it need not any more, or why it never can. */
  mustWait(entry: Entry | undefined, then: (failure: string | null) => void): boolean {
    if (this.isOpening) return true;
    if (entry === undefined || !isCoded(entry.data)) return false;
    if (this.#opened?.seq === entry.seq) return false;
    this.isOpening = true;
    this.#sealer.open(entry.data, entryPlace(this.#run, entry)).then(
      (data) => {
        this.isOpening = false;
        this.#opened = { seq: entry.seq, data };
        then(null);
      },
      (error: unknown) => {
        this.isOpening = false;
        then(error instanceof Error ? error.message : String(error));
      },
    );
    return true;
  }

  /** The data of an entry, once; undefined when they stand in the entry itself. */
  take(seq: number): Payload | undefined {
    const opened = this.#opened;
    this.#opened = null;
    return opened?.seq === seq ? opened.data : undefined;
  }
}
