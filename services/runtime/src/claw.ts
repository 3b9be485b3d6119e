import type {
  ClosedStatus,
  Decision,
  OpenApproval,
  QueueCounts,
  Duration,
  EntryKindName,
  RunId,
  RunRecord,
  RunSummary,
  Stored,
  TaskId,
  TaskRecord,
} from "@claw/core/protocol";
import type { NodeRecord, RunQuery, StoreInfo, TaskQuery } from "@claw/core/ports";
import type { AnyWorkflow, Task, Workflow } from "@claw/sdk";
import type { ExportSelection, MoveProgress } from "./moves/export-runs.ts";
import type { ExportBytes, ImportOptions, ImportReport } from "./moves/import-runs.ts";
import type { Retention } from "./runtime-options.ts";
import type { EnqueuedTask, EnqueueOptions } from "./tasks/enqueue.ts";

/** What a sweep removed, or would remove. */
export interface RetentionReport {
  /** True when nothing was removed. */
  readonly dryRun: boolean;
  /** The rules that held. */
  readonly keep: Retention;
  /** Closed runs by status. */
  readonly runs: Readonly<Partial<Record<ClosedStatus, number>>>;
  /** How many. */
  readonly events: number;
}

/** Which dead letters; all of them unless said. */
export type DeadLetterQuery = Partial<Omit<TaskQuery, "status" | "namespace">>;

/** What a redrive of many gave another try, or would. */
export interface RedriveReport {
  /** True when nothing was redriven. */
  readonly dryRun: boolean;
  /** How many, of which `ids` may be a part. */
  readonly count: number;
  /** The newest of them, at most 1,000. */
  readonly ids: readonly TaskId[];
}

/** Options of a start. */
export interface StartOptions {
  /** The same key, workflow and input give the same run. Another input: CLAW-3003. */
  readonly idempotencyKey?: string;
  /**
   * The caller's place in a trace, as W3C Trace Context writes it; what is malformed is ignored. Default: a trace of the
   * run's own.
   */
  readonly traceparent?: string;
  /** `tracestate`, handed on as it came. Ignored without `traceparent`. */
  readonly tracestate?: string;
}

/** Which open approvals to list. */
export interface ApprovalsQuery {
  /** Default: all runs of the namespace. */
  readonly run?: RunId;
  /** Only those that this person may decide. */
  readonly assignee?: string;
  /** Rows at most. Default 1,000. */
  readonly limit?: number;
}

/** Options of an update of a client. */
export interface UpdateRequest {
  /** Makes its repetition harmless, 1 to 200 characters. Default: a new one. */
  readonly id?: string;
  /** Longest wait for the answer; the update goes on. Default: no limit. */
  readonly timeout?: Duration;
}

/** What became of a published event. */
export interface PublishResult {
  /** `duplicate`: an event with this source and id is known; nothing happened. */
  readonly status: "accepted" | "duplicate";
  /** Runs that its triggers started. */
  readonly started: readonly RunId[];
  /** Triggers that started nothing: the event does not match their schema, or the mailbox of the key is full. */
  readonly refused: readonly { readonly workflow: string; readonly reason: string }[];
}

/** An event to publish; see CloudEvents 1.0. */
export interface EventInput {
  /** Such as "com.shop.order.opened". */
  readonly type: string;
  /** Default: `/claw/NAMESPACE`. */
  readonly source?: string;
  /** Unique per source; the second event of an id is a duplicate. Default: a new one. */
  readonly id?: string;
  /** What it is about. Default: none. */
  readonly subject?: string;
  /** When it happened. Default: now. */
  readonly time?: Date | number;
  /** Plain data, checked by the schemas of its type. Default: none. */
  readonly data?: unknown;
  /**
   * The caller's place in a trace, as W3C Trace Context writes it; what is malformed is ignored. Default: a trace of its own
   * for each run that it starts.
   */
  readonly traceparent?: string;
  /** `tracestate`, handed on as it came. Ignored without `traceparent`. */
  readonly tracestate?: string;
}

