import type { ItemAnswer, TaskQuery } from "@claw/core/ports";
import { ClawError, type TaskId, taskNumberOf, type TaskRecord } from "@claw/core/protocol";
import type { Node } from "../node.ts";

const LIST_LIMIT = 50;

/** Standalone tasks of this namespace, newest first. */
export async function listTasks(
  node: Node,
  query: Partial<TaskQuery>,
): Promise<readonly TaskRecord[]> {
  node.mustBeAvailable();
  return node.store.tasks.list({ limit: LIST_LIMIT, ...query, namespace: node.namespace });
}

/** One standalone task of this namespace. */
export async function findTask(node: Node, id: TaskId): Promise<TaskRecord | null> {
  node.mustBeAvailable();
  const task = await node.store.tasks.find(id);
  return task?.namespace === node.namespace ? task : null;
}

/** Gives a dead task its attempts again. Errors: CLAW-3015. */
export async function redrive(node: Node, id: TaskId): Promise<void> {
  const task = await findTask(node, id);
  node.mustBeAvailable();
  const number = taskNumberOf(id);
  if (task === null || number === null) throw notDead(id);
  const answer = await new Promise<ItemAnswer>((answered, lost) => {
    const item = { type: "redrive", namespace: node.namespace, id: number } as const;
    node.committer.request({ item, answered, lost });
    node.loop.schedule();
  });
  if (answer.status !== "applied") throw notDead(id);
  node.tasks.queue(task.queue).expect(node.clock.now());
}

function notDead(id: TaskId): ClawError {
  return new ClawError("CLAW-3015", `${id} is not among the dead letters`);
}
