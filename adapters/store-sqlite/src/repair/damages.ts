import { limits } from "@claw/core/protocol";

/** A way in which rows contradict each other, how it is found, and what makes them agree again. */
export interface Damage {
  /** Answers a row per contradiction: its `message`, and the values that `fix` names. */
  readonly find: string;
  /** Statements over the values of a row; none for what nothing in the store can mend. */
  readonly fix: readonly string[];
  /** What the fix does, for people. */
  readonly action: string;
}

const OPEN = "SELECT 1 FROM runs WHERE id";
const CLOSED = "SELECT 1 FROM closed WHERE id";
const NOW_MS = "CAST(strftime('%s', 'now') AS INTEGER) * 1000";
const HOLDS =
  "'', 'diverged', 'bug', 'stuck', 'no_code', 'paused', 'quarantined', 'unreadable', 'queued'";
/** The run is looked at as soon as somebody owns the store; its code says what it waits for. */
const WAKE = "UPDATE runs SET due = 1 WHERE id = :run AND held = ''";

const RUNS: readonly Damage[] = [
  {
    find: `SELECT 'run ' || id || ' is stranded: nothing will wake it' AS message, id AS run FROM runs
      WHERE due IS NULL AND waits <= 0 AND held = ''`,
    fix: ["UPDATE runs SET due = 1, waits = 0 WHERE id = :run"],
    action: "woken",
  },
  {
    find: `SELECT 'run ' || id || ' is open and closed at once' AS message, id AS run
      FROM runs JOIN closed USING (id)`,
    fix: [
      "DELETE FROM runs WHERE id = :run",
      "DELETE FROM inbox WHERE run = :run",
      "DELETE FROM waits WHERE run = :run",
      "DELETE FROM approvals WHERE run = :run",
      `DELETE FROM journal WHERE run = :run AND EXISTS
        (SELECT 1 FROM closed WHERE id = :run AND journal IS NOT NULL)`,
    ],
    action: "its open row is removed: it has ended",
  },
  {
    find: `SELECT 'run ' || id || ' is due at ' || due || ', which is no such time' AS message, id AS run
      FROM runs WHERE due < 0 OR due > ${NOW_MS} + ${limits.DURATION_MS_MAX}`,
    fix: [WAKE],
    action: "woken",
  },
  {
    find: `SELECT 'run ' || id || ' is held as ' || held || ' and due at once' AS message, id AS run
      FROM runs WHERE held <> '' AND due IS NOT NULL`,
    fix: ["UPDATE runs SET due = NULL WHERE id = :run"],
    action: "not due any more: it is held",
  },
  {
    find: `SELECT 'run ' || id || ' is held as ' || held || ', which is unknown' AS message, id AS run
      FROM runs WHERE held NOT IN (${HOLDS})`,
    fix: [
      `UPDATE runs SET held = 'quarantined', due = NULL,
        held_reason = 'it was held as ' || held || ', which is unknown: ' || held_reason
        WHERE id = :run`,
    ],
    action: "quarantined",
  },
  {
    find: `SELECT 'run ' || id || ' is in the phase ' || phase || ', which is unknown' AS message, id AS run
      FROM runs WHERE phase NOT IN ('', 'compensating')`,
    fix: ["UPDATE runs SET phase = '' WHERE id = :run"],
    action: "without a phase",
  },
  {
    find: `SELECT 'run ' || id || ' counts ' || min(waits, recoveries) || ' waits or recoveries' AS message,
      id AS run FROM runs WHERE waits < 0 OR recoveries < 0`,
    fix: [
      "UPDATE runs SET waits = max(waits, 0), recoveries = max(recoveries, 0) WHERE id = :run",
      WAKE,
    ],
    action: "counted from 0, woken",
  },
  {
    find: `SELECT 'run ' || r.id || ' rests with ' || r.waits || ' waits but has more subscriptions' AS message,
      r.id AS run FROM runs r WHERE r.due IS NULL AND r.held = ''
      AND r.waits < (SELECT count(*) FROM waits WHERE run = r.id)
        + (SELECT count(*) FROM approvals WHERE run = r.id)`,
    fix: [WAKE],
    action: "woken",
  },
  {
    find: `SELECT 'run ' || id || ' says it was started by ' || parent_run || ', which is unknown' AS message,
      id AS run FROM runs r WHERE parent_run <> ''
      AND NOT EXISTS (${OPEN} = r.parent_run) AND NOT EXISTS (${CLOSED} = r.parent_run)`,
    fix: ["UPDATE runs SET parent_run = '', parent_call = '' WHERE id = :run"],
    action: "it has no parent any more",
  },
];

