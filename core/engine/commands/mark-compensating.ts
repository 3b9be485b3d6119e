import { draftOf, type RunState } from "../run-state.ts";

/** Shows to people that a run undoes what it did; said once, with its next transition. */
export function markCompensating(run: RunState): void {
  if (run.compensating) return;
  run.compensating = true;
  draftOf(run).phase = "compensating";
}
