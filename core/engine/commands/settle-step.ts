import {
  ENTRY_KINDS,
  type ErrorRecord,
  type Payload,
  type RetryNote,
} from "../../protocol/index.ts";
import type { Call } from "../call.ts";
import { record, recordAnswer } from "../record.ts";
import { pauseMs, type RetryPolicy } from "../retry.ts";
import type { RunState } from "../run-state.ts";
import { isLingering } from "../undo-stack.ts";

/** A step's body returned. Refused (false) when the call was closed meanwhile. */
export function completeStep(run: RunState, call: Call, value: Payload, nowMs: number): boolean {
  if (call.answered || !(call.open || isLingering(run, call))) return false;
  recordAnswer(run, ENTRY_KINDS.stepCompleted, call, value, nowMs);
  return true;
}

/**
 * An attempt failed. "retry": the failure is recorded with the due time of the next attempt, which
 * stands in `call.dueAt`. "failed": that was the last one. "refused": the call was closed meanwhile.
 */
export function failAttempt(
  run: RunState,
  call: Call,
  error: ErrorRecord,
  final: boolean,
  nowMs: number,
): "retry" | "failed" | "refused" {
  if (call.answered || call.plan.kind !== "step") return "refused";
  const lingering = isLingering(run, call);
  if (!call.open && !lingering) return "refused";
  // Nobody waits for a lingering step any more: it is not tried again.
  if (final || lingering || isLastAttempt(call.plan.retry, call.attempt, error)) {
    recordAnswer(run, ENTRY_KINDS.stepFailed, call, JSON.stringify(error), nowMs);
    return "failed";
  }
  const pause = pauseMs(call.plan.retry, call.attempt, `${run.start.id}|${call.id}`);
  const note: RetryNote = { error, dueAt: Math.max(nowMs, run.lastAt) + pause };
  record(run, ENTRY_KINDS.attemptFailed, call, JSON.stringify(note), nowMs);
  call.attempt++;
  call.dueAt = note.dueAt;
  return "retry";
}

/** True when a policy gives no further attempt after this failure. */
export function isLastAttempt(policy: RetryPolicy, attempt: number, error: ErrorRecord): boolean {
  if (attempt >= policy.attempts) return true;
  return policy.notOn.includes(error.code ?? "") || policy.notOn.includes(error.name);
}
