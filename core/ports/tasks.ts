import type {
  AsideTask,
  OpenBlock,
  QueueCounts,
  StoredTask,
  TaskBlock,
  TaskId,
  TaskStatus,
} from "../protocol/index.ts";
import type { Dedup, MaybePromise } from "./store.ts";

/**
 * New tasks: all of them are written, or none. Their numbers are given by the caller, greater than
 * every number given before. With `dedup` it is one task, and a duplicate answers the id of the first.
 */
export interface Enqueue {
  readonly type: "enqueue";
  /** Tasks that are ready at once. */
  readonly blocks: readonly TaskBlock[];
  /** Delayed ones. */
  readonly aside: readonly AsideTask[];
  /** The greatest number among them. */
  readonly lastId: number;
  /** Null for none. */
  readonly dedup: Dedup | null;
  /** Of a store that nodes share: this incarnation takes the blocks in hand at once. Default: they are anybody's. */
  readonly held?: true;
}

/** What became of attempts. Everything is absolute, so applying it again changes nothing. */
export interface TaskProgress {
  readonly type: "tasks";
  /** Blocks of which nothing is left. */
  readonly blocksGone: readonly number[];
  /** What is left of other blocks. */
  readonly marks: readonly { readonly block: number; readonly done: string }[];
  /** Tasks with a row of their own that are done and not kept. */
  readonly asideGone: readonly number[];
  /** Tasks of which nothing is left and whose blobs go with them. Default: none. */
  readonly blobsGone?: readonly TaskId[];
  /** Rows to write, or to write over: retried, dead and kept tasks. */
  readonly aside: readonly AsideTask[];
}

/** Gives a dead task its attempts again, due at once. Refused ("unknown") when none is dead under this number. */
export interface Redrive {
  readonly type: "redrive";
  /** A task of another one is unknown. */
  readonly namespace: string;
  /** Number of the task. */
  readonly id: number;
}

/** A part of a batch that concerns standalone tasks. */
export type TaskItem = Enqueue | TaskProgress | Redrive;

/** Which tasks to list; newest first. */
export interface TaskQuery {
  /** Default: all. */
  readonly namespace?: string;
  /** Default: all. */
  readonly queue?: string;
  /** Name of the definition. */
  readonly task?: string;
  /** Default: all. */
  readonly status?: TaskStatus;
  /** Code or name of the last failed attempt's error. */
  readonly error?: string;
  /** Only older ones than this: the last id of the page before. */
  readonly before?: TaskId;
  /** Rows at most. */
  readonly limit: number;
}

/** One queue, as far as there is code for its tasks. */
export interface TaskScope {
  /** Tasks of others are left alone. */
  readonly namespace: string;
  /** Name of the queue. */
  readonly queue: string;
  /** Names of definitions. */
  readonly names: readonly string[];
}

/**
 * Reading standalone tasks. Taking one writes nothing: the one owner of the store knows what it has taken,
 * and what an ended owner had taken is found again because it was never marked.
 *
 * On a store that nodes share, what is read to be worked on is claimed with it, whole blocks and tasks with a row of their
 * own: `blocks` and `due` leave out what other incarnations hold and hold the rest for this one, until it is settled,
 * written over or the incarnation ends; `backlog` and `nextDue` leave out what others hold.
 */
export interface TaskReads {
  /**
   * The greatest number ever given, and a random number of this store that makes keys unique. On a store that nodes share
   * each call answers a number after which 2^32 are for the caller alone: numbers rise in the order of time for each
   * incarnation, and tasks of one rank are in the order of `addedAt`.
   */
  head(): MaybePromise<{ readonly lastId: number; readonly salt: number }>;
  /** Names of queues that have ready or waiting tasks. */
  queues(namespace: string): MaybePromise<readonly string[]>;
  /** Numbers of the first blocks of a queue: lowest rank first, then oldest. */
  backlog(scope: TaskScope, limit: number): MaybePromise<readonly number[]>;
  /** These blocks, in any order; unknown ones are left out. */
  blocks(ids: readonly number[]): MaybePromise<readonly OpenBlock[]>;
  /** Waiting tasks of a queue that are due at `nowMs`, the most overdue first. */
  due(scope: TaskScope, nowMs: number, limit: number): MaybePromise<readonly AsideTask[]>;
  /** The earliest due time after `afterMs` among waiting tasks of a queue, or null. */
  nextDue(scope: TaskScope, afterMs: number): MaybePromise<number | null>;
  /** How many tasks each queue of a namespace holds, by name of the queue. For people: may walk all tasks. */
  counts(namespace: string): MaybePromise<readonly QueueCounts[]>;
  /** Tasks that a query names, newest first. */
  list(query: TaskQuery): MaybePromise<readonly StoredTask[]>;
  /** Null when it is unknown, or has ended and was not kept. */
  find(id: TaskId): MaybePromise<StoredTask | null>;
}
