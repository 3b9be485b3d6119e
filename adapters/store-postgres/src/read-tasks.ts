import type { TaskQuery, TaskReads, TaskScope } from "@claw/core/ports";
import {
  type AsideTask,
  type ErrorRecord,
  type OpenBlock,
  queueCounts,
  recordOfAside,
  recordsOfBlock,
  type StoredTask,
  type TaskCount,
  type TaskId,
  taskNumberOf,
} from "@claw/core/protocol";
import type { Reads } from "./reads.ts";

type AsideLine = Omit<AsideTask, "error"> & { readonly error: string | null };

const BLOCK = `SELECT id, namespace, queue, rank, name, count, added_at AS "addedAt", inputs,
  coalesce(done, '') AS done FROM claw.task_blocks LEFT JOIN claw.task_marks ON block = id`;
const ASIDE = `SELECT id, namespace, queue, rank, name, status, attempt, due,
  added_at AS "addedAt", input, output, progress, error FROM claw.task_aside`;
const SCOPE = "namespace = $1 AND queue = $2 AND name = ANY ($3)";

/** The reading task verbs, which all answer later. */
export type TaskReader = {
  [Verb in keyof TaskReads]: (
    ...given: Parameters<TaskReads[Verb]>
  ) => Promise<Awaited<ReturnType<TaskReads[Verb]>>>;
};

/** The reading task verbs on a connection; `own` is the incarnation that claims what it reads, null for one that is alone. */
export function taskReader(reads: Reads, own: number | null = null): TaskReader {
  const place = ({ namespace, queue, names }: TaskScope): unknown[] => [namespace, queue, names];
  return {
    head: () => headOf(reads, own),
    queues: async (namespace) => {
      const rows = await reads.all<{ queue: string }>(
        `SELECT queue FROM claw.task_blocks WHERE namespace = $1
         UNION SELECT queue FROM claw.task_aside WHERE namespace = $1 AND status = 'waiting'
         ORDER BY 1`,
        [namespace],
      );
      return rows.map(({ queue }) => queue);
    },
    backlog: async (scope, limit) => {
      const rows = await reads.all<{ id: number }>(
        `SELECT id FROM claw.task_blocks WHERE ${SCOPE} AND coalesce(owner = $5, true)
         ORDER BY rank, added_at, id LIMIT $4`,
        [...place(scope), limit, own ?? 0],
      );
      return rows.map(({ id }) => id);
    },
    blocks: async (ids) => {
      return reads.all<OpenBlock>(`${BLOCK} WHERE id = ANY ($1)`, [await claimed(reads, own, ids)]);
    },
    due: async (scope, nowMs, limit) => {
      if (own !== null) return claimDue(reads, own, [...place(scope), nowMs, limit]);
      const rows = await reads.all<AsideLine>(
        `${ASIDE} WHERE ${SCOPE} AND status = 'waiting' AND due <= $4 ORDER BY due, id LIMIT $5`,
        [...place(scope), nowMs, limit],
      );
      return rows.map(asideOf);
    },
    nextDue: async (scope, afterMs) => {
      const [row] = await reads.all<{ due: number }>(
        `SELECT due FROM claw.task_aside WHERE ${SCOPE} AND status = 'waiting' AND due > $4
           AND coalesce(owner = $5, true)
         ORDER BY due LIMIT 1`,
        [...place(scope), afterMs, own ?? 0],
      );
      return row?.due ?? null;
    },
    counts: async (namespace) => {
      // Tasks that have left their block are marked with "1".
      const rows = await reads.all<TaskCount>(
        `SELECT queue, 'ready' AS status, min(added_at) AS oldest,
           sum(count - length(replace(coalesce(done, ''), '0', '')))::bigint AS count
         FROM claw.task_blocks LEFT JOIN claw.task_marks ON block = id WHERE namespace = $1
         GROUP BY queue
         UNION ALL SELECT queue, status, min(added_at), count(*) FROM claw.task_aside
         WHERE namespace = $1 GROUP BY queue, status`,
        [namespace],
      );
      return queueCounts(rows);
    },
    list: (query) => listTasks(reads, query),
    find: (id) => findTask(reads, id),
  };
}

