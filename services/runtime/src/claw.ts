import type {
  ClosedStatus,
  Duration,
  RunId,
  RunRecord,
  RunSummary,
  Stored,
} from "@claw/core/protocol";
import type { Clock, Log, Random, RunQuery, Store, StoreInfo, Turns } from "@claw/core/ports";
import type { AnyWorkflow, Workflow } from "@claw/sdk";

/** What a runtime is made of. */
export interface RuntimeOptions {
  /** Where everything durable is; the runtime opens and closes it. */
  readonly store: Store;
  /** The definitions that this process runs. Errors: CLAW-1002 for two of one name and version. */
  readonly workflows: readonly AnyWorkflow[];
  /** Isolation boundary of names and messages. Default "default". */
  readonly namespace?: string;
  /** Where log lines go. Default: nowhere. */
  readonly log?: Log;
  readonly limits?: Partial<RuntimeLimits>;
  /** Whether an open runtime keeps its process alive. Default true. */
  readonly keepAlive?: boolean;
  /** Default: the system's. Given by simulators and tests. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly turns?: Turns;
}

/** Bounds of one runtime; defaults stand in `@claw/core/protocol` limits. */
export interface RuntimeLimits {
  /** Bytes of one encoded value. */
  readonly payloadBytesMax: number;
  /** Runs in memory at once; more wait in the store. */
  readonly activeRunsMax: number;
  /** Waits shorter than this stay in memory, milliseconds. */
  readonly parkGraceMs: number;
  /** Time that code may stand without an open ctx call, milliseconds. */
  readonly stuckAfterMs: number;
  /** How long an idempotency key is remembered, milliseconds. */
  readonly dedupWindowMs: number;
}

/** Options of a start. */
export interface StartOptions {
  /** The same key, workflow and input give the same run. Another input: CLAW-3003. */
  readonly idempotencyKey?: string;
}

/** What became of a published event. */
export interface PublishResult {
  /** `duplicate`: an event with this source and id is known; nothing happened. */
  readonly status: "accepted" | "duplicate";
  /** Runs that its triggers started. */
  readonly started: readonly RunId[];
  /** Triggers that started nothing because the event does not match their schema. */
  readonly refused: readonly { readonly workflow: string; readonly reason: string }[];
}

/** An event to publish; see CloudEvents 1.0. */
export interface EventInput {
  readonly type: string;
  /** Default: `/claw/NAMESPACE`. */
  readonly source?: string;
  /** Unique per source; the second event of an id is a duplicate. Default: a new one. */
  readonly id?: string;
  readonly subject?: string;
  /** When it happened. Default: now. */
  readonly time?: Date | number;
  readonly data?: unknown;
}

/** The end of a run as a client sees it. */
export type RunResult<Output = unknown> =
  | { readonly status: "completed"; readonly output: Output }
  | {
      readonly status: Exclude<ClosedStatus, "completed">;
      readonly error: Error & { readonly code: string };
    };

/** A handle of one run; making it asks nothing. */
export interface RunHandle<Output = unknown> {
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
}

/** Numbers of this life of the runtime, for `claw doctor`, tests and benchmarks. */
export interface RuntimeStats {
  /** Runs in memory. */
  readonly active: number;
  readonly commits: number;
  readonly transitions: number;
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
  readonly store: StoreInfo;
  readonly namespace: string;
  readonly workflows: readonly AnyWorkflow[];

  /**
   * Starts a run; settles when it is durable. A name without version means the newest here.
   * Errors: CLAW-1003 unknown workflow, CLAW-1004 input, CLAW-1005, CLAW-1006, CLAW-3003.
   */
  start<Input, Output, Given>(
    workflow: Workflow<Input, Output, Given>,
    input: Given,
    options?: StartOptions,
  ): Promise<RunHandle<Stored<Output>>>;
  start(workflow: string, input: unknown, options?: StartOptions): Promise<RunHandle>;

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

  /** Asks a run to stop: its open calls throw CLAW-2003. Errors: CLAW-3001, CLAW-3002. */
  cancel(run: RunId, reason?: string): Promise<void>;

  /** Tries a held run again (diverged, bug, stuck, no_code). Errors: CLAW-3001, CLAW-3002. */
  release(run: RunId): Promise<void>;

  /** A handle for a known id. */
  run<Output = unknown>(id: RunId): RunHandle<Output>;
  list(query?: Partial<RunQuery>): Promise<readonly RunSummary[]>;
  /** Everything recorded about a run, or null. */
  find(id: RunId): Promise<RunRecord | null>;
  /** Writes a consistent copy of the store while work goes on. */
  backup(path: string): Promise<void>;
  stats(): RuntimeStats;
  /** Settles when every write that was asked for is durable or has failed. */
  flush(): Promise<void>;
  /**
   * Stops: takes nothing more, aborts bodies (they run again at the next start), closes the
   * store. Idempotent.
   */
  stop(): Promise<void>;
}
