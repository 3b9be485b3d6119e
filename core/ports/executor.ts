/** One attempt of a task, handed to an executor. */
export interface Assignment<
  Definition extends { readonly name: string } = { readonly name: string },
> {
  /** What is to be done; an executor in another place finds its own code by the name. */
  readonly task: Definition;
  /** The input as it is stored, for this attempt alone. The executor checks it by the task's schema. */
  readonly input: unknown;
  /** The context of the body: key, number of the attempt, signal, heartbeat. */
  readonly step: TaskStep;
}

/** A stream of a run as the bodies of its steps and tasks write it. */
export interface BodyStream {
  /**
   * Appends a chunk: plain data, undefined becomes null. It is written together with others, within 50 ms or with the
   * body's end. Errors: CLAW-1005, CLAW-1051 too large, CLAW-2051 full, CLAW-2052 closed.
   */
  write(chunk: unknown): void;
}

/** What an executor gives to the body of a task. */
export interface TaskStep {
  /** The same for every attempt, unique among all calls and tasks. */
  readonly key: string;
  /** Which try it is, from 1. */
  readonly attempt: number;
  /** Aborted when the attempt is given up: nobody waits for its answer any more. */
  readonly signal: AbortSignal;
  /** What the last heartbeat of an earlier attempt said, as far as it is known. */
  readonly progress: unknown;
  /** `traceparent` for what the body does outside (W3C Trace Context): its parent is this attempt. */
  readonly traceparent: string;
  /** `tracestate` to go with it; empty for none. */
  readonly tracestate: string;
  /** A stream of the run that called the task. Errors: CLAW-2053 nobody called it, CLAW-1008. */
  stream(name: string): BodyStream;
  /** Says that the attempt is alive. Cheap; never throws. */
  heartbeat(progress?: unknown): void;
}

/**
 * The place where the code of tasks runs.
 *
 * `execute` begins an attempt and answers with the task's checked output, at once or by a promise; it throws or rejects
 * when the attempt has failed, and an error with `retryable: false` is final. It is called only when everything that
 * the attempt stands on is durable, and again for the same key after a failure, a timeout, a missing heartbeat or
 * the end of the process: at least once, never twice at a time, except that an attempt which was given
 * up may still be under way. Timeouts, retries, slots and the order of tasks are the caller's. An answer
 * after the signal was aborted is refused.
 */
export interface Executor<
  Definition extends { readonly name: string } = { readonly name: string },
> {
  /** Begins one attempt; see above. */
  execute(assignment: Assignment<Definition>): unknown;
}
