import type { Call } from "../call.ts";
import { attachedTo } from "../children.ts";
import { extrasOf } from "../draft.ts";
import { draftOf, type RunState } from "../run-state.ts";

/**
 * Nobody waits for the answer of a child any more. What was recorded with its start decides, whatever the code
 * says by now.
 */
export function letGo(run: RunState, call: Call, reason: string): void {
  const policy = run.children?.policies.get(call.id) ?? "cancel";
  if (policy === "wait") attachedTo(run).awaited.add(call);
  else if (policy === "cancel") askToStop(run, call, reason);
}

/** Asks the children that a run waits for to stop; it still waits for them. */
export function stopAwaited(run: RunState, reason: string): void {
  for (const call of run.children?.awaited ?? []) {
    if (!call.scope.shielded) askToStop(run, call, reason);
  }
}

/** The run ends without waiting for its children: they are asked to stop. */
export function forsakeAwaited(run: RunState, reason: string): void {
  for (const call of run.children?.awaited ?? []) askToStop(run, call, reason);
  run.children?.awaited.clear();
}

/** Sends a child the request to stop, in the same transition. */
export function askToStop(run: RunState, call: Call, reason: string): void {
  if (call.plan.kind !== "child" || call.answered) return;
  extrasOf(draftOf(run)).messages.push({
    to: call.plan.row.id,
    kind: "cancel",
    name: "",
    from: run.start.id,
    data: JSON.stringify(`its parent gave it up: ${reason}`.slice(0, 500)),
  });
}