const COUNTERPARTS: readonly Damage[] = [
  {
    find: `SELECT 'inbox row ' || i.seq || ' of ' || i.run || ' belongs to no open run' AS message,
      i.run, i.seq FROM inbox i WHERE NOT EXISTS (${OPEN} = i.run)`,
    fix: ["DELETE FROM inbox WHERE run = :run AND seq = :seq"],
    action: "removed",
  },
  {
    find: `SELECT 'inbox row ' || i.seq || ' of ' || i.run || ' is beyond its counter ' || r.inbox_seq
      AS message, i.run, i.seq FROM inbox i JOIN runs r ON r.id = i.run
      WHERE i.seq > r.inbox_seq`,
    fix: [
      `UPDATE runs SET inbox_seq = max(inbox_seq, (SELECT max(seq) FROM inbox WHERE run = :run))
        WHERE id = :run`,
      WAKE,
    ],
    action: "counted, and its run woken",
  },
  {
    find: `SELECT 'subscription of ' || w.run || ' for ' || w.call || ' belongs to no open run' AS message,
      w.run, w.call FROM waits w WHERE NOT EXISTS (${OPEN} = w.run)`,
    fix: ["DELETE FROM waits WHERE run = :run AND call = :call"],
    action: "removed",
  },
  {
    find: `SELECT 'approval of ' || a.run || ' for ' || a.call || ' belongs to no open run' AS message,
      a.run, a.call FROM approvals a WHERE NOT EXISTS (${OPEN} = a.run)`,
    fix: ["DELETE FROM approvals WHERE run = :run AND call = :call"],
    action: "removed",
  },
  {
    find: `SELECT 'journal rows of ' || run || ' belong to no run' AS message, run
      FROM (SELECT DISTINCT run FROM journal) j WHERE NOT EXISTS (${OPEN} = j.run)
      AND NOT EXISTS (SELECT 1 FROM closed WHERE id = j.run AND journal IS NULL)`,
    fix: ["DELETE FROM journal WHERE run = :run"],
    action: "removed",
  },
  {
    find: `SELECT 'chunk ' || c.seq || ' of ' || c.run || ' belongs to no run' AS message, c.run, c.seq
      FROM chunks c WHERE NOT EXISTS (${OPEN} = c.run) AND NOT EXISTS (${CLOSED} = c.run)`,
    fix: [
      "DELETE FROM chunks WHERE run = :run AND seq = :seq",
      "DELETE FROM streams WHERE run = :run",
    ],
    action: "removed",
  },
  {
    find: `SELECT 'chunk ' || c.seq || ' of ' || c.run || ' is in no known stream' AS message,
      c.run, c.stream FROM chunks c
      WHERE NOT EXISTS (SELECT 1 FROM streams WHERE run = c.run AND name = c.stream)`,
    fix: [
      `INSERT INTO streams SELECT run, stream, sum(count), sum(length(data)), max(seq + count - 1), 0
        FROM chunks WHERE run = :run AND stream = :stream GROUP BY run, stream ON CONFLICT DO NOTHING`,
    ],
    action: "the stream is known again",
  },
  {
    find: `SELECT 'stream ' || s.name || ' of ' || s.run || ' has another number of chunks than ' || s.chunks
      AS message, s.run, s.name FROM streams s WHERE s.chunks <>
        (SELECT coalesce(sum(count), 0) FROM chunks WHERE run = s.run AND stream = s.name)`,
    fix: [
      `UPDATE streams SET chunks =
        (SELECT coalesce(sum(count), 0) FROM chunks WHERE run = :run AND stream = :name)
        WHERE run = :run AND name = :name`,
    ],
    action: "counted again",
  },
  ...orphans("attributes", "attributes"),
  ...orphans("generations", "generations"),
  ...orphans("traces", "traces"),
  {
    find: `SELECT 'blob ' || b.id || ' of ' || b.run || ' belongs to no run' AS message, b.run, b.id
      FROM (SELECT DISTINCT run, id FROM blobs WHERE run LIKE 'run^_%' ESCAPE '^') b
      WHERE NOT EXISTS (${OPEN} = b.run) AND NOT EXISTS (${CLOSED} = b.run)`,
    fix: ["DELETE FROM blobs WHERE run = :run AND id = :id"],
    action: "removed",
  },
];

