import {
  type Call,
  completeStep,
  failAttempt,
  isLingering,
  type Plan,
  type RetryPolicy,
  type RunState,
} from "@claw/core/engine";
import {
  ClawError,
  decodePayload,
  encodePayload,
  limits,
  type Payload,
  recordError,
  traceContextOf,
  traceparentOf,
} from "@claw/core/protocol";
import type { BodyStream } from "@claw/core/ports";
import type { Schema, StepContext } from "@claw/sdk";
import type { Activation } from "./activation.ts";
import { currentRun } from "./current-run.ts";
import { BodyStreams } from "./streams/body-streams.ts";
import { Vigil } from "./tasks/vigil.ts";

/** A call with what the runtime keeps of it. */
export interface LiveCall extends Call {
  /** The author's function of a step; null for other calls. */
  readonly body: ((step: StepContext) => unknown) | null;
  /** How to take back what the step did; null when it cannot be. */
  readonly undo: UndoPlan | null;
  /** What an operator's answer to it must match; null when that is not known. */
  readonly output: Schema<unknown, unknown> | null;
  /** What the body of the current attempt got. */
  step: BodyContext | null;
  cancelTimeout: (() => void) | null;
}

/** The undo of a step, checked. */
export interface UndoPlan {
  readonly body: (value: never, step: StepContext) => unknown;
  readonly retry: RetryPolicy;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly uncertain: "report" | "rerun" | "call";
}

/** What a body gets; the key and the signal are made when they are asked for. */
export class BodyContext implements StepContext {
  readonly #activation: Activation;
  readonly #call: LiveCall;
  readonly attempt: number;
  #controller: AbortController | null = null;
  /** Why this attempt was given up, also if its body asks for the signal only later. */
  #abortedBy: ClawError | null = null;
  /** What the next attempt in this process gets. */
  #said: Payload = "";
  vigil: Vigil | null = null;

  constructor(activation: Activation, call: LiveCall) {
    this.#activation = activation;
    this.#call = call;
    this.attempt = call.attempt;
    if (call.step !== null) this.#said = call.step.#said;
  }

  get key(): string {
    return `${this.#activation.id}/${this.#call.id}`;
  }

