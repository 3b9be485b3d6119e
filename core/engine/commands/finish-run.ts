import type { ChildOutcome, ClosedStatus, ErrorRecord, Payload } from "../../protocol/index.ts";
import { extrasOf, toParent } from "../draft.ts";
import { draftOf, type RunState } from "../run-state.ts";
import { openUpdates } from "../updates.ts";
import { beginFacts } from "./begin-call.ts";
import { withdraw } from "./close-scope.ts";

/** How the code of a run ended. */
export type Verdict =
  | { readonly status: "completed"; readonly output: Payload }
  | { readonly status: Exclude<ClosedStatus, "completed">; readonly error: ErrorRecord };

/**
 * Ends a run: open calls become abandoned, attached children are cancelled, the parent is told, all in the
 * finishing transition. False when the journal knows calls that the code never asked for: it has diverged.
 */
export function finishRun(run: RunState, verdict: Verdict, nowMs: number): boolean {
  const [unasked] = run.recorded;
  if (unasked !== undefined) {
    const [call, recorded] = unasked;
    run.divergence ??= { call, recorded: recorded.kindGroup, asked: "the end of the code" };
    return false;
  }
  if (run.asked.length > 0) beginFacts(run, nowMs);
  const draft = draftOf(run);
  const abandoned: string[] = [];
  for (const call of run.open) {
    call.open = false;
    // An answer that was recorded but not delivered is no loose end.
    if (!call.answered) abandoned.push(call.id);
    run.closedCalls.push(call);
    withdraw(run, call, "it ended");
  }
  run.open.clear();
  abandoned.push(...openUpdates(run));
  run.asked = [];
  draft.ending = {
    status: verdict.status,
    endedAt: Math.max(nowMs, run.lastAt),
    output: verdict.status === "completed" ? verdict.output : "",
    error: verdict.status === "completed" ? null : verdict.error,
    abandoned,
  };
  const outcome: ChildOutcome =
    verdict.status === "completed"
      ? { status: "completed", output: verdict.output }
      : { status: verdict.status, error: verdict.error };
  if (run.start.parentRun !== "") {
    extrasOf(draft).messages.push(...toParent(run.start, JSON.stringify(outcome)));
  }
  return true;
}
