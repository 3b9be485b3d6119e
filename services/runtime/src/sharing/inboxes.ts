import type { SharedStore } from "@claw/core/ports";
import type { RunId } from "@claw/core/protocol";
import type { Node } from "../node.ts";

interface Reading {
  readonly runs: Set<RunId>;
  readonly done: Promise<void>;
}

/** Reads inboxes of runs in memory that others write to: many at once, and only what they have not seen is new to them. */
export class Inboxes {
  readonly #node: Node;
  readonly #store: SharedStore;
  /** Runs to be read next. */
  #next: Reading | null = null;

  constructor(node: Node, store: SharedStore) {
    this.#node = node;
    this.#store = store;
  }

  /** Gives a run what has come for it; settles when it has it, or was not read. */
  read(run: RunId): Promise<void> {
    if (this.#next === null) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const reading: Reading = { runs: new Set(), done: promise };
      this.#next = reading;
      this.#node.loop.later(() => {
        if (this.#next === reading) this.#next = null;
        this.#readAll(reading.runs).then(resolve, (error: unknown) => {
          this.#node.sharing?.failed("reading inboxes failed", error);
          resolve();
        });
      });
    }
    this.#next.runs.add(run);
    return this.#next.done;
  }

  clear(): void {
    this.#next = null;
  }

  async #readAll(runs: ReadonlySet<RunId>): Promise<void> {
    const node = this.#node;
    const { incarnation } = node.committer;
    if (!node.available) return;
    const rows = await this.#store.inbox([...runs]);
    if (!node.available || incarnation !== node.committer.incarnation) return;
    for (const row of rows) node.active.get(row.to)?.receive(row);
    const now = node.clock.now();
    for (const run of new Set(rows.map(({ to }) => to))) node.active.get(run)?.touched(now);
  }
}
