import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { TaskQuery, TaskReads, TaskScope } from "@claw/core/ports";
import {
  type AsideTask,
  type ErrorRecord,
  type OpenBlock,
  queueCounts,
  recordOfAside,
  recordsOfBlock,
  type StoredTask,
  type TaskId,
  type TaskCount,
  taskNumberOf,
} from "@claw/core/protocol";

// A row as the database answers it: an alias, to which its rows can be cast.
type BlockLine = { [Field in keyof OpenBlock]: OpenBlock[Field] };
type TaskLine = { [Field in keyof TaskCount]: TaskCount[Field] };
type AsideLine = Omit<AsideTask, "error"> & { error: string | null };

/** The reading task verbs, which all answer at once. */
export type TaskReader = {
  [Verb in keyof TaskReads]: (
    ...given: Parameters<TaskReads[Verb]>
  ) => Awaited<ReturnType<TaskReads[Verb]>>;
};

const BLOCK = `SELECT id, namespace, queue, rank, name, count, added_at AS addedAt, inputs,
  coalesce(done, '') AS done FROM task_blocks LEFT JOIN task_marks ON block = id`;
const ASIDE = `SELECT id, namespace, queue, rank, name, status, attempt, due,
  added_at AS addedAt, input, output, progress, error FROM task_aside`;
const SCOPE = "namespace = ? AND queue = ?";
const FAILED_WITH = " AND ? IN (json_extract(error, '$.code'), json_extract(error, '$.name'))";
const KNOWN = "name IN (SELECT value FROM json_each(?))";

/** Prepares the reading task verbs on an open database. */
export function openTaskReader(db: DatabaseSync): TaskReader {
  const meta = db.prepare("SELECT name, value FROM meta WHERE name IN ('task_id', 'task_salt')");
  const queues = db.prepare(`
    SELECT DISTINCT queue FROM task_blocks WHERE namespace = ?1
    UNION SELECT DISTINCT queue FROM task_aside WHERE namespace = ?1 AND status = 'waiting'`);
  const backlog = db.prepare(`
    SELECT id FROM task_blocks WHERE ${SCOPE} AND ${KNOWN} ORDER BY rank, id LIMIT ?`);
  const block = db.prepare(`${BLOCK} WHERE id = ?`);
  const due = db.prepare(`
    ${ASIDE} WHERE ${SCOPE} AND status = 'waiting' AND ${KNOWN} AND due <= ?
    ORDER BY due LIMIT ?`);
  const nextDue = db.prepare(`
    SELECT due FROM task_aside WHERE ${SCOPE} AND status = 'waiting' AND ${KNOWN} AND due > ?
    ORDER BY due LIMIT 1`);
  // Tasks that have left their block are marked with "1".
  const counts = db.prepare(`
    SELECT queue, 'ready' AS status, min(added_at) AS oldest,
      sum(count - length(replace(coalesce(done, ''), '0', ''))) AS count
    FROM task_blocks LEFT JOIN task_marks ON block = id WHERE namespace = ?1 GROUP BY queue
    UNION ALL SELECT queue, status, min(added_at), count(*) FROM task_aside
    WHERE namespace = ?1 GROUP BY queue, status`);
  const place = ({ namespace, queue, names }: TaskScope): [string, string, string] => {
    return [namespace, queue, JSON.stringify(names)];
  };
  return {
    head: () => {
      const rows = meta.all() as { name: string; value: number }[];
      const of = (name: string): number => rows.find((row) => row.name === name)?.value ?? 0;
      return { lastId: of("task_id"), salt: of("task_salt") };
    },
    queues: (namespace) => queues.all(namespace).map((row) => String(row["queue"])),
    backlog: (scope, limit) => {
      return backlog.all(...place(scope), limit).map((row) => Number(row["id"]));
    },
    blocks: (ids) => ids.flatMap((id) => (block.get(id) as BlockLine | undefined) ?? []),
    due: (scope, nowMs, limit) => {
      return (due.all(...place(scope), nowMs, limit) as AsideLine[]).map(asideOf);
    },
    nextDue: (scope, afterMs) => {
      return (nextDue.get(...place(scope), afterMs) as { due: number } | undefined)?.due ?? null;
    },
    counts: (namespace) => queueCounts(counts.all(namespace) as TaskLine[]),
    list: (query) => listTasks(db, query),
    find: (id) => findTask(db, id),
  };
}

/** Standalone tasks that a query names, newest first. */
function listTasks(db: DatabaseSync, query: TaskQuery): StoredTask[] {
  const before =
    query.before === undefined ? Number.MAX_SAFE_INTEGER : (taskNumberOf(query.before) ?? 0);
  const conditions = ["id < ?"];
  const values: SQLInputValue[] = [before];
  for (const [column, value] of [
    ["namespace", query.namespace],
    ["queue", query.queue],
    ["name", query.task],
  ] as const) {
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  const found: StoredTask[] = [];
  const { status, error } = query;
  if (error === undefined && (status === undefined || status === "ready")) {
    // One block may begin before the page's end and have nothing left there, so there is one more.
    const text = `${BLOCK} WHERE ${conditions.join(" AND ")} ORDER BY id DESC LIMIT ?`;
    const rows = db.prepare(text).all(...values, query.limit + 1) as BlockLine[];
    found.push(...rows.flatMap(recordsOfBlock).filter(({ id }) => numberOf(id) < before));
  }
  if (status !== "ready") {
    const only =
      (status === undefined ? "" : " AND status = ?") + (error === undefined ? "" : FAILED_WITH);
    const text = `${ASIDE} WHERE ${conditions.join(" AND ")}${only} ORDER BY id DESC LIMIT ?`;
    const wanted = [...values];
    if (status !== undefined) wanted.push(status);
    if (error !== undefined) wanted.push(error);
    const rows = db.prepare(text).all(...wanted, query.limit) as AsideLine[];
    found.push(...rows.map((row) => recordOfAside(asideOf(row))));
  }
  return found.sort((a, b) => numberOf(b.id) - numberOf(a.id)).slice(0, query.limit);
}

function findTask(db: DatabaseSync, id: TaskId): StoredTask | null {
  const number = taskNumberOf(id);
  if (number === null) return null;
  const own = db.prepare(`${ASIDE} WHERE id = ?`).get(number) as AsideLine | undefined;
  if (own !== undefined) return recordOfAside(asideOf(own));
  const block = db.prepare(`${BLOCK} WHERE id <= ? ORDER BY id DESC LIMIT 1`).get(number);
  if (block === undefined) return null;
  return recordsOfBlock(block as BlockLine).find((record) => record.id === id) ?? null;
}

function numberOf(id: TaskId): number {
  return taskNumberOf(id) ?? 0;
}

function asideOf(line: AsideLine): AsideTask {
  const error = line.error === null ? null : (JSON.parse(line.error) as ErrorRecord);
  return { ...line, error };
}
