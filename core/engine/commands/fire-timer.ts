import { ENTRY_KINDS } from "../../protocol/index.ts";
import type { Call } from "../call.ts";
import { recordAnswer } from "../record.ts";
import type { RunState } from "../run-state.ts";
import { withdraw } from "./close-scope.ts";

/**
 * The due time of a call has come: a sleep ends, a wait times out, a step's next attempt may begin
 * ("attempt": the runtime starts the body). "early" when it is not due yet, "closed" when it needs nothing.
 */
export function fireTimer(
  run: RunState,
  call: Call,
  nowMs: number,
): "answered" | "attempt" | "early" | "closed" {
  if (!call.open || call.answered || call.dueAt === 0) return "closed";
  if (call.dueAt > nowMs) return "early";
  if (call.plan.kind === "step") return "attempt";
  call.dueAt = 0;
  if (call.plan.kind === "sleep") {
    recordAnswer(run, ENTRY_KINDS.timerFired, call, "", nowMs);
  } else {
    withdraw(run, call, "timeout");
    recordAnswer(run, ENTRY_KINDS.waitTimedOut, call, "", nowMs);
  }
  return "answered";
}
