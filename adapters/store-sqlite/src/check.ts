import type { DatabaseSync } from "node:sqlite";
import type { Finding } from "@claw/core/ports";
import { childrenOf, decodeEntries, type Entry, numberAfter } from "@claw/core/protocol";
import { KEY_CONTRADICTIONS } from "./check-keys.ts";
import { readTail, type TailRecord } from "./journal-tail.ts";
import { pragmaNumber } from "./schema.ts";

const FINDINGS_MAX = 100;
/** Above this size the pages are checked without comparing every index with its table. */
const THOROUGH_BYTES_MAX = 256 * 1024 * 1024;

/** Rows that contradict each other: each query answers one line of text per contradiction. */
const CONTRADICTIONS: readonly string[] = [
  `SELECT 'run ' || id || ' is stranded: nothing will wake it' FROM runs
   WHERE due IS NULL AND waits <= 0 AND held = ''`,
  `SELECT 'run ' || id || ' is open and closed at once' FROM runs JOIN closed USING (id)`,
  `SELECT 'inbox row ' || i.seq || ' of ' || i.run || ' belongs to no open run' FROM inbox i
   WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = i.run)`,
  `SELECT 'inbox row ' || i.seq || ' of ' || i.run || ' is beyond its counter ' || r.inbox_seq
   FROM inbox i JOIN runs r ON r.id = i.run WHERE i.seq > r.inbox_seq OR i.seq < 1`,
  `SELECT 'subscription of ' || w.run || ' for ' || w.call || ' belongs to no open run' FROM waits w
   WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = w.run)`,
  `SELECT 'run ' || r.id || ' rests with ' || r.waits || ' waits but has more subscriptions'
   FROM runs r WHERE r.due IS NULL AND r.held = ''
   AND r.waits < (SELECT count(*) FROM waits WHERE run = r.id)
     + (SELECT count(*) FROM approvals WHERE run = r.id)`,
  `SELECT 'approval of ' || a.run || ' for ' || a.call || ' belongs to no open run' FROM approvals a
   WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = a.run)`,
  `SELECT 'run ' || id || ' says it was started by ' || parent_run || ', which is unknown'
   FROM runs r WHERE parent_run <> ''
   AND NOT EXISTS (SELECT 1 FROM runs WHERE id = r.parent_run)
   AND NOT EXISTS (SELECT 1 FROM closed WHERE id = r.parent_run)`,
  `SELECT 'journal rows of ' || run || ' belong to no run' FROM (SELECT DISTINCT run FROM journal) j
   WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = j.run)
   AND NOT EXISTS (SELECT 1 FROM closed WHERE id = j.run AND journal IS NULL)`,
  `SELECT 'chunk ' || c.seq || ' of ' || c.run || ' belongs to no run' FROM chunks c
   WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = c.run)
   AND NOT EXISTS (SELECT 1 FROM closed WHERE id = c.run)`,
  `SELECT 'stream ' || s.name || ' of ' || s.run || ' has another number of chunks than ' || s.chunks
   FROM streams s WHERE s.chunks <>
     (SELECT coalesce(sum(count), 0) FROM chunks WHERE run = s.run AND stream = s.name)`,
  `SELECT 'chunk ' || c.seq || ' of ' || c.run || ' is in no known stream' FROM chunks c
   WHERE NOT EXISTS (SELECT 1 FROM streams WHERE run = c.run AND name = c.stream)`,
  `SELECT 'closed run ' || id || ' has another number of entries than ' || seq FROM closed
   WHERE journal IS NOT NULL AND substr(journal, 1, 1) <> '-' AND instr(journal, char(30) || '-') = 0
   AND length(journal) - length(replace(journal, char(30), '')) <> seq`,
  `SELECT 'marks of block ' || block || ' belong to no block of tasks' FROM task_marks
   WHERE NOT EXISTS (SELECT 1 FROM task_blocks WHERE id = block)`,
  `SELECT 'task ' || id || ' has a number that was never given' FROM task_aside
   WHERE id > (SELECT value FROM meta WHERE name = 'task_id')`,
  ...KEY_CONTRADICTIONS,
  `SELECT 'index row of event ' || k.seq || ' belongs to no event' FROM event_keys k
   WHERE NOT EXISTS (SELECT 1 FROM events WHERE seq = k.seq)`,
];

/** Checks pages, then rows against each other, on one state of the store. Empty when sound. */
export function checkStore(db: DatabaseSync): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (message: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push({ severity: "error", message });
  };
  try {
    db.exec("BEGIN");
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
  if (db.isTransaction) db.exec("ROLLBACK");
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
