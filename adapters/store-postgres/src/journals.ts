import type { RunId } from "@claw/core/protocol";

/** Commits after which the tail is settled. */
const TAIL_COMMITS_MAX = 64;
/** Characters after which it is settled; what the node holds of it in memory is bounded as well. */
const TAIL_CHARS_MAX = 4 * 1024 * 1024;

/** The journal of a run in memory. */
export interface OpenJournal {
  /** Number of the last entry. */
  readonly seq: number;
  /** Number of the last entry that is in rows of the run. */
  readonly settled: number;
  /** The entries after that. */
  readonly text: string;
}

/** Entries that move to rows of their run. */
export interface Settling {
  readonly run: RunId;
  readonly first: number;
  readonly seq: number;
  readonly text: string;
}

/**
 * Journals of runs in memory. What the transitions of a commit record is one row of `tail`; the entries of
 * a run move to rows of its own in `journal` when it rests, and those of all runs when the tail has
 * grown. A run that ends before that never has rows of its own.
 *
 * Changes are noted while a batch is planned, and take effect with `keep`, when it is durable.
 */
export class Journals {
  readonly #open = new Map<RunId, OpenJournal>();
  readonly #changes = new Map<RunId, OpenJournal | null>();
  #commits = 0;
  #chars = 0;
  #body = "";
  #settlesAll = false;

  /** What is known of a run in memory, with the changes of the batch; null when it is not in memory. */
  get(run: RunId): OpenJournal | null {
    const changed = this.#changes.get(run);
    return changed === undefined ? (this.#open.get(run) ?? null) : changed;
  }

  /** Notes the journal of a run; null for one that is not in memory any more. */
  set(run: RunId, journal: OpenJournal | null): void {
    this.#changes.set(run, journal);
  }

  /** A run at rest was read and is in memory from now on; its entries are in rows. No batch is under way. */
  hold(run: RunId, seq: number): void {
    if (!this.#open.has(run)) this.#open.set(run, { seq, settled: seq, text: "" });
  }

  /** Entries of these runs that are in no rows. No batch is under way. */
  unsettled(runs: readonly RunId[]): Settling[] {
    return runs.flatMap((run) => {
      const journal = this.#open.get(run);
      if (journal === undefined || journal.text === "") return [];
      return { run, first: journal.settled + 1, seq: journal.seq, text: journal.text };
    });
  }

  /** A run is not this node's. No batch is under way. */
  forget(run: RunId): void {
    this.#open.delete(run);
  }

  /** Notes entries for the tail. */
  append(run: RunId, journal: OpenJournal, seq: number, entries: string): void {
    this.#body += `${run} ${journal.seq + 1} ${entries.length}\n${entries}`;
    this.#changes.set(run, { ...journal, seq, text: journal.text + entries });
  }

  /** What this batch adds to the tail. */
  get body(): string {
    return this.#body;
  }

  /** True when the tail has grown: with this batch the entries of all runs move to their rows. */
  get isGrown(): boolean {
    return this.#commits >= TAIL_COMMITS_MAX || this.#chars >= TAIL_CHARS_MAX;
  }

  /** Notes that the entries of all runs are in their rows with this batch; gives what must move. */
  settleAll(): Settling[] {
    this.#settlesAll = true;
    this.#body = "";
    const moving: Settling[] = [];
    for (const run of new Set([...this.#open.keys(), ...this.#changes.keys()])) {
      const moved = this.settle(run);
      if (moved !== null) moving.push(moved);
    }
    return moving;
  }

  /** Notes that the entries of a run are in its rows; gives what must move, or null. */
  settle(run: RunId): Settling | null {
    const journal = this.get(run);
    if (journal === null || journal.text === "") return null;
    this.#changes.set(run, { seq: journal.seq, settled: journal.seq, text: "" });
    return { run, first: journal.settled + 1, seq: journal.seq, text: journal.text };
  }

  /** The batch is durable. */
  keep(): void {
    for (const [run, journal] of this.#changes) {
      if (journal === null) this.#open.delete(run);
      else this.#open.set(run, journal);
    }
    if (this.#settlesAll) {
      this.#commits = 0;
      this.#chars = 0;
    }
    if (this.#body !== "") {
      this.#commits++;
      this.#chars += this.#body.length;
    }
    this.drop();
  }

  /** The batch was not written. */
  drop(): void {
    this.#changes.clear();
    this.#body = "";
    this.#settlesAll = false;
  }
}

/** What one transition appended to the tail. */
export interface TailRecord {
  readonly run: RunId;
  readonly first: number;
  readonly entries: string;
}

/** The records of one row of the tail. Throws on text of another form. */
export function* recordsOf(body: string): Generator<TailRecord> {
  let at = 0;
  while (at < body.length) {
    const lineEnd = body.indexOf("\n", at);
    const [run, first, length] = body.slice(at, lineEnd).split(" ");
    const end = lineEnd + 1 + Number(length);
    if (lineEnd < 0 || run === undefined || !(end <= body.length)) {
      throw new Error(`journal tail is damaged at character ${at}`);
    }
    yield { run, first: Number(first), entries: body.slice(lineEnd + 1, end) };
    at = end;
  }
}