/** The end of a run as a client sees it. */
export type RunResult<Output = unknown> =
  | { readonly status: "completed"; readonly output: Output }
  | {
      readonly status: Exclude<ClosedStatus, "completed">;
      readonly error: Error & { readonly code: string };
    };

/** Where to begin to read what a run writes. */
export interface ReadOptions {
  /** The `seq` of the last item that was read; what comes after it is given. Default 0: from the beginning. */
  readonly from?: number;
  /** false: ends with what is there, without waiting for more. Default true. */
  readonly follow?: boolean;
}

/** A chunk of a stream. */
export interface Chunk<T = unknown> {
  /** From 1, rising over all streams of the run: the cursor to go on from. */
  readonly seq: number;
  /** Name of the stream. */
  readonly stream: string;
  /** The call that wrote it. */
  readonly call: string;
  /** The attempt that wrote it, from 1. */
  readonly attempt: number;
  /**
   * The `seq` of the first chunk that this start of the call's body wrote to the stream: another one, with the
   * same call, says that the body began again.
   */
  readonly first: number;
  /** When it was written, milliseconds since 1970. */
  readonly at: number;
  /** What was written; undefined became null. */
  readonly value: T;
}

/** An entry of a run's journal. */
export interface RunEvent {
  /** From 1: the cursor to go on from. Numbers of entries that a checkpoint removed are missing. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What it tells, for example "stepCompleted". */
  readonly kind: EntryKindName;
  /** The call that it belongs to; empty for entries of the run as a whole. */
  readonly call: string;
  /** Which try it tells of, from 1. */
  readonly attempt: number;
  /** By kind: the value of a step, the error of a failure, the data of an event. */
  readonly data: unknown;
}

/** A handle of one run; making it asks nothing. */
export interface RunHandle<Output = unknown> {
  /** "run_" and 26 characters. */
  readonly id: RunId;
  /** True when `start` met an earlier run of the same idempotency key. */
  readonly existing: boolean;
  /**
   * Waits for the end and gives the output.
   * Errors: the run's own (StepError, CLAW-2003, CLAW-2009); CLAW-2012 after `timeout`; CLAW-3001.
   */
  result(options?: { readonly timeout?: Duration }): Promise<Output>;
  /** Waits for the end and gives it as a value. Errors: CLAW-2012, CLAW-3001. */
  ended(options?: { readonly timeout?: Duration }): Promise<RunResult<Output>>;
  /**
   * The chunks of a stream, each as soon as it is durable, until the stream is closed or the run has ended.
   * A stream that does not exist yet is waited for. To go on after a lost connection, begin `from` the last `seq`: nothing
   * is missed, nothing comes twice. Errors, from the first `next` on: CLAW-3001, CLAW-3051 the cursor, CLAW-4011,
   * CLAW-3005 when the runtime stops.
   */
  stream<T = unknown>(
    name: string,
    options?: ReadOptions,
  ): AsyncIterableIterator<Chunk<T>, undefined>;
  /** The chunks of all streams, until the run has ended. Errors: as `stream`. */
  streams(options?: ReadOptions): AsyncIterableIterator<Chunk, undefined>;
  /** The entries of the journal in their order, each as soon as it is durable, until the run has ended. Errors: as `stream`. */
  events(options?: ReadOptions): AsyncIterableIterator<RunEvent, undefined>;
}

/** Where a fork goes on from. */
export interface ForkOptions {
  /** The id of a call that has ended; it runs again, with its attempts counted anew. */
  readonly from: string;
  /** Another input. Default: that of the old run. */
  readonly input?: unknown;
}

/** A run that goes on from the journal of another. */
export interface Forked {
  /** The new run. */
  readonly id: RunId;
  /** The call that runs again; empty when it goes on from the end of the old journal. */
  readonly from: string;
  /** Calls of other branches that had ended later and will run again as well, in the order of their ends. */
  readonly again: readonly string[];
}

/** A key as it stands. */
export interface KeyView<State = unknown> {
  /** Name of the workflow, in any version. */
  readonly workflow: string;
  /** The key. */
  readonly key: string;
  /** As the last run has set it; undefined when none has. */
  readonly state: State;
  /** The run that has the key, or null. */
  readonly head: RunId | null;
  /** How many runs wait for it. */
  readonly waiting: number;
  /** The first 100 of them, in their order. */
  readonly next: readonly RunId[];
}