async function headOf(reads: Reads, own: number | null): Promise<{ lastId: number; salt: number }> {
  const [drawn] =
    own === null ? [] : await reads.all<{ first: number }>("SELECT claw.task_numbers() AS first");
  const rows = await reads.all<{ name: string; value: number }>(
    "SELECT name, value FROM claw.meta WHERE name IN ('task_id', 'task_salt')",
  );
  const of = (name: string): number => rows.find((row) => row.name === name)?.value ?? 0;
  return { lastId: drawn?.first ?? of("task_id"), salt: of("task_salt") };
}

async function claimed(
  reads: Reads,
  own: number | null,
  ids: readonly number[],
): Promise<readonly number[]> {
  if (own === null) return ids;
  const text = "SELECT claw.claim_blocks($1, $2) AS id";
  const rows = await reads.all<{ id: number }>(text, [own, ids]);
  return rows.map(({ id }) => id);
}

async function claimDue(
  reads: Reads,
  own: number,
  asked: readonly unknown[],
): Promise<AsideTask[]> {
  const rows = await reads.all<AsideLine>(
    `${ASIDE} WHERE id IN (SELECT claw.claim_due($1, $2, $3, $4, $5, $6)) ORDER BY due, id`,
    [own, ...asked],
  );
  return rows.map(asideOf);
}

/** Standalone tasks that a query names, newest first. */
async function listTasks(reads: Reads, query: TaskQuery): Promise<StoredTask[]> {
  const before =
    query.before === undefined ? Number.MAX_SAFE_INTEGER : (taskNumberOf(query.before) ?? 0);
  const { status, limit, error } = query;
  const only = [before, query.namespace ?? null, query.queue ?? null, query.task ?? null];
  const where = `id < $1 AND namespace = coalesce($2, namespace) AND queue = coalesce($3, queue)
    AND name = coalesce($4, name)`;
  const found: StoredTask[] = [];
  if (error === undefined && (status === undefined || status === "ready")) {
    // One block may begin before the page's end and have nothing left there, so there is one more.
    const rows = await reads.all<OpenBlock>(`${BLOCK} WHERE ${where} ORDER BY id DESC LIMIT $5`, [
      ...only,
      limit + 1,
    ]);
    found.push(...rows.flatMap(recordsOfBlock).filter(({ id }) => numberOf(id) < before));
  }
  if (status !== "ready") {
    const rows = await reads.all<AsideLine>(
      `${ASIDE} WHERE ${where} AND status = coalesce($5, status)
         AND ($6::text IS NULL OR $6 IN (error::json->>'code', error::json->>'name'))
       ORDER BY id DESC LIMIT $7`,
      [...only, status ?? null, error ?? null, limit],
    );
    found.push(...rows.map((row) => recordOfAside(asideOf(row))));
  }
  return found.sort((a, b) => numberOf(b.id) - numberOf(a.id)).slice(0, limit);
}

async function findTask(reads: Reads, id: TaskId): Promise<StoredTask | null> {
  const number = taskNumberOf(id);
  if (number === null) return null;
  const [own] = await reads.all<AsideLine>(`${ASIDE} WHERE id = $1`, [number]);
  if (own !== undefined) return recordOfAside(asideOf(own));
  const [block] = await reads.all<OpenBlock>(`${BLOCK} WHERE id <= $1 ORDER BY id DESC LIMIT 1`, [
    number,
  ]);
  if (block === undefined) return null;
  return recordsOfBlock(block).find((record) => record.id === id) ?? null;
}

function numberOf(id: TaskId): number {
  return taskNumberOf(id) ?? 0;
}

function asideOf(line: AsideLine): AsideTask {
  const error = line.error === null ? null : (JSON.parse(line.error) as ErrorRecord);
  return { ...line, error };
}
