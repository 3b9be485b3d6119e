import type { DatabaseSync } from "node:sqlite";
import {
  type ChildOutcome,
  childrenOf,
  type ClosedStatus,
  decodeEntries,
  type Entry,
  type ErrorRecord,
  isCoded,
  numberAfter,
  type RunId,
} from "@claw/core/protocol";
import { encodeTailRecord, type TailRecord, tailRecords } from "../journal-tail.ts";
import type { Tell } from "./repair-store.ts";

/**
 * Reads the journal of every open run. One that cannot be read, or has a hole, holds its run as quarantined, so
 * that nobody takes it up and its rows stay for a person; one that is whole and otherwise counted is counted again.
 */
export function repairJournals(db: DatabaseSync, tell: Tell): void {
  const tails = repairTail(db, tell);
  const quarantine = db.prepare(`
    UPDATE runs SET held = 'quarantined', held_reason = ?, due = NULL WHERE id = ?`);
  const count = db.prepare("UPDATE runs SET seq = ? WHERE id = ?");
  const runs = db.prepare(`
    SELECT id, started_at AS startedAt, seq, held FROM runs ORDER BY id`);
  for (const run of runs.all() as OpenLine[]) {
    if (run.held === "quarantined") continue;
    const read = readJournal(db, run, tails.get(run.id) ?? []);
    if (typeof read === "string") {
      quarantine.run(`its journal is damaged: ${read}`, run.id);
      tell(`journal of ${run.id} ${read}`, "quarantined: nobody takes it up");
      continue;
    }
    if (read.settled !== run.seq) {
      count.run(read.settled, run.id);
      tell(`journal of ${run.id} has ${read.settled} entries, its row says ${run.seq}`, "counted");
    }
    repairChildren(
      db,
      run.id,
      read.entries,
      (child, why) => {
        quarantine.run(`${why}; skip its call or terminate it`, run.id);
        tell(`run ${run.id} waits for ${child}: ${why}`, "quarantined: a person decides");
      },
      tell,
    );
  }
}

type OpenLine = { id: string; startedAt: number; seq: number; held: string };

// The entries in rows of the run, then those of the tail; a text says what is wrong.
function readJournal(
  db: DatabaseSync,
  { id, startedAt, seq }: OpenLine,
  tail: readonly TailRecord[],
): string | { readonly settled: number; readonly entries: readonly Entry[] } {
  const rows = db.prepare("SELECT seq, entries FROM journal WHERE run = ? ORDER BY seq").all(id);
  const entries: Entry[] = [];
  let next = 1;
  try {
    const append = (from: number, text: string): string | null => {
      if (from !== next) return `has entry ${from} after entry ${next - 1}`;
      entries.push(...decodeEntries(text, from, startedAt));
      next = numberAfter(text, from);
      return null;
    };
    for (const row of rows) {
      const wrong = append(Number(row["seq"]), String(row["entries"]));
      if (wrong !== null) return wrong;
    }
    const settled = next - 1;
    // Rows that are missing at the end cannot be told from a row that counts too many, but by the tail.
    if (settled < seq) return `has ${settled} entries, its row says ${seq}`;
    for (const { firstSeq, entries: text } of tail) {
      const wrong = firstSeq > settled ? append(firstSeq, text) : null;
      if (wrong !== null) return wrong;
    }
    return { settled, entries };
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

// A row of the tail that cannot be read to its end lost entries of runs that were in memory; which of them,
// nothing tells any more.
function repairTail(db: DatabaseSync, tell: Tell): ReadonlyMap<RunId, readonly TailRecord[]> {
  const tails = new Map<RunId, TailRecord[]>();
  const rows = db.prepare("SELECT n, body FROM tail ORDER BY n").all();
  let isLost = false;
  for (const row of rows) {
    const kept: TailRecord[] = [];
    try {
      for (const record of tailRecords(String(row["body"]))) kept.push(record);
    } catch (error) {
      isLost = true;
      const body = kept.map(({ run, firstSeq, entries }) =>
        encodeTailRecord(run, firstSeq, entries),
      );
      if (kept.length === 0) db.prepare("DELETE FROM tail WHERE n = ?").run(row["n"] ?? 0);
      else db.prepare("UPDATE tail SET body = ? WHERE n = ?").run(body.join(""), row["n"] ?? 0);
      tell(String(error instanceof Error ? error.message : error), "its readable part is kept");
    }
    for (const record of kept) tails.set(record.run, [...(tails.get(record.run) ?? []), record]);
  }
  if (isLost) {
    const { changes } = db
      .prepare(`
        UPDATE runs SET held = 'quarantined', due = NULL,
          held_reason = 'entries that it wrote last may be lost: the journal''s tail was damaged'
        WHERE held = '' AND due IN (0, 1)`)
      .run();
    tell(`${changes} runs were under way when entries were lost`, "quarantined: a person decides");
  }
  return tails;
}

// An attached child owes its parent a message when it ends: a child that is gone owes it for ever.
function repairChildren(
  db: DatabaseSync,
  run: RunId,
  entries: readonly Entry[],
  giveUp: (child: RunId, why: string) => void,
  tell: Tell,
): void {
  const isOpen = db.prepare("SELECT 1 FROM runs WHERE id = ?");
  const ended = db.prepare("SELECT status, output, error FROM closed WHERE id = ?");
  const told = db.prepare("SELECT 1 FROM inbox WHERE run = ? AND kind = 'child' AND name = ?");
  for (const [call, { run: child, ended: isKnown }] of childrenOf(entries)) {
    if (isKnown || isOpen.get(child) !== undefined || told.get(run, call) !== undefined) continue;
    const row = ended.get(child) as EndedLine | undefined;
    const outcome = row === undefined ? null : outcomeOf(row);
    if (row === undefined) giveUp(child, `the run ${child} that it waits for is gone`);
    else if (outcome === null) giveUp(child, `the end of ${child} is encoded for that run`);
    else {
      db.prepare(`
        UPDATE runs SET inbox_seq = inbox_seq + 1, due = CASE held WHEN '' THEN 1 END
        WHERE id = ?`).run(run);
      db.prepare(`
        INSERT INTO inbox SELECT id, inbox_seq, 'child', ?, ?, ? FROM runs WHERE id = ?`).run(
        call,
        child,
        JSON.stringify(outcome),
        run,
      );
      tell(`run ${run} was not told that ${child} has ended`, "told");
    }
  }
}

type EndedLine = { status: ClosedStatus; output: string; error: string | null };

function outcomeOf({ status, output, error }: EndedLine): ChildOutcome | null {
  const record = error === null ? null : (JSON.parse(error) as ErrorRecord);
  if (isCoded(output) || isCoded(record?.message ?? "")) return null;
  return {
    status,
    ...(status === "completed" ? { output } : {}),
    ...(record === null ? {} : { error: record }),
  };
}