/** A node that works on the store. */
export interface NodeView extends Omit<NodeRecord, "leaseLeftMs"> {
  /** Milliseconds until its lease ends, negative when it is over; null for the one node of a store of its own. */
  readonly leaseLeftMs: number | null;
  /** True for the node that was asked. */
  readonly isThis: boolean;
}

/** How a runtime is stopped. */
export interface StopOptions {
  /**
   * So long bodies under way may take to end, and be recorded, while nothing new begins; what goes on after that runs
   * again, here or on another node. Default 0: they are given up at once.
   */
  readonly drain?: Duration;
}

/** Numbers of this life of the runtime, for `claw doctor`, tests and benchmarks. */
export interface RuntimeStats {
  /** Runs in memory. */
  readonly active: number;
  /** Transactions of the store. */
  readonly commits: number;
  /** Changes of runs in them. */
  readonly transitions: number;
  /** Turns of author code, replay included. */
  readonly turns: number;
  /** Bodies started. */
  readonly bodies: number;
  /** Times that the store was lost and opened again. */
  readonly recoveries: number;
}

/**
 * One node: runs workflows on a store. Every acknowledgement (a settled promise) is durable.
 * Errors of every call: CLAW-4004, CLAW-4006, CLAW-3005 while the store is not available (retryable).
 */
export interface Claw {
  /** The open store, as it says itself. Errors: CLAW-3005 before it was opened. */
  readonly store: StoreInfo;
  /** The one that every call is bound to. */
  readonly namespace: string;
  /** The definitions that this process runs. */
  readonly workflows: readonly AnyWorkflow[];
  /** Names of the tasks that `enqueue` takes here. */
  readonly taskNames: readonly string[];

  /**
   * Starts a run; settles when it is durable. A name without version means the newest here.
   * Errors: CLAW-1003 unknown workflow, CLAW-1004 input, CLAW-1005, CLAW-1006, CLAW-1008 its key, CLAW-2041 the
   * mailbox of its key is full (`details.retryAfterMs`), CLAW-3003.
   */
  start<Input, Output, Given>(
    workflow: Workflow<Input, Output, Given>,
    input: Given,
    options?: StartOptions,
  ): Promise<RunHandle<Stored<Output>>>;
  start(workflow: string, input: unknown, options?: StartOptions): Promise<RunHandle>;

  /**
   * Enqueues a task; settles when it is durable. Its body runs at least once, here or in a later life.
   * Errors: CLAW-1003 unknown task, CLAW-1001, CLAW-1004 input, CLAW-1005, CLAW-1006, CLAW-3003.
   */
  enqueue<Input, Output, Given>(
    task: Task<Input, Output, Given>,
    input: Given,
    options?: EnqueueOptions,
  ): Promise<EnqueuedTask>;
  enqueue(task: string, input: unknown, options?: EnqueueOptions): Promise<EnqueuedTask>;

  /** Enqueues a task for each input, all or none; at most 100,000. Errors: as `enqueue`. */
  enqueueMany<Input, Output, Given>(
    task: Task<Input, Output, Given>,
    inputs: readonly Given[],
    options?: Omit<EnqueueOptions, "idempotencyKey">,
  ): Promise<readonly TaskId[]>;

  /** Standalone tasks, newest first, at most 50 unless asked. */
  tasks(query?: Partial<TaskQuery>): Promise<readonly TaskRecord[]>;
  /** One of them; null when it is unknown, or has ended and was not kept. */
  findTask(id: TaskId): Promise<TaskRecord | null>;
  /** Tasks that failed for good, newest first, at most 50 unless asked. */
  deadLetters(query?: DeadLetterQuery): Promise<readonly TaskRecord[]>;
  /** How many tasks each queue of this namespace holds, and since when, by name of the queue. */
  queues(): Promise<readonly QueueCounts[]>;
  /** Gives a dead task its attempts again, at once. Errors: CLAW-3015. */
  redrive(id: TaskId): Promise<void>;
  /**
   * The same for all dead letters of a query, newest first and at most 100,000 unless `limit` says less, in
   * commits of 500; `dryRun` only tells which.
   */
  redriveAll(
    query: DeadLetterQuery,
    options?: { readonly dryRun?: boolean },
  ): Promise<RedriveReport>;

