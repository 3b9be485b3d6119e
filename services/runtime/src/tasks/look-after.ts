import type { ItemAnswer, TaskQuery } from "@claw/core/ports";
import {
  ClawError,
  limits,
  type QueueCounts,
  type StoredTask,
  type TaskId,
  taskNumberOf,
  type TaskRecord,
} from "@claw/core/protocol";
import type { DeadLetterQuery, RedriveReport } from "../claw.ts";
import type { Node } from "../node.ts";
import { openTask } from "../payloads/seal-tasks.ts";

const LIST_LIMIT = 50;
/** Dead letters that are redriven in one commit. */
const REDRIVE_PAGE = 500;

/** Standalone tasks of this namespace, newest first. */
export async function listTasks(
  node: Node,
  query: Partial<TaskQuery>,
): Promise<readonly TaskRecord[]> {
  const stored = await listStored(node, query);
  return Promise.all(stored.map(async (task) => openTask(node.sealer, task)));
}

async function listStored(node: Node, query: Partial<TaskQuery>): Promise<readonly StoredTask[]> {
  node.mustBeAvailable();
  return node.store.tasks.list({ limit: LIST_LIMIT, ...query, namespace: node.namespace });
}

/** One standalone task of this namespace. */
export async function findTask(node: Node, id: TaskId): Promise<TaskRecord | null> {
  const task = await findStored(node, id);
  return task === null ? null : openTask(node.sealer, task);
}

async function findStored(node: Node, id: TaskId): Promise<StoredTask | null> {
  node.mustBeAvailable();
  const task = await node.store.tasks.find(id);
  return task?.namespace === node.namespace ? task : null;
}

/** How many tasks the queues of this namespace hold. */
export async function countQueues(node: Node): Promise<readonly QueueCounts[]> {
  node.mustBeAvailable();
  return node.store.tasks.counts(node.namespace);
}

/** Gives all dead tasks of a query their attempts again, or only tells which. */
export async function redriveAll(
  node: Node,
  { limit = limits.REDRIVE_MAX, ...filter }: DeadLetterQuery,
  dryRun: boolean,
): Promise<RedriveReport> {
  const ids: TaskId[] = [];
  let count = 0;
  let before = filter.before;
  while (count < limit) {
    const rows = Math.min(REDRIVE_PAGE, limit - count);
    const from = before === undefined ? {} : { before };
    const page = await listStored(node, { ...filter, ...from, status: "dead", limit: rows });
    // Asked for together, so that one commit carries them. Who was redriven meanwhile does not count.
    const redriven = dryRun ? page : await redrivenOf(node, page);
    count += redriven.length;
    for (const { id } of redriven) if (ids.length < limits.REDRIVE_IDS_SHOWN) ids.push(id);
    before = page.at(-1)?.id;
    // What dies again meanwhile keeps its number, which is not below the page's: this ends.
    if (page.length < rows) break;
  }
  return { dryRun, count, ids };
}

async function redrivenOf(node: Node, page: readonly StoredTask[]): Promise<StoredTask[]> {
  const done = await Promise.all(page.map((task) => askToRedrive(node, task)));
  return page.filter((_, at) => done[at] === true);
}

/** Gives a dead task its attempts again. Errors: CLAW-3015. */
export async function redrive(node: Node, id: TaskId): Promise<void> {
  const task = await findStored(node, id);
  if (task === null || !(await askToRedrive(node, task))) throw notDead(id);
}

async function askToRedrive(node: Node, { id, queue }: StoredTask): Promise<boolean> {
  node.mustBeAvailable();
  const number = taskNumberOf(id);
  if (number === null) return false;
  const answer = await new Promise<ItemAnswer>((answered, lost) => {
    const item = { type: "redrive", namespace: node.namespace, id: number } as const;
    node.committer.request({ item, answered, lost });
    node.loop.schedule();
  });
  if (answer.status !== "applied") return false;
  node.tasks.queue(queue).expect(node.clock.now());
  return true;
}

function notDead(id: TaskId): ClawError {
  return new ClawError("CLAW-3015", `${id} is not among the dead letters`);
}
