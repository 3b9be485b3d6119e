import { decodePayload, type Payload } from "./payload.ts";
import type { ErrorRecord } from "./errors.ts";

/** Public id of a standalone task: `task_` and its number in base 36; numbers are never given twice. */
export type TaskId = string;

/**
 * `ready`: waits for a slot, or runs · `waiting`: until its due time, for its first or next attempt ·
 * `dead`: given up after its last attempt · `completed`: its result is kept.
 */
export type TaskStatus = "ready" | "waiting" | "dead" | "completed";

/** What tells where a task waits and who does it. */
export interface TaskPlace {
  /** The one that it belongs to. */
  readonly namespace: string;
  /** Name of the queue. */
  readonly queue: string;
  /** The priority with its sign turned: the lowest rank is first. */
  readonly rank: number;
  /** Name of its definition. */
  readonly name: string;
}

/** Tasks of one place that were enqueued together and have consecutive numbers. */
export interface TaskBlock extends TaskPlace {
  /** Number of its first task. */
  readonly id: number;
  /** How many tasks it was enqueued with. */
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
  /** `joinInputs` of the payloads. */
  readonly inputs: string;
}

/** A block with what is left of it. */
export interface OpenBlock extends TaskBlock {
  /** "1" for each task that left the block, "0" for the others; "" when none has left. */
  readonly done: string;
}

/** A task with a row of its own: delayed, retried, dead or kept. */
export interface AsideTask extends TaskPlace {
  /** Its number. */
  readonly id: number;
  /** What it waits for, or how it ended. */
  readonly status: Exclude<TaskStatus, "ready">;
  /** The attempt to come, from 1; of one that ended, its last. */
  readonly attempt: number;
  /** When it is due, or may be forgotten when it is completed, milliseconds since 1970. */
  readonly due: number;
  /** When it was enqueued, milliseconds since 1970. */
  readonly addedAt: number;
  /** As it is stored. */
  readonly input: Payload;
  /** Of a completed one. */
  readonly output: Payload;
  /** The last heartbeat's, for the next attempt. */
  readonly progress: Payload;
  /** Of the last failed attempt. */
  readonly error: ErrorRecord | null;
}

/** A task as lists show it. */
export interface TaskRecord {
  /** "task_" and its number. */
  readonly id: TaskId;
  /** The one that it belongs to. */
  readonly namespace: string;
  /** Where it waits, or waited. */
  readonly queue: string;
  /** Name of its definition. */
  readonly task: string;
  /** -1000 to 1000; higher ones are first. */
  readonly priority: number;
  /** What it waits for, or how it ended. */
  readonly status: TaskStatus;
  /** The attempt to come or under way, from 1; of one that ended, its last. */
  readonly attempt: number;
  /** When the next attempt is due; null unless it waits for that. Milliseconds since 1970. */
  readonly due: number | null;
  /** Milliseconds since 1970. */
  readonly enqueuedAt: number;
  /** What it was enqueued with. */
  readonly input: unknown;
  /** Of a completed one; else undefined. */
  readonly output: unknown;
  /** Of the last failed attempt. */
  readonly error: ErrorRecord | null;
  /** True when a codec, a key or a blob is missing: input, output and the error's message are stand-ins. */
  readonly unreadable?: true;
}

/** A task as stores list it: its payloads are not decoded. */
export interface StoredTask extends Omit<TaskRecord, "input" | "output" | "unreadable"> {
  /** As it is stored. */
  readonly input: Payload;
  /** As it is stored; empty unless completed. */
  readonly output: Payload;
}

/** How many tasks a queue holds. Times are milliseconds since 1970. */
export interface QueueCounts {
  /** Name of the queue. */
  readonly queue: string;
  /** For a slot, or running. */
  readonly ready: number;
  /** For their due time. */
  readonly waiting: number;
  /** Dead letters. */
  readonly dead: number;
  /** Whose result is kept. */
  readonly completed: number;
  /** When the oldest ready or waiting task was enqueued; null when there is none. */
  readonly oldestOpen: number | null;
  /** When the oldest dead one was enqueued; null when there is none. */
  readonly oldestDead: number | null;
}

/** Counts of some tasks of a queue; `oldest` is when the first of them was enqueued. */
export interface TaskCount {
  /** Name of the queue. */
  readonly queue: string;
  /** Of all of them. */
  readonly status: TaskStatus;
  /** How many. */
  readonly count: number;
  /** When the first of them was enqueued, milliseconds since 1970. */
  readonly oldest: number;
}

/** Counts by queue, by name of the queue; queues without tasks are left out. */
export function queueCounts(parts: readonly TaskCount[]): QueueCounts[] {
  const queues = new Map<string, QueueCounts>();
  for (const { queue, status, count, oldest } of parts) {
    if (count === 0) continue;
    const so: QueueCounts = queues.get(queue) ?? {
      queue,
      ready: 0,
      waiting: 0,
      dead: 0,
      completed: 0,
      oldestOpen: null,
      oldestDead: null,
    };
    const isOpen = status === "ready" || status === "waiting";
    queues.set(queue, {
      ...so,
      [status]: so[status] + count,
      oldestOpen: isOpen ? earlier(so.oldestOpen, oldest) : so.oldestOpen,
      oldestDead: status === "dead" ? earlier(so.oldestDead, oldest) : so.oldestDead,
    });
  }
  return [...queues.values()].sort((a, b) => (a.queue < b.queue ? -1 : 1));
}

function earlier(one: number | null, other: number): number {
  return one === null ? other : Math.min(one, other);
}

const ID = /^task_[0-9a-z]{1,11}$/;

/** The public id of a number. */
export function taskIdOf(id: number): TaskId {
  return `task_${id.toString(36)}`;
}

/** The number in a public id, or null for text of another form. */
export function taskNumberOf(id: TaskId): number | null {
  if (!ID.test(id)) return null;
  const number = Number.parseInt(id.slice(5), 36);
  return Number.isSafeInteger(number) ? number : null;
}

/** A control character, which JSON never contains. */
const SEPARATOR = "\u001e";

/** Payloads as one text. */
export function joinInputs(inputs: readonly Payload[]): string {
  return inputs.join(SEPARATOR);
}

/** The payloads of `joinInputs`; a block has at least one. */
export function splitInputs(text: string): Payload[] {
  return text.split(SEPARATOR);
}

/** What is left of a block, as lists show it. */
export function recordsOfBlock(block: OpenBlock): StoredTask[] {
  return splitInputs(block.inputs).flatMap((input, at) => {
    if (block.done[at] === "1") return [];
    const task = { status: "ready", attempt: 1, due: 0, output: "", error: null } as const;
    return [toRecord({ ...block, ...task, id: block.id + at, input })];
  });
}

/** A task with a row of its own, as lists show it. */
export function recordOfAside(task: AsideTask): StoredTask {
  return toRecord(task);
}

/** A listed task with its values. Errors: CLAW-4011 for what must be decoded first. */
export function taskRecordOf(task: StoredTask): TaskRecord {
  return { ...task, input: decodePayload(task.input), output: decodePayload(task.output) };
}

function toRecord(
  task: Omit<AsideTask, "status" | "progress"> & { readonly status: TaskStatus },
): StoredTask {
  return {
    id: taskIdOf(task.id),
    namespace: task.namespace,
    queue: task.queue,
    task: task.name,
    priority: task.rank === 0 ? 0 : -task.rank,
    status: task.status,
    attempt: task.attempt,
    due: task.status === "waiting" ? task.due : null,
    enqueuedAt: task.addedAt,
    input: task.input,
    output: task.output,
    error: task.error,
  };
}
