import type { Hold } from "../../protocol/index.ts";
import { draftOf, type RunState } from "../run-state.ts";

/**
 * Parks a run that cannot go on: what it recorded stays, what it asked for and did not begin is
 * dropped, and new code or a person releases it.
 */
export function holdRun(run: RunState, kind: Hold, reason: string): void {
  const draft = draftOf(run);
  draft.hold = { kind, reason: reason.slice(0, 2_000).toWellFormed() };
  draft.park = null;
  for (const call of run.open) {
    call.open = false;
    run.closedCalls.push(call);
  }
  run.open.clear();
  run.asked = [];
}