const OTHERS: readonly Damage[] = [
  {
    find: `SELECT 'closed run ' || id || ' has another number of entries than ' || seq AS message, id AS run
      FROM closed WHERE journal IS NOT NULL AND substr(journal, 1, 1) <> '-'
      AND instr(journal, char(30) || '-') = 0
      AND length(journal) - length(replace(journal, char(30), '')) <> seq`,
    fix: [],
    action: "left as it is: it has ended, and no code reads its journal again",
  },
  {
    find: `SELECT 'request ' || replace(scope, char(31), ' ') || ' is remembered for ever' AS message, scope
      FROM dedup WHERE expires_at > ${NOW_MS} + ${limits.DURATION_MS_MAX}`,
    fix: [
      `UPDATE dedup SET expires_at = ${NOW_MS} + ${limits.DEDUP_WINDOW_MS} WHERE scope = :scope`,
    ],
    action: "forgotten after the usual time",
  },
  {
    find: `SELECT 'marks of block ' || block || ' belong to no block of tasks' AS message, block
      FROM task_marks WHERE NOT EXISTS (SELECT 1 FROM task_blocks WHERE id = block)`,
    fix: ["DELETE FROM task_marks WHERE block = :block"],
    action: "removed",
  },
  {
    find: `SELECT 'task ' || id || ' has a number that was never given' AS message, id FROM task_aside
      WHERE id > (SELECT value FROM meta WHERE name = 'task_id')`,
    fix: ["UPDATE meta SET value = max(value, :id) WHERE name = 'task_id'"],
    action: "counted as given",
  },
  {
    find: `SELECT 'block ' || id || ' has tasks with numbers that were never given' AS message,
      id + count - 1 AS last FROM task_blocks
      WHERE id + count - 1 > (SELECT value FROM meta WHERE name = 'task_id')`,
    fix: ["UPDATE meta SET value = max(value, :last) WHERE name = 'task_id'"],
    action: "counted as given",
  },
  {
    find: `SELECT 'index row of event ' || k.seq || ' belongs to no event' AS message, k.key, k.seq
      FROM event_keys k WHERE NOT EXISTS (SELECT 1 FROM events WHERE seq = k.seq)`,
    fix: ["DELETE FROM event_keys WHERE key = :key AND seq = :seq"],
    action: "removed",
  },
];

/** All of them; earlier ones are mended first, and later ones see what they did. */
export const DAMAGES: readonly Damage[] = [...RUNS, ...COUNTERPARTS, ...OTHERS];

function orphans(table: string, what: string): readonly Damage[] {
  return [
    {
      find: `SELECT '${what} of ' || run || ' belong to no run' AS message, run
        FROM (SELECT DISTINCT run FROM ${table}) o
        WHERE NOT EXISTS (${OPEN} = o.run) AND NOT EXISTS (${CLOSED} = o.run)`,
      fix: [`DELETE FROM ${table} WHERE run = :run`],
      action: "removed",
    },
  ];
}
