import {
  closeScope,
  kernelScope,
  markCompensating,
  type Plan,
  planUndo,
  RETRY_DEFAULT,
  type Undoable,
  undoStackOf,
  type Verdict,
} from "@claw/core/engine";
import {
  CancelledError,
  decodePayload,
  ENTRY_KINDS,
  type ErrorRecord,
  recordError,
} from "@claw/core/protocol";
import type { StepContext } from "@claw/sdk";
import type { Activation } from "./activation.ts";
import { abortBody, type LiveCall } from "./bodies.ts";
import { RunContext } from "./context.ts";
import { entryPlace } from "./payloads/places.ts";
import { STEP_DEFAULT } from "./step-plan.ts";

/** How long a compensation waits for steps under way whose end decides what must be undone. */
const LINGER_MS = 30_000;

/** A verdict that may have to be compensated. */
export type FailedVerdict = Exclude<Verdict, { status: "completed" }>;

/** What a compensation did, kept in the details of the run's error. */
export interface Compensation {
  /** Calls that were undone, in that order. */
  readonly undone: string[];
  /** Undos that gave up, with their last error. */
  readonly failed: { readonly call: string; readonly error: ErrorRecord }[];
  /** Calls whose end is not known and that were left as they are. */
  readonly uncertain: string[];
}

/**
 * Undoes what a failed run did. It is a continuation of the run's code in a shielded scope of its own:
 * each undo is a step, recorded, retried and answered at replay like any other, so a crash
 * in the middle of a compensation goes on where it stood.
 */
export async function compensate(
  activation: Activation,
  verdict: FailedVerdict,
): Promise<FailedVerdict> {
  const { state } = activation;
  const ctx = new RunContext(activation, kernelScope("undo"));
  markCompensating(state);
  closeScope(state, state.root, new CancelledError("the run is being compensated"));
  planUndo(state, activation.node.clock.now());
  const stack = undoStackOf(state);
  if (stack.lingering.size > 0) {
    await ctx.race("wait", [() => allLingered(activation), (inner) => inner.sleep(LINGER_MS)]);
  }
  const unknown = [...stack.lingering] as LiveCall[];
  stack.lingering.clear();
  // Their ends are refused from now on; the slots that they hold may be needed to undo them.
  for (const call of unknown) abortBody(call);
  const done: Compensation = { undone: [], failed: [], uncertain: [] };
  // What was asked for last is the first to be undone, and its end is not known.
  for (const call of unknown.reverse()) await undoUnknown(ctx, call, done);
  const completed = [...stack.completed].sort((a, b) => b.seq - a.seq);
  for (const one of completed) await undoCompleted(ctx, one, done);
  const error = { ...verdict.error, details: { ...verdict.error.details, compensation: done } };
  return { status: "compensated", error };
}

function allLingered({ state }: Activation): Promise<void> {
  const stack = undoStackOf(state);
  return new Promise((resolve) => {
    stack.onLingered = () => {
      if (stack.lingering.size === 0) resolve();
    };
    stack.onLingered();
  });
}

async function undoCompleted(ctx: RunContext, one: Undoable, done: Compensation): Promise<void> {
  const call = one.call as LiveCall;
  const { node, id } = ctx.activation;
  await attemptUndo(ctx, call, done, async (step) => {
    const entry = { kind: ENTRY_KINDS.stepCompleted, call: call.id, attempt: call.attempt };
    const value = await node.sealer.open(one.value, entryPlace(id, entry));
    return callUndo(call, decodePayload(value), step);
  });
}

async function undoUnknown(ctx: RunContext, call: LiveCall, done: Compensation): Promise<void> {
  const policy = call.undo?.uncertain ?? "report";
  if (policy === "report") {
    done.uncertain.push(call.id);
    return;
  }
  if (policy === "call") {
    await attemptUndo(ctx, call, done, (step) => callUndo(call, undefined, step));
    return;
  }
  const again = async (step: StepContext): Promise<unknown> => call.body?.(step);
  try {
    const value: unknown = await ctx.kernelStep(`${call.id}:rerun`, rerunPlan(call), again);
    await attemptUndo(ctx, call, done, (step) => callUndo(call, value, step));
  } catch {
    // What it did the first time is not known, and could not be found out.
    done.uncertain.push(call.id);
  }
}

// The bounds of the step hold for its body when that runs again: its slot, its time, its signs of life.
function rerunPlan({ plan }: LiveCall): Plan {
  return plan.kind === "step" ? { ...plan, undoable: false, shielded: false } : STEP_DEFAULT;
}

function callUndo(call: LiveCall, value: unknown, step: StepContext): unknown {
  return call.undo?.body(value as never, step);
}

async function attemptUndo(
  ctx: RunContext,
  call: LiveCall,
  done: Compensation,
  body: (step: StepContext) => unknown,
): Promise<void> {
  try {
    const noValue = async (step: StepContext): Promise<void> => void (await body(step));
    const { retry, timeoutMs } = call.undo ?? { retry: RETRY_DEFAULT, timeoutMs: 0 };
    await ctx.kernelStep(call.id, { ...STEP_DEFAULT, retry, timeoutMs }, noValue);
    done.undone.push(call.id);
  } catch (error) {
    done.failed.push({ call: call.id, error: withoutStack(recordError(error)) });
  }
}

function withoutStack({ name, message, code }: ErrorRecord): ErrorRecord {
  return { name, message, ...(code === undefined ? {} : { code }) };
}