  /** Publishes an event. Errors: CLAW-1004 data against the type's schema, CLAW-1005, CLAW-1006, CLAW-5008. */
  publish(event: EventInput): Promise<PublishResult>;

  /**
   * Sends a signal to an open run; `id` makes its repetition harmless.
   * Errors: CLAW-3001 unknown run, CLAW-3002 ended, CLAW-3004 inbox full, CLAW-1005, CLAW-1006.
   */
  signal(
    run: RunId,
    name: string,
    value?: unknown,
    options?: { readonly id?: string },
  ): Promise<void>;

  /**
   * Asks a run's code: the handler of `ctx.query`. Nothing is answered that is not durable; a run at rest is
   * replayed for it and goes on resting.
   * Errors: CLAW-3001 unknown run, CLAW-3002 ended, CLAW-3006 no such query, CLAW-3008 the handler threw, CLAW-3009 it
   * used ctx or a promise, CLAW-2005 code and journal disagree, CLAW-2011 no code here.
   */
  query<Output = unknown>(run: RunId, name: string, input?: unknown): Promise<Output>;

  /**
   * Sends an update and waits for its durable answer: what the handler of `ctx.update` returned. The same id
   * again, with the same input, gets the same answer, also after the run has ended.
   * Errors: what the handler threw (StepError, else CLAW-3008); CLAW-1004 input, CLAW-2015 held or compensating, CLAW-3001,
   * CLAW-3002, CLAW-3003 id used with another input, CLAW-3006 no such update, CLAW-3007 refused, CLAW-3010
   * the run ended first, CLAW-3011 after `timeout`.
   */
  update<Output = unknown>(
    run: RunId,
    name: string,
    input?: unknown,
    options?: UpdateRequest,
  ): Promise<Output>;

  /** Approvals that runs wait for, oldest first. */
  approvals(query?: ApprovalsQuery): Promise<readonly OpenApproval[]>;

  /**
   * Decides an open approval; settles when that is durable. The first decision counts. `value` is checked against
   * the form, and may be left out of a rejection.
   * Errors: CLAW-1004 value, CLAW-3001, CLAW-3002, CLAW-3012 not open or its time is over, CLAW-3013 decided
   * already, CLAW-3014 `by` is no assignee, CLAW-3091 the check took too long.
   */
  approve(run: RunId, call: string, decision: Decision): Promise<void>;

  /** Asks a run to stop: its open calls throw CLAW-2003. Errors: CLAW-3001, CLAW-3002. */
  cancel(run: RunId, reason?: string): Promise<void>;

  /**
   * Tries a held run again (diverged, bug, stuck, no_code, quarantined); one that is not held stays as it
   * is. Errors: CLAW-3001, CLAW-3002, CLAW-2015 for a paused run.
   */
  release(run: RunId): Promise<void>;

  /**
   * Pauses an open run, durably: no turn and no body begins, messages and timers wait in the store.
   * Bodies under way are let to end and are recorded, for at most 30 s; then they run again after
   * `resume`. Pausing a paused run changes its note. Errors: CLAW-3001, CLAW-3002, CLAW-2015 held otherwise.
   */
  pause(run: RunId, note?: string): Promise<void>;

  /** Lets a paused run go on. Errors: CLAW-3001, CLAW-3002, CLAW-2015 not paused. */
  resume(run: RunId): Promise<void>;

  /**
   * Ends an open run at once without running code: its status is `terminated`, its parent is told, attached
   * children are cancelled, nothing is undone. A compensation stops; `error.details.compensation` lists
   * what remains. Errors: CLAW-3001, CLAW-3002.
   */
  terminate(run: RunId, reason?: string): Promise<void>;

