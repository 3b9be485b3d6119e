import { leaveApproval } from "../approvals.ts";
import { awaitedCount } from "../children.ts";
import { settleReplay } from "../delivery.ts";
import { firstUnasked } from "../records.ts";
import type { RunState } from "../run-state.ts";
import { beginFacts } from "./begin-call.ts";
import { settleKeyState } from "./set-key-state.ts";
import { withdraw } from "./close-scope.ts";

/**
 * The code of a run has ended: open calls are given up, facts that it set ride along. "waits": the run ends
 * only after children that it waits for. "diverged": the journal knows calls that the code never asked for.
 * Said again it only looks at the children.
 */
export function endCode(
  run: RunState,
  as: "the end of the code" | "its next generation",
  nowMs: number,
): "over" | "waits" | "diverged" {
  const unasked = firstUnasked(run);
  if (unasked !== null) {
    const [call, recorded] = unasked;
    run.divergence ??= { call, recorded: recorded.kindGroup, asked: as };
    return "diverged";
  }
  if (run.asked.length > 0) beginFacts(run, nowMs);
  if (run.keyState !== null) settleKeyState(run, nowMs);
  const abandoned: string[] = run.open.size === 0 ? NONE : [...run.abandoned];
  for (const call of run.open) {
    call.open = false;
    // An answer that was recorded but not delivered is no loose end.
    if (!call.answered) abandoned.push(call.id);
    run.closedCalls.push(call);
    if (as === "its next generation") leaveApproval(run, call);
    withdraw(run, call, as === "its next generation" ? "it went on" : "it ended");
  }
  if (abandoned !== NONE) run.abandoned = abandoned;
  run.open.clear();
  run.asked = [];
  // Code that has ended takes up nothing more: only the ends of children that were recorded are left to deliver.
  if (run.replaying) settleReplay(run);
  return awaitedCount(run) > 0 ? "waits" : "over";
}

const NONE: string[] = [];
