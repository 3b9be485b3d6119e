import { CancelledError } from "../../protocol/index.ts";
import type { RunState } from "../run-state.ts";
import { closeCall } from "./close-scope.ts";
import { stopAwaited } from "./let-go-child.ts";

/**
 * Delivers a cancellation: every open call outside of shielded scopes throws, later ones too. Children that the
 * run does not end before are asked to stop as well.
 */
export function cancelOpenCalls(run: RunState, reason: string): void {
  if (run.cancelled !== null) return;
  run.cancelled = reason;
  const error = new CancelledError(reason);
  for (const call of run.open) {
    const shielded = call.scope.shielded || (call.plan.kind === "step" && call.plan.shielded);
    if (!shielded) closeCall(run, call, error);
  }
  stopAwaited(run, error.message);
}