  get traceparent(): string {
    return traceparentOf(this.#activation.state.start, this.#call.id, this.attempt);
  }

  get tracestate(): string {
    return traceContextOf(this.#activation.state.start).state;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortedBy !== null) this.#controller.abort(this.#abortedBy);
    return this.#controller.signal;
  }

  get progress(): unknown {
    return decodePayload(this.#said);
  }

  stream(name: string): BodyStream {
    this.#activation.streams ??= new BodyStreams(this.#activation);
    return this.#activation.streams.stream(this.#call, this, name);
  }

  heartbeat(progress?: unknown): void {
    this.vigil?.heartbeat();
    if (progress === undefined) return;
    try {
      this.#said = encodePayload(progress, limits.PROGRESS_BYTES_MAX);
    } catch {
      // What cannot be kept is not worth an attempt.
    }
  }

  /** Tells the body that its result will be refused. */
  abort(reason: ClawError): void {
    this.#abortedBy ??= reason;
    this.#controller?.abort(reason);
  }
}

/**
 * Starts the body of a step. Called only when everything that the step stands on is durable. The result
 * of an attempt that timed out, was aborted or belongs to an ended activation is refused.
 */
export function startBody(activation: Activation, call: LiveCall): void {
  const { plan, body, attempt } = call;
  if (plan.kind !== "step" || body === null) return;
  call.running = true;
  call.dueAt = 0;
  if (plan.queue === "") {
    beginAttempt(activation, call, plan, body, null);
    return;
  }
  activation.node.tasks.queue(plan.queue).enter(plan.rank, (leave) => {
    if (!current(activation, call, attempt)) return leave();
    // While it waited the call was closed, or its run paused: what says so may not be durable yet. A step with
    // an undo is begun all the same: an earlier life may have begun it, so its end must be known.
    const isWanted = call.open || isLingering(activation.state, call);
    if (isWanted && !activation.halting && !activation.concluded) {
      return beginAttempt(activation, call, plan, body, leave);
    }
    call.running = false;
    leave();
    activation.node.loop.wake(activation);
  });
}

function beginAttempt(
  activation: Activation,
  call: LiveCall,
  plan: Plan & { readonly kind: "step" },
  body: (step: StepContext) => unknown,
  leave: (() => void) | null,
): void {
  const { attempt } = call;
  const { sharing } = activation.node;
  if (sharing !== null && !sharing.mayAct()) {
    // Whoever holds the run next begins it.
    call.running = false;
    return leave?.();
  }
  call.step = new BodyContext(activation, call);
  activation.node.bodyCount++;
  if (plan.timeoutMs > 0 || plan.heartbeatMs > 0 || leave !== null) {
    watchAttempt(activation, call, plan, leave);
  }
  try {
    const result: unknown = currentRun.run(activation, body, call.step);
    if (!isThenable(result)) {
      completed(activation, call, attempt, result);
      return;
    }
    // Embedded, nobody waits for a body that its run has given up.
    if (sharing !== null) activation.node.bodies.follow(result);
    // Of a promise this makes nothing new; a foreign `then` may throw, or answer twice.
    Promise.resolve(result).then(
      (value) => completed(activation, call, attempt, value),
      (error: unknown) => failed(activation, call, attempt, error),
    );
  } catch (error) {
    failed(activation, call, attempt, error);
  }
}

/** Tells the body of a closed call to stop; its result will be refused, unless its undo wants to know it. */
export function abortBody(call: LiveCall, lingering = false): void {
  if (!call.running) return;
  if (lingering) {
    call.step?.abort(new ClawError("CLAW-2010"));
    return;
  }
  call.running = false;
  // Told before its slot is given on, and the next body begins in it.
  call.step?.abort(new ClawError("CLAW-2010"));
  call.cancelTimeout?.();
}

/** Tells all bodies of a run to stop; their results will be refused. */
export function abortBodies({ open, closedCalls, undo }: RunState): void {
  for (const call of open) abortBody(call as LiveCall);
  for (const call of closedCalls) abortBody(call as LiveCall);
  for (const call of undo?.lingering ?? []) abortBody(call as LiveCall);
}

/** True while a body of a run is under way whose end is wanted. */
export function hasBody({ open, undo }: RunState): boolean {
  for (const call of open) if (call.running) return true;
  for (const call of undo?.lingering ?? []) if (call.running) return true;
  return false;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise || typeof (value as { then?: unknown } | null)?.then === "function"
  );
}

function watchAttempt(
  activation: Activation,
  call: LiveCall,
  plan: Plan & { readonly kind: "step" },
  leave: (() => void) | null,
): void {
  const { attempt, step } = call;
  const vigil = new Vigil(activation.node.clock, activation.node.timers);
  if (step !== null) step.vigil = vigil;
  call.cancelTimeout = () => {
    vigil.end();
    leave?.();
  };
  vigil.begin(`Attempt ${attempt} of "${call.id}"`, plan, (error) => {
    if (!current(activation, call, attempt)) return;
    step?.abort(error);
    failed(activation, call, attempt, error);
  });
}

function current(activation: Activation, call: LiveCall, attempt: number): boolean {
  // Once the end of the run or its generation is decided, the end of a step that was closed before is too late.
  const isLate = activation.concluded && !call.open;
  return !activation.inert && !isLate && call.running && call.attempt === attempt;
}

function completed(activation: Activation, call: LiveCall, attempt: number, value: unknown): void {
  if (!current(activation, call, attempt)) return;
  let payload: string;
  try {
    payload = encodePayload(value, activation.node.limits.payloadBytesMax);
  } catch (error) {
    failed(activation, call, attempt, error);
    return;
  }
  activation.streams?.ended(call);
  call.running = false;
  call.cancelTimeout?.();
  if (completeStep(activation.state, call, payload, activation.node.clock.now())) {
    activation.node.loop.wake(activation);
  }
}

function failed(activation: Activation, call: LiveCall, attempt: number, error: unknown): void {
  if (!current(activation, call, attempt)) return;
  activation.streams?.ended(call);
  call.running = false;
  call.cancelTimeout?.();
  const { node, state } = activation;
  const now = node.clock.now();
  const outcome = failAttempt(state, call, recordError(error), isFinal(error), now);
  if (outcome === "failed") node.loop.wake(activation);
  if (outcome !== "retry") return;
  // The next attempt counts only when the failure of this one is durable.
  state.begun.push(call);
  activation.touched(now);
  node.committer.touch(activation);
  node.loop.schedule();
}

function isFinal(error: unknown): boolean {
  try {
    return (error as { retryable?: unknown } | null)?.retryable === false;
  } catch {
    return false; // reading the author's error may throw
  }
}
