import type { Finding } from "@claw/core/ports";
import { childrenOf, decodeEntries, type Entry, numberAfter } from "@claw/core/protocol";
import { KEY_CONTRADICTIONS } from "./check-keys.ts";
import type { TailRecord } from "./journals.ts";
import type { Link } from "./link.ts";
import { tailsByRun } from "./read-tail.ts";
import type { Reads } from "./reads.ts";

const FINDINGS_MAX = 100;
/** Runs whose journals are read at once. */
const PAGE = 500;

/** Rows that contradict each other: each query answers one line of text per contradiction. */
const CONTRADICTIONS: readonly string[] = [
  `SELECT 'run ' || id || ' is stranded: nothing will wake it' FROM claw.runs
   WHERE due IS NULL AND waits <= 0 AND held = ''`,
  `SELECT 'run ' || r.id || ' is held by incarnation ' || r.owner || ', which has ended' FROM claw.runs r
   WHERE r.owner IS NOT NULL AND NOT EXISTS
     (SELECT 1 FROM claw.incarnations WHERE id = r.owner AND state = 'live')`,
  `SELECT 'run ' || id || ' is open and closed at once' FROM claw.runs JOIN claw.closed USING (id)`,
  `SELECT 'inbox row ' || i.seq || ' of ' || i.run || ' belongs to no open run' FROM claw.inbox i
   WHERE NOT EXISTS (SELECT 1 FROM claw.runs WHERE id = i.run)`,
  `SELECT 'inbox row ' || i.seq || ' of ' || i.run || ' is beyond its counter ' || r.inbox_seq
   FROM claw.inbox i JOIN claw.runs r ON r.id = i.run WHERE i.seq > r.inbox_seq`,
  `SELECT 'subscription of ' || w.run || ' for ' || w.call || ' belongs to no open run' FROM claw.waits w
   WHERE NOT EXISTS (SELECT 1 FROM claw.runs WHERE id = w.run)`,
  `SELECT 'run ' || r.id || ' rests with ' || r.waits || ' waits but has more subscriptions'
   FROM claw.runs r WHERE r.due IS NULL AND r.held = ''
   AND r.waits < (SELECT count(*) FROM claw.waits WHERE run = r.id)
     + (SELECT count(*) FROM claw.approvals WHERE run = r.id)`,
  `SELECT 'approval of ' || a.run || ' for ' || a.call || ' belongs to no open run'
   FROM claw.approvals a WHERE NOT EXISTS (SELECT 1 FROM claw.runs WHERE id = a.run)`,
  `SELECT 'run ' || id || ' says it was started by ' || parent_run || ', which is unknown'
   FROM claw.runs r WHERE parent_run <> ''
   AND NOT EXISTS (SELECT 1 FROM claw.runs WHERE id = r.parent_run)
   AND NOT EXISTS (SELECT 1 FROM claw.closed WHERE id = r.parent_run)`,
  `SELECT 'journal rows of ' || run || ' belong to no run'
   FROM (SELECT DISTINCT run FROM claw.journal) j
   WHERE NOT EXISTS (SELECT 1 FROM claw.runs WHERE id = j.run)
   AND NOT EXISTS (SELECT 1 FROM claw.closed WHERE id = j.run AND journal IS NULL)`,
  `SELECT 'chunk ' || c.seq || ' of ' || c.run || ' belongs to no run' FROM claw.chunks c
   WHERE NOT EXISTS (SELECT 1 FROM claw.runs WHERE id = c.run)
   AND NOT EXISTS (SELECT 1 FROM claw.closed WHERE id = c.run)`,
  `SELECT 'stream ' || s.name || ' of ' || s.run || ' has another number of chunks than ' || s.chunks
   FROM claw.streams s WHERE s.chunks <>
     (SELECT coalesce(sum(count), 0) FROM claw.chunks WHERE run = s.run AND stream = s.name)`,
  `SELECT 'chunk ' || c.seq || ' of ' || c.run || ' is in no known stream' FROM claw.chunks c
   WHERE NOT EXISTS (SELECT 1 FROM claw.streams WHERE run = c.run AND name = c.stream)`,
  `SELECT 'closed run ' || id || ' has another number of entries than ' || seq FROM claw.closed
   WHERE journal IS NOT NULL AND left(journal, 1) <> '-' AND position(E'\\x1e-' IN journal) = 0
   AND length(journal) - length(replace(journal, E'\\x1e', '')) <> seq`,
  `SELECT 'marks of block ' || block || ' belong to no block of tasks' FROM claw.task_marks
   WHERE NOT EXISTS (SELECT 1 FROM claw.task_blocks WHERE id = block)`,
  `SELECT 'task ' || id || ' has a number that was never given' FROM claw.task_aside
   WHERE id > (SELECT value FROM claw.meta WHERE name = 'task_id')`,
  ...KEY_CONTRADICTIONS,
  `SELECT 'event ' || seq || ' is owed to waiting runs but unknown' FROM claw.spreads
   WHERE seq > (SELECT coalesce(max(seq), 0) FROM claw.events)`,
  `SELECT 'index row of event ' || k.seq || ' belongs to no event' FROM claw.event_keys k
   WHERE NOT EXISTS (SELECT 1 FROM claw.events WHERE seq = k.seq)`,
];

