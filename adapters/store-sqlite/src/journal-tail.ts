import type { DatabaseSync } from "node:sqlite";
import type { RunId } from "@claw/core/protocol";

/** Entries of one transition with more characters go to rows of their run at once. */
export const TAIL_ENTRIES_CHARS_MAX = 16 * 1024;

/** What one transition appended. */
export interface TailRecord {
  readonly run: RunId;
  readonly firstSeq: number;
  /** Number of entries. */
  readonly count: number;
  readonly entries: string;
}

const ENTRY_END = "\u001e";

/** Text of one record in a row of the tail: a line with run, first number and length, then the entries. */
export function encodeTailRecord(run: RunId, firstSeq: number, entries: string): string {
  return `${run} ${firstSeq} ${entries.length}\n${entries}`;
}

/** All records of the tail, oldest first; with `run`, only rows that name it are read. */
export function* readTail(db: DatabaseSync, run?: RunId): Generator<TailRecord> {
  const rows =
    run === undefined
      ? db.prepare("SELECT body FROM tail ORDER BY n").all()
      : db.prepare("SELECT body FROM tail WHERE instr(body, ?) > 0 ORDER BY n").all(run);
  for (const row of rows) {
    for (const record of tailRecords(String(row["body"]))) {
      if (run === undefined || record.run === run) yield record;
    }
  }
}

/** Entries of one open run in the tail, as text; `settled` is its `runs.seq`. */
export function tailTextOf(db: DatabaseSync, run: RunId, settled: number): string {
  let text = "";
  for (const { firstSeq, entries } of readTail(db, run)) if (firstSeq > settled) text += entries;
  return text;
}

/** The records of one row of the tail. Throws at the first that is damaged. */
export function* tailRecords(body: string): Generator<TailRecord> {
  let at = 0;
  while (at < body.length) {
    const lineEnd = body.indexOf("\n", at);
    const [run, firstSeq, length] = body.slice(at, lineEnd).split(" ");
    const end = lineEnd + 1 + Number(length);
    if (lineEnd < 0 || run === undefined || !(end <= body.length)) {
      throw new Error(`journal tail is damaged at character ${at}`);
    }
    const entries = body.slice(lineEnd + 1, end);
    yield { run, firstSeq: Number(firstSeq), count: entries.split(ENTRY_END).length - 1, entries };
    at = end;
  }
}