  /**
   * Makes a new run, caused by the old one, that has exactly the journal before the end of the call
   * `from` and goes on from there. The old run stays as it is. Errors: CLAW-3001, CLAW-2017 no end of
   * the call or steps undone, CLAW-2045 a run of a key, CLAW-1003 to 1006 for a new input.
   */
  fork(run: RunId, options: ForkOptions): Promise<Forked>;

  /**
   * Forks a run that failed from the call whose failure ended it, one that was cancelled from before
   * that, one that was terminated from where it stood.
   * Errors: CLAW-3001, CLAW-2015 another state, CLAW-2017 no call failed or steps undone, CLAW-2045 a run of a key.
   */
  retry(run: RunId): Promise<Forked>;

  /**
   * Answers an open call in place of what it waits for; the first end wins. `call` is an id as
   * `claw journal` shows them. The value is checked where the call's task, workflow or event has a schema.
   * Errors: CLAW-3001, CLAW-3002, CLAW-2015 held, CLAW-2016 not open, CLAW-1004, CLAW-1005, CLAW-1006.
   */
  skip(run: RunId, call: string, value: unknown, options: { readonly by: string }): Promise<void>;

  /**
   * The key of a workflow as it stands: its state, the run that has it, those that wait. A key that nothing is
   * known of has its `initialState` and no runs. Errors: CLAW-1003, CLAW-1008; CLAW-2044 a workflow without keys;
   * CLAW-4011 the state cannot be decoded here.
   */
  state<Input, Output, Given, State>(
    workflow: Workflow<Input, Output, Given, State>,
    key: string,
  ): Promise<KeyView<Stored<State>>>;
  state(workflow: string, key: string): Promise<KeyView>;

  /** A handle for a known id. */
  run<Output = unknown>(id: RunId): RunHandle<Output>;
  /** Runs of this namespace, newest first, at most 50 unless asked. */
  list(query?: Partial<RunQuery>): Promise<readonly RunSummary[]>;
  /** Everything recorded about a run, or null. */
  find(id: RunId): Promise<RunRecord | null>;
  /** Writes a consistent copy of the store while work goes on. */
  backup(path: string): Promise<void>;
  /**
   * Removes now what need not be kept any longer; `dryRun` only tells. `keep` goes before the runtime's retention.
   * Errors: CLAW-1001, CLAW-1007, CLAW-3005.
   */
  sweep(options?: {
    readonly dryRun?: boolean;
    readonly keep?: Partial<Retention>;
  }): Promise<RetentionReport>;
  /**
   * Writes runs of this namespace as text that `importRuns` of any store takes, while work goes on; families of
   * open runs come together. Payloads stay as they are stored; `plain` opens them all, encrypted ones too.
   * Errors: CLAW-3001, CLAW-4002, CLAW-4011.
   */
  exportRuns(
    selection?: ExportSelection,
    options?: {
      readonly plain?: boolean;
      readonly onProgress?: (progress: MoveProgress) => void;
    },
  ): AsyncIterable<string>;
  /**
   * Takes the runs of an export into this store: nothing unless all of it is sound, and nothing twice. Open runs are held as
   * paused unless `resume` says otherwise. `bytes` is called twice.
   * Errors: CLAW-4061 to CLAW-4065, CLAW-3005.
   */
  importRuns(bytes: ExportBytes, options?: ImportOptions): Promise<ImportReport>;
  /** Numbers of this life of the runtime. */
  stats(): RuntimeStats;
  /**
   * Returns while this node takes work, for health checks.
   * Errors: CLAW-3005 it starts, drains or has stopped; the error of the store while that is lost, such as CLAW-4075.
   */
  assertReady(): void;
  /** The nodes that work on the store, oldest first: one, for a store of its own. */
  nodes(): Promise<readonly NodeView[]>;
  /** Settles when every write that was asked for is durable or has failed. */
  flush(): Promise<void>;
  /**
   * Stops: takes nothing more, aborts bodies (they run again at the next start), closes the
   * store: other nodes on it go on with all that was in memory here at once. Idempotent.
   */
  stop(options?: StopOptions): Promise<void>;
}