type JournalHead = { id: string; startedAt: number; seq: number; ended: boolean };

/** Checks rows against each other, on one state of the store. Empty when sound. */
export async function checkStore(link: Link, reads: Reads): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const report = (message: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push({ severity: "error", message });
  };
  await link.transaction(async () => {
    for (const query of CONTRADICTIONS) {
      for (const row of await reads.once(`${query} LIMIT ${FINDINGS_MAX}`)) {
        report(String(Object.values(row)[0]));
      }
    }
    await checkJournals(reads, report);
  }, "ISOLATION LEVEL REPEATABLE READ READ ONLY");
  return findings;
}

// Every journal that is not packed is read: open runs, and closed ones that were too long.
async function checkJournals(reads: Reads, report: (message: string) => void): Promise<void> {
  const tails = await tailsByRun(reads);
  for (let after = ""; ; ) {
    const runs = await reads.all<JournalHead>(
      `SELECT id, started_at AS "startedAt", seq, FALSE AS ended FROM claw.runs WHERE id > $1
       UNION ALL SELECT id, started_at, seq, TRUE FROM claw.closed WHERE journal IS NULL AND id > $1
       ORDER BY id LIMIT ${PAGE}`,
      [after],
    );
    const last = runs.at(-1);
    if (last === undefined) return;
    after = last.id;
    const rows = await reads.all<{ run: string; seq: number; entries: string }>(
      "SELECT run, seq, entries FROM claw.journal WHERE run = ANY ($1) ORDER BY run, seq",
      [runs.map(({ id }) => id)],
    );
    const children: { run: string; child: string }[] = [];
    for (const run of runs) {
      const own = rows.filter((row) => row.run === run.id);
      for (const child of checkJournal(run, own, tails.get(run.id) ?? [], report)) {
        children.push({ run: run.id, child });
      }
    }
    await checkChildren(reads, children, report);
  }
}

// Children that an open run waits for.
function checkJournal(
  run: JournalHead,
  rows: readonly { readonly seq: number; readonly entries: string }[],
  tail: readonly TailRecord[],
  report: (message: string) => void,
): readonly string[] {
  const entries: Entry[] = [];
  let next = 1;
  try {
    const append = (seq: number, text: string): void => {
      if (seq !== next) report(`journal of ${run.id} has entry ${seq} after entry ${next - 1}`);
      next = numberAfter(text, seq);
      entries.push(...decodeEntries(text, seq, run.startedAt));
    };
    for (const { seq, entries: text } of rows) append(seq, text);
    if (next - 1 !== run.seq) {
      report(`journal of ${run.id} has ${next - 1} entries, its row says ${run.seq}`);
    }
    if (run.ended) return [];
    for (const { first, entries: text } of tail) if (first > run.seq) append(first, text);
  } catch (error) {
    report(`journal of ${run.id}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return [...childrenOf(entries).values()].filter(({ ended }) => !ended).map((child) => child.run);
}

async function checkChildren(
  reads: Reads,
  children: readonly { readonly run: string; readonly child: string }[],
  report: (message: string) => void,
): Promise<void> {
  if (children.length === 0) return;
  // A child that was not created has answered nevertheless.
  const known = await reads.all<{ id: string }>(
    `SELECT id FROM claw.runs WHERE id = ANY ($1) UNION ALL SELECT id FROM claw.closed WHERE id = ANY ($1)
     UNION ALL SELECT sender FROM claw.inbox WHERE kind = 'child' AND sender = ANY ($1)`,
    [children.map(({ child }) => child)],
  );
  const ids = new Set(known.map(({ id }) => id));
  for (const { run, child } of children) {
    if (!ids.has(child)) report(`run ${run} waits for ${child}, which is unknown`);
  }
}
