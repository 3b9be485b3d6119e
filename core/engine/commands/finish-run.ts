import type { ChildOutcome, ClosedStatus, ErrorRecord, Payload } from "../../protocol/index.ts";
import { noteUnused } from "../approvals.ts";
import { extrasOf, toParent } from "../draft.ts";
import { draftOf, type RunState } from "../run-state.ts";
import { openUpdates } from "../updates.ts";
import { forsakeAwaited } from "./let-go-child.ts";

/** How the code of a run ended. */
export type Verdict =
  | { readonly status: "completed"; readonly output: Payload }
  | { readonly status: Exclude<ClosedStatus, "completed">; readonly error: ErrorRecord };

/**
 * Ends a run whose open calls were given up (`endCode`): the parent is told, all in the finishing transition. It
 * waits for nothing: children that should have been waited for are asked to stop.
 */
export function finishRun(run: RunState, verdict: Verdict, nowMs: number): void {
  forsakeAwaited(run, "it ended");
  noteDecisions(run, nowMs);
  const draft = draftOf(run);
  const open = openUpdates(run);
  draft.ending = {
    status: verdict.status,
    endedAt: Math.max(nowMs, run.lastAt),
    output: verdict.status === "completed" ? verdict.output : "",
    error: verdict.status === "completed" ? null : verdict.error,
    abandoned: open.length === 0 ? run.abandoned : [...run.abandoned, ...open],
  };
  const outcome: ChildOutcome =
    verdict.status === "completed"
      ? { status: "completed", output: verdict.output }
      : { status: verdict.status, error: verdict.error };
  if (run.start.parentRun !== "") {
    extrasOf(draft).messages.push(...toParent(run.start, JSON.stringify(outcome)));
  }
}

/** Decisions that nobody waits for any more: the record of a run that ends says so. Their rows go with the run. */
export function noteDecisions(run: RunState, nowMs: number): void {
  if (run.inbox.length === 0) return;
  const decisions = run.inbox.filter(({ kind }) => kind === "approval");
  if (decisions.length === 0) return;
  for (const row of decisions) noteUnused(run, row, nowMs);
  run.inbox = run.inbox.filter(({ kind }) => kind !== "approval");
}
