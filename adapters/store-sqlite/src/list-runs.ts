import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { RunQuery } from "@claw/core/ports";
import {
  type Attributes,
  describeError,
  type ErrorRecord,
  type Hold,
  type KeyName,
  type KeyRecord,
  type RunId,
  type RunRecord,
  type RunStatus,
  type RunSummary,
} from "@claw/core/protocol";
import { HAS_ATTRIBUTE, openAttributeReader } from "./attributes.ts";
import { openGenerationReader } from "./renew-run.ts";
import { openKeyLister } from "./read-keys.ts";
import { openTraceReader } from "./traces.ts";
import { decodeJournal, openJournalReader, type TailOf } from "./read-runs.ts";

/** What people and consoles ask about runs. */
export interface RunLister {
  list(query: RunQuery): readonly RunSummary[];
  find(id: RunId): RunRecord | null;
  key(name: KeyName, limit: number): KeyRecord | null;
}

// One line of either table: what a run of the other kind has not is null or empty.
type Line = {
  id: string;
  namespace: string;
  workflow: string;
  version: number;
  started_at: number;
  parent_run: string;
  cause: string;
  status: string;
  ended_at: number | null;
  error: string | null;
  held_reason: string;
};

type Details = Line & {
  parent_call: string;
  due: number | null;
  input: string;
  output: string;
  abandoned: string | null;
  journal: string | null;
  /** Null for a closed run. */
  settled: number | null;
};

// 0: a process holds it; 1: due at once.
const OPEN_STATUS = `CASE WHEN held <> '' THEN held WHEN phase <> '' THEN phase
    WHEN due <= 1 THEN 'running' ELSE 'waiting' END`;
const SHARED = "id, namespace, workflow, version, started_at, parent_run, cause";
const OPEN_LINE = `${SHARED}, ${OPEN_STATUS} AS status, NULL AS ended_at, NULL AS error, held_reason`;
const CLOSED_LINE = `${SHARED}, status, ended_at, error, '' AS held_reason`;

// What looks redundant here is what lets SQLite take the partial index of that condition.
const OPEN_FILTERS: Readonly<Record<string, string>> = {
  running: "held = '' AND phase = '' AND due <= 1",
  waiting: "held = '' AND phase = '' AND (due IS NULL OR due > 1)",
  compensating: "held = '' AND phase = 'compensating'",
  diverged: "held = 'diverged' AND held <> ''",
  bug: "held = 'bug' AND held <> ''",
  stuck: "held = 'stuck' AND held <> ''",
  no_code: "held = 'no_code' AND held <> ''",
  paused: "held = 'paused' AND held <> ''",
  quarantined: "held = 'quarantined' AND held <> ''",
  unreadable: "held = 'unreadable' AND held <> ''",
  queued: "held = 'queued' AND held <> ''",
};

const CLOSED_FILTERS: Readonly<Record<string, string>> = {
  completed: "status = 'completed'",
  failed: "status = 'failed' AND status <> 'completed'",
  cancelled: "status = 'cancelled' AND status <> 'completed'",
  compensated: "status = 'compensated' AND status <> 'completed'",
  terminated: "status = 'terminated' AND status <> 'completed'",
};

/** The verbs for people on an open database. */
export function openRunLister(db: DatabaseSync, tailOf: TailOf): RunLister {
  const open = db.prepare(`
    SELECT ${OPEN_LINE}, parent_call, due, input, '' AS output, NULL AS abandoned,
      NULL AS journal, seq AS settled
    FROM runs WHERE id = ?`);
  const closed = db.prepare(`
    SELECT ${CLOSED_LINE}, parent_call, NULL AS due, input, output, abandoned,
      journal, NULL AS settled
    FROM closed WHERE id = ?`);
  const journalOf = openJournalReader(db, tailOf);
  const attributesOf = openAttributeReader(db);
  const generationsOf = openGenerationReader(db);
  const keys = openKeyLister(db);
  const rareOf = openRareReader(db, keys);

  function select(table: "runs" | "closed", query: RunQuery, filter: string): Line[] {
    const where = [filter];
    const values: SQLInputValue[] = [];
    const restrict = (condition: string, value: SQLInputValue | undefined): void => {
      if (value === undefined) return;
      where.push(condition);
      values.push(value);
    };
    restrict("namespace = ?", query.namespace);
    restrict("workflow = ?", query.workflow);
    restrict("started_at >= ?", query.since);
    restrict("id < ?", query.before);
    for (const [name, value] of Object.entries(query.attributes ?? {})) {
      where.push(HAS_ATTRIBUTE);
      values.push(name, String(value));
    }
    const line = table === "runs" ? OPEN_LINE : CLOSED_LINE;
    return db
      .prepare(`SELECT ${line} FROM ${table} WHERE ${where.join(" AND ")} ORDER BY id DESC LIMIT ?`)
      .all(...values, query.limit) as Line[];
  }

  return {
    key: (name, limit) => keys.find(name, limit),
    list: (query) => {
      const { status } = query;
      const openFilter = status === undefined ? "TRUE" : OPEN_FILTERS[status];
      const closedFilter = status === undefined ? "TRUE" : CLOSED_FILTERS[status];
      const lines = [
        ...(openFilter === undefined ? [] : select("runs", query, openFilter)),
        ...(closedFilter === undefined ? [] : select("closed", query, closedFilter)),
      ].sort((a, b) => (a.id < b.id ? 1 : -1));
      return lines.slice(0, query.limit).map((line) => summaryOf(line, attributesOf(line.id)));
    },
    find: (id) => {
      const row = (open.get(id) ?? closed.get(id)) as Details | undefined;
      if (row === undefined) return null;
      return {
        ...summaryOf(row, attributesOf(id)),
        input: row.input,
        output: row.output,
        error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
        abandoned: row.abandoned === null ? [] : (JSON.parse(row.abandoned) as string[]),
        due: row.due,
        journal: decodeJournal(id, row.journal ?? journalOf(id, row.settled), row.started_at),
        ...generationsOf(id, row.started_at),
        parentCall: row.parent_call,
        ...rareOf(id),
      };
    },
  };
}

// What few runs have.
function openRareReader(
  db: DatabaseSync,
  keys: ReturnType<typeof openKeyLister>,
): (id: RunId) => Pick<RunRecord, "queue" | "trace"> {
  const traceOf = openTraceReader(db);
  return (id) => {
    const queue = keys.lineOf(id);
    return { ...(queue === undefined ? {} : { queue }), ...traceOf(id) };
  };
}

function summaryOf(line: Line, attributes: Attributes): RunSummary {
  return {
    id: line.id,
    namespace: line.namespace,
    workflow: line.workflow,
    version: line.version,
    status: line.status as RunStatus | Hold,
    startedAt: line.started_at,
    endedAt: line.ended_at,
    parentRun: line.parent_run,
    cause: line.cause,
    reason:
      line.error === null ? line.held_reason : describeError(JSON.parse(line.error) as ErrorRecord),
    attributes,
  };
}
