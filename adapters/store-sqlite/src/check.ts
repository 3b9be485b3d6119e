import type { DatabaseSync } from "node:sqlite";
import type { Finding } from "@claw/core/ports";
import { childrenOf, decodeEntries, type Entry, numberAfter } from "@claw/core/protocol";
import { KEY_CONTRADICTIONS } from "./check-keys.ts";
import { DAMAGES } from "./repair/damages.ts";
import { readTail, type TailRecord } from "./journal-tail.ts";
import { pragmaNumber } from "./schema.ts";

const FINDINGS_MAX = 100;
/** Above this size the pages are checked without comparing every index with its table. */
const THOROUGH_BYTES_MAX = 256 * 1024 * 1024;

/** Rows that contradict each other: each query answers one line of text per contradiction. */
const CONTRADICTIONS: readonly string[] = [
  ...DAMAGES.map(({ find }) => find),
  ...KEY_CONTRADICTIONS,
  `SELECT 'event ' || seq || ' is owed to waiting runs but unknown' FROM spreads
   WHERE seq > (SELECT coalesce(max(seq), 0) FROM events)`,
];

/** Checks pages, then rows against each other, on one state of the store. Empty when sound. */
export function checkStore(db: DatabaseSync): readonly Finding[] {
  db.exec("BEGIN");
  const findings = findingsIn(db);
  if (db.isTransaction) db.exec("ROLLBACK");
  return findings;
}

/** The same inside of a transaction. */
export function findingsIn(db: DatabaseSync): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (message: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push({ severity: "error", message });
  };
  try {
    checkPages(db, report);
    for (const query of CONTRADICTIONS) {
      for (const row of db.prepare(`${query} LIMIT ${FINDINGS_MAX}`).iterate()) {
        report(String(Object.values(row)[0]));
      }
    }
    checkJournals(db, report);
  } catch (error) {
    report(`reading stopped: ${error instanceof Error ? error.message : String(error)}`);
  }
  return findings;
}

function checkPages(db: DatabaseSync, report: (message: string) => void): void {
  const bytes = pragmaNumber(db, "page_count") * pragmaNumber(db, "page_size");
  const pragma = bytes > THOROUGH_BYTES_MAX ? "quick_check" : "integrity_check";
  for (const row of db.prepare(`PRAGMA ${pragma}(${FINDINGS_MAX})`).iterate()) {
    const line = String(Object.values(row)[0]);
    if (line !== "ok") report(line);
  }
}

// Every journal that is not packed is read: open runs, and closed ones that were too long.
function checkJournals(db: DatabaseSync, report: (message: string) => void): void {
  const runs = db.prepare(`
    SELECT id, started_at AS startedAt, seq, FALSE AS ended FROM runs
    UNION ALL SELECT id, started_at, seq, TRUE FROM closed WHERE journal IS NULL`);
  const rows = db.prepare("SELECT seq, entries FROM journal WHERE run = ? ORDER BY seq");
  const known = db.prepare(`
    SELECT 1 FROM runs WHERE id = ?1 UNION ALL SELECT 1 FROM closed WHERE id = ?1`);
  // A child that was not created has answered nevertheless.
  const answer = db.prepare("SELECT 1 FROM inbox WHERE run = ? AND kind = 'child' AND sender = ?");
  const tails = tailsByRun(db);
  for (const run of runs.iterate() as Iterable<JournalHead>) {
    const entries: Entry[] = [];
    let next = 1;
    const append = (seq: number, text: string): void => {
      if (seq !== next) report(`journal of ${run.id} has entry ${seq} after entry ${next - 1}`);
      next = numberAfter(text, seq);
      entries.push(...decodeEntries(text, seq, run.startedAt));
    };
    for (const row of rows.iterate(run.id)) append(Number(row["seq"]), String(row["entries"]));
    if (next - 1 !== run.seq) {
      report(`journal of ${run.id} has ${next - 1} entries, its row says ${run.seq}`);
    }
    if (run.ended === 1) continue;
    for (const { firstSeq, entries: text } of tails.get(run.id) ?? []) {
      if (firstSeq > run.seq) append(firstSeq, text);
    }
    for (const { run: child, ended } of childrenOf(entries).values()) {
      if (ended || known.get(child) !== undefined) continue;
      if (answer.get(run.id, child) !== undefined) continue;
      report(`run ${run.id} waits for ${child}, which is unknown`);
    }
  }
}

type JournalHead = { id: string; startedAt: number; seq: number; ended: 0 | 1 };

function tailsByRun(db: DatabaseSync): ReadonlyMap<string, readonly TailRecord[]> {
  const tails = new Map<string, TailRecord[]>();
  for (const record of readTail(db)) {
    const records = tails.get(record.run);
    if (records === undefined) tails.set(record.run, [record]);
    else records.push(record);
  }
  return tails;
}
