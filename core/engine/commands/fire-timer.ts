import { ENTRY_KINDS } from "../../protocol/index.ts";
import type { Call } from "../call.ts";
import { recordAnswer } from "../record.ts";
import type { Draft } from "../draft.ts";
import type { RunState } from "../run-state.ts";
import { withdraw } from "./close-scope.ts";
import { liesReady } from "./take-inbox.ts";

/** True while a subscription that a draft asks for is not in the store: an event may be there already. */
export function isAsking(draft: Draft | null, call: Call): boolean {
  return draft?.extras?.waits.some((wait) => wait.call === call.id) ?? false;
}

/**
 * The due time of a call has come: a sleep ends, a wait times out, a step's next attempt may begin
 * ("attempt": the runtime starts the body). "early" when it is not due yet, or its answer came in time and is taken
 * when the turn that is open closes; "closed" when it needs nothing.
 */
export function fireTimer(
  run: RunState,
  call: Call,
  nowMs: number,
): "answered" | "attempt" | "early" | "closed" {
  if (!call.open || call.answered || call.dueAt === 0) return "closed";
  if (call.dueAt > nowMs || isAsking(run.draft, call) || liesReady(run, call)) return "early";
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
