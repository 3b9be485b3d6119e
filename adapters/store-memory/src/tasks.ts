import type { ItemAnswer, TaskItem, TaskQuery, TaskReads, TaskScope } from "@claw/core/ports";
import {
  type AsideTask,
  queueCounts,
  recordOfAside,
  recordsOfBlock,
  type StoredTask,
  taskIdOf,
  taskNumberOf,
  type TaskPlace,
} from "@claw/core/protocol";
import type { BatchWork } from "./batch-work.ts";
import { dropBlobs } from "./blobs.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { TaskClaims } from "./task-claims.ts";

/** There is one disk for each of these in a process, so that keys need nothing that is drawn. */
const SALT = 1;

/** Applies a part of a batch that concerns standalone tasks, apart from its idempotency key. */
export function applyTaskItem(
  disk: MemoryDisk,
  item: TaskItem,
  { nowMs, holder }: Pick<BatchWork, "nowMs" | "holder">,
): ItemAnswer {
  if (item.type === "enqueue") {
    for (const block of item.blocks) {
      if (disk.taskBlocks.has(keyOf(block.id))) throw new Error(`block ${block.id} is known`);
      disk.taskBlocks.set(keyOf(block.id), { ...block });
      if (holder !== null && item.held === true) disk.taskOwners.set(keyOf(block.id), holder);
    }
    if (item.held !== true && item.blocks.length > 0) disk.nodes.hintAll();
    for (const task of item.aside) writeAside(disk, task);
    const last = Math.max(disk.taskHead.get("last") ?? 0, item.lastId);
    disk.taskHead.set("last", last);
  } else if (item.type === "tasks") {
    for (const id of item.blocksGone) {
      disk.taskBlocks.delete(keyOf(id));
      disk.taskOwners.delete(keyOf(id));
      disk.taskMarks.delete(keyOf(id));
    }
    for (const { block, done } of item.marks) disk.taskMarks.set(keyOf(block), done);
    for (const id of item.asideGone) {
      disk.taskAside.delete(keyOf(id));
      disk.taskOwners.delete(asideKey(id));
    }
    for (const task of item.aside) writeAside(disk, task);
    for (const id of item.blobsGone ?? []) dropBlobs(disk, id);
  } else {
    const task = disk.taskAside.get(keyOf(item.id));
    if (task?.status !== "dead" || task.namespace !== item.namespace) {
      return { status: "refused", why: "unknown", detail: taskIdOf(item.id) };
    }
    writeAside(disk, { ...task, status: "waiting", attempt: 1, due: nowMs, error: null });
  }
  return { status: "applied", parked: false };
}

/**
 * The reading task verbs on a disk; `use` carries them out. `claimant` is the incarnation that holds what it reads, null
 * for a process that is alone.
 */
export function taskReads(
  disk: MemoryDisk,
  use: <T>(verb: () => T) => T | Promise<T>,
  claimant: () => number | null,
): TaskReads {
  const claims = new TaskClaims(disk, claimant);
  const waiting = (scope: TaskScope): AsideTask[] =>
    [...disk.taskAside.values()]
      .filter((task) => task.status === "waiting" && isWithin(task, scope))
      .filter(({ id }) => claims.isFree(asideKey(id)))
      .sort((a, b) => a.due - b.due);
  return {
    head: () => use(() => ({ lastId: claims.drawNumbers(), salt: SALT })),
    queues: (namespace) =>
      use(() => {
        const open = [...disk.taskAside.values()].filter(({ status }) => status === "waiting");
        const all = [...disk.taskBlocks.values(), ...open];
        const own = all.filter((task) => task.namespace === namespace);
        return [...new Set(own.map(({ queue }) => queue))].sort();
      }),
    backlog: (scope, limit) =>
      use(() =>
        [...disk.taskBlocks.values()]
          .filter((block) => isWithin(block, scope) && claims.isFree(keyOf(block.id)))
          .sort((a, b) => a.rank - b.rank || claims.sooner(a, b) || a.id - b.id)
          .slice(0, limit)
          .map(({ id }) => id),
      ),
    blocks: (ids) =>
      use(() => {
        const free = ids.filter((id) => disk.taskBlocks.has(keyOf(id)) && claims.isFree(keyOf(id)));
        claims.claim(free.map(keyOf));
        return free.flatMap((id) => {
          const block = disk.taskBlocks.get(keyOf(id));
          const done = disk.taskMarks.get(keyOf(id)) ?? "";
          return block === undefined ? [] : [{ ...block, done }];
        });
      }),
    due: (scope, nowMs, limit) =>
      use(() => {
        const due = waiting(scope).filter((task) => task.due <= nowMs);
        const first = due.slice(0, limit);
        claims.claim(first.map(({ id }) => asideKey(id)));
        return first;
      }),
    nextDue: (scope, afterMs) =>
      use(() => waiting(scope).find(({ due }) => due > afterMs)?.due ?? null),
    counts: (namespace) =>
      use(() =>
        queueCounts(
          everyTask(disk)
            .filter((task) => task.namespace === namespace)
            .map(({ queue, status, enqueuedAt }) => {
              return { queue, status, count: 1, oldest: enqueuedAt };
            }),
        ),
      ),
    list: (query) => use(() => listTasks(disk, query)),
    find: (id) => use(() => everyTask(disk).find((task) => task.id === id) ?? null),
  };
}

/** Forgets kept tasks whose time is over. */
export function expireTasks(disk: MemoryDisk, nowMs: number): void {
  for (const { id, status, due } of disk.taskAside.values()) {
    if (status !== "completed" || due >= nowMs) continue;
    disk.taskAside.delete(keyOf(id));
    dropBlobs(disk, taskIdOf(id));
  }
}

function writeAside(disk: MemoryDisk, task: AsideTask): void {
  disk.taskAside.set(keyOf(task.id), { ...task });
  // Whoever has a slot when it is due takes it.
  disk.taskOwners.delete(asideKey(task.id));
}

function listTasks(disk: MemoryDisk, query: TaskQuery): StoredTask[] {
  const { namespace, queue, task, status, error, limit } = query;
  const before =
    query.before === undefined ? Number.MAX_SAFE_INTEGER : (taskNumberOf(query.before) ?? 0);
  return everyTask(disk)
    .filter(
      (one) =>
        (taskNumberOf(one.id) ?? 0) < before &&
        (namespace === undefined || one.namespace === namespace) &&
        (queue === undefined || one.queue === queue) &&
        (task === undefined || one.task === task) &&
        (status === undefined || one.status === status) &&
        (error === undefined || one.error?.code === error || one.error?.name === error),
    )
    .sort((a, b) => (taskNumberOf(b.id) ?? 0) - (taskNumberOf(a.id) ?? 0))
    .slice(0, limit);
}

function everyTask(disk: MemoryDisk): StoredTask[] {
  const blocks = [...disk.taskBlocks.values()].map((block) => ({
    ...block,
    done: disk.taskMarks.get(keyOf(block.id)) ?? "",
  }));
  return [...blocks.flatMap(recordsOfBlock), ...[...disk.taskAside.values()].map(recordOfAside)];
}

function isWithin(task: TaskPlace, { namespace, queue, names }: TaskScope): boolean {
  return task.namespace === namespace && task.queue === queue && names.includes(task.name);
}

function asideKey(id: number): string {
  return `aside ${id}`;
}

// Padded, so that the order of keys is the order of numbers.
function keyOf(id: number): string {
  return String(id).padStart(16, "0");
}
