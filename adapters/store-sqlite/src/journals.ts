import type { DatabaseSync, StatementSync } from "node:sqlite";
import { entriesBefore, type RunId } from "@claw/core/protocol";
import { Contradiction } from "./batch-work.ts";
import { encodeTailRecord, readTail, TAIL_ENTRIES_CHARS_MAX } from "./journal-tail.ts";

/** Commits after which the tail is settled. */
const TAIL_COMMITS_MAX = 64;
/** Characters after which it is settled; what the owner holds of it in memory is bounded as well. */
const TAIL_CHARS_MAX = 4 * 1024 * 1024;

interface OpenJournal {
  /** Number of the last entry. */
  seq: number;
  /** Number of the last entry that is in rows of the run. */
  settled: number;
  /** The entries after that. */
  text: string;
}

/**
 * Journals of open runs. What all transitions of a commit record is one row of `tail`; the entries of
 * a run move to rows of its own in `journal` when it rests, and those of all runs when the tail has
 * grown. A run that ends before that never has rows of its own, and most runs do.
 *
 * Invariant: `journal` holds exactly the entries 1 to `runs.seq` of an open run, `tail` those after.
 */
export class Journals {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeFrom: StatementSync;
  readonly #lastRow: StatementSync;
  readonly #rewrite: StatementSync;
  readonly #settledSeq: StatementSync;
  readonly #setSettled: StatementSync;
  readonly #insertTail: StatementSync;
  readonly #clearTail: StatementSync;
  /** Runs that got entries since they rested last, and new ones. */
  readonly #open = new Map<RunId, OpenJournal>();
  /** What this batch appends to the tail. */
  #body = "";
  #tailCommits = 0;
  #tailChars = 0;
  #direct = false;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#insert = db.prepare("INSERT INTO journal VALUES (?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM journal WHERE run = ?");
    this.#removeFrom = db.prepare("DELETE FROM journal WHERE run = ? AND seq >= ?");
    this.#lastRow = db.prepare(
      "SELECT seq, entries FROM journal WHERE run = ? ORDER BY seq DESC LIMIT 1",
    );
    this.#rewrite = db.prepare("UPDATE journal SET entries = ? WHERE run = ? AND seq = ?");
    this.#settledSeq = db.prepare("SELECT seq FROM runs WHERE id = ?");
    this.#setSettled = db.prepare("UPDATE runs SET seq = ? WHERE id = ?");
    this.#insertTail = db.prepare("INSERT INTO tail (body) VALUES (?)");
    this.#clearTail = db.prepare("DELETE FROM tail");
  }

  /** A run is new and stays in memory. */
  begin(run: RunId): void {
    if (!this.#direct) this.#open.set(run, { seq: 0, settled: 0, text: "" });
  }

  /** Writes the entries of a run that is new and at rest. */
  write(run: RunId, firstSeq: number, entries: string): void {
    if (firstSeq !== 1) throw new Contradiction(`the first entry of ${run} is ${firstSeq}`);
    this.#insert.run(run, firstSeq, entries);
  }

  /** Appends entries `firstSeq` to `seq`. */
  append(run: RunId, firstSeq: number, seq: number, entries: string): void {
    const journal = this.#open.get(run) ?? this.#takeUp(run);
    if (firstSeq !== journal.seq + 1) {
      throw new Contradiction(`entry ${firstSeq} of ${run} does not follow entry ${journal.seq}`);
    }
    journal.seq = seq;
    journal.text += entries;
    if (this.#direct || entries.length > TAIL_ENTRIES_CHARS_MAX) {
      this.#writeRow(run, journal);
      this.#setSettled.run(seq, run);
    } else {
      this.#body += encodeTailRecord(run, firstSeq, entries);
    }
  }

  /** Entries from `firstSeq` on go; `entries`, up to number `seq`, take their place in rows of the run. */
  replace(run: RunId, firstSeq: number, seq: number, entries: string): void {
    const journal = this.#open.get(run) ?? this.#takeUp(run);
    if (firstSeq > journal.seq + 1) {
      throw new Contradiction(`entry ${firstSeq} of ${run} does not follow entry ${journal.seq}`);
    }
    let from = firstSeq;
    let text = entries;
    if (firstSeq > journal.settled) {
      from = journal.settled + 1;
      text = entriesBefore(journal.text, from, firstSeq) + entries;
    } else {
      this.#cut(run, firstSeq);
    }
    if (text !== "") this.#insert.run(run, from, text);
    journal.seq = seq;
    journal.settled = seq;
    journal.text = "";
    this.#setSettled.run(seq, run);
  }

  // Rows of a run keep what comes before `firstSeq`.
  #cut(run: RunId, firstSeq: number): void {
    this.#removeFrom.run(run, firstSeq);
    const last = this.#lastRow.get(run) as { seq: number; entries: string } | undefined;
    if (last === undefined) return;
    const kept = entriesBefore(last.entries, last.seq, firstSeq);
    if (kept !== last.entries) this.#rewrite.run(kept, run, last.seq);
  }

  /** Number of the last entry; null when none were added since the run rested last. */
  seqOf(run: RunId): number | null {
    return this.#open.get(run)?.seq ?? null;
  }

  /** Entries of a run that are in the tail, as text. */
  tailOf(run: RunId): string {
    return this.#open.get(run)?.text ?? "";
  }

  /** A run rests, and its row says the number of its last entry: its entries move to its rows. */
  settle(run: RunId): void {
    const journal = this.#open.get(run);
    if (journal === undefined) return;
    this.#open.delete(run);
    this.#writeRow(run, journal);
  }

  /** A run has ended and its journal is packed: its rows go. */
  remove(run: RunId, hadJournal: boolean): void {
    const journal = this.#open.get(run);
    if (journal !== undefined) this.#open.delete(run);
    if (journal === undefined ? hadJournal : journal.settled > 0) this.#remove.run(run);
  }

  /** Writes what this batch appended; before its COMMIT. */
  endBatch(): void {
    if (this.#body === "") return;
    this.#insertTail.run(this.#body);
    this.#tailCommits++;
    this.#tailChars += this.#body.length;
    this.#body = "";
    if (this.#tailCommits >= TAIL_COMMITS_MAX || this.#tailChars >= TAIL_CHARS_MAX) {
      this.#settleAll();
    }
  }

  /** Reads again what the tail holds, after a rollback. */
  reload(): void {
    this.#open.clear();
    this.#body = "";
    this.#tailCommits = 0;
    this.#tailChars = 0;
    for (const { run, firstSeq, count, entries } of readTail(this.#db)) {
      const row = this.#settledSeq.get(run) as { seq: number } | undefined;
      if (row === undefined || firstSeq <= row.seq) continue;
      const journal = this.#open.get(run) ?? this.#takeUp(run);
      journal.seq = firstSeq + count - 1;
      journal.text += entries;
    }
    const size = this.#db.prepare("SELECT count(*) AS n, total(length(body)) AS chars FROM tail");
    const { n, chars } = size.get() as { n: number; chars: number };
    this.#tailCommits = n;
    this.#tailChars = chars;
  }

  /** Settles what the owner before left in the tail; inside a transaction. */
  recover(): void {
    this.reload();
    this.#settleAll();
    this.#open.clear();
  }

  /** Until `endDirect` entries go to rows at once and none are held here, so that savepoints undo them. */
  beginDirect(): void {
    this.#settleAll();
    this.#open.clear();
    this.#direct = true;
  }

  endDirect(): void {
    this.#direct = false;
  }

  #takeUp(run: RunId): OpenJournal {
    const row = this.#settledSeq.get(run) as { seq: number } | undefined;
    if (row === undefined) throw new Contradiction(`${run} is not an open run`);
    const journal = { seq: row.seq, settled: row.seq, text: "" };
    if (!this.#direct) this.#open.set(run, journal);
    return journal;
  }

  #writeRow(run: RunId, journal: OpenJournal): void {
    if (journal.text !== "") this.#insert.run(run, journal.settled + 1, journal.text);
    journal.settled = journal.seq;
    journal.text = "";
  }

  #settleAll(): void {
    if (this.#tailCommits === 0) return;
    for (const [run, journal] of this.#open) {
      if (journal.text === "") continue;
      this.#writeRow(run, journal);
      this.#setSettled.run(journal.seq, run);
    }
    this.#clearTail.run();
    this.#tailCommits = 0;
    this.#tailChars = 0;
  }
}
