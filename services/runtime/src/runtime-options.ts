import type { Duration } from "@claw/core/protocol";
import type { Clock, Executor, Log, PayloadCodec, Random, Store, Turns } from "@claw/core/ports";
import type { NodeIdentity } from "./sharing/describe-node.ts";
import type { AnyTask, AnyWorkflow } from "@claw/sdk";

/** What a runtime is made of. */
export interface RuntimeOptions {
  /** Where everything durable is; the runtime opens and closes it. */
  readonly store: Store;
  /** The definitions that this process runs. Errors: CLAW-1002 for two of one name and version. */
  readonly workflows: readonly AnyWorkflow[];
  /**
   * The tasks that `enqueue` takes and this process does. Default: none. Errors: CLAW-1001, CLAW-1002.
   */
  readonly tasks?: readonly AnyTask[];
  /** Attempts and calls at once per queue; 0 does nothing of it here. Default: 100 in each. */
  readonly queues?: Readonly<Record<string, { readonly concurrency: number }>>;
  /** Where tasks run. Default: in this process. */
  readonly executor?: Executor<AnyTask>;
  /** Isolation boundary of names and messages. Default "default". */
  readonly namespace?: string;
  /** Where log lines go. Default: nowhere. */
  readonly log?: Log;
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<RuntimeLimits>;
  /** How long closed runs and events are kept. Errors: CLAW-1001, CLAW-1007. Default: see Retention. */
  readonly retention?: Partial<Retention>;
  /**
   * Encodes payloads before they are stored; of several, the first is applied first. What was stored
   * without it stays readable. Default: none, payloads are stored as JSON. Errors: CLAW-1001.
   */
  readonly codec?: PayloadCodec | readonly PayloadCodec[];
  /**
   * How this node is called among others on the same store. Default: the host's name with the process id, no release, no
   * address.
   */
  readonly node?: Partial<NodeIdentity>;
  /** Whether an open runtime keeps its process alive. Default true. */
  readonly keepAlive?: boolean;
  /** Default: the system's. Given by simulators and tests. */
  readonly clock?: Clock;
  /** Default: the system's. Given by simulators and tests. */
  readonly random?: Random;
  /** Default: those of the event loop. Given by simulators and tests. */
  readonly turns?: Turns;
}

/** Bounds of one runtime; defaults stand in `@claw/core/protocol` limits. */
export interface RuntimeLimits {
  /** Bytes of one encoded value. */
  readonly payloadBytesMax: number;
  /** Bytes of an encoded value that stand in its row; larger ones are stored apart. */
  readonly inlineBytesMax: number;
  /** Runs in memory at once; more wait in the store. */
  readonly activeRunsMax: number;
  /** Waits shorter than this stay in memory, milliseconds. */
  readonly parkGraceMs: number;
  /** Time that code may stand without an open ctx call, milliseconds. */
  readonly stuckAfterMs: number;
  /** How long an idempotency key is remembered, milliseconds. */
  readonly dedupWindowMs: number;
  /** Bytes of one encoded chunk of a stream. */
  readonly streamChunkBytesMax: number;
  /** Chunks in all streams of one run. */
  readonly streamChunksMax: number;
  /** Bytes in all streams of one run. */
  readonly streamBytesMax: number;
}

/**
 * How long what is over is kept, from the end of a run or the arrival of an event: a duration; 0 removes it with the
 * next sweep, "never" keeps it for good. Open runs, and what they may still need, are never touched.
 */
export interface Retention {
  /** Default "7d". */
  readonly completed: Duration | "never";
  /** Default "30d". */
  readonly failed: Duration | "never";
  /** Default "30d". */
  readonly cancelled: Duration | "never";
  /** Default "30d". */
  readonly compensated: Duration | "never";
  /** Default "30d". */
  readonly terminated: Duration | "never";
  /** For so long an event of the same source and id is a duplicate. Default "7d". */
  readonly events: Duration | "never";
}
