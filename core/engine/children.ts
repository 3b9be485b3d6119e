import type { OnParentEnd } from "../protocol/index.ts";
import type { Call } from "./call.ts";
import { extrasOf } from "./draft.ts";
import { draftOf, type RunState } from "./run-state.ts";

/** What a run knows of attached children that do not simply stop with it; made with the first one. */
export interface Children {
  /** Recorded policies by call; a child that is not in here has "cancel". */
  readonly policies: Map<string, OnParentEnd>;
  /** Closed calls whose child is under way: the run does not end before these children. */
  readonly awaited: Set<Call>;
}

/** The children of a run, begun if there are none. */
export function attachedTo(run: RunState): Children {
  run.children ??= { policies: new Map(), awaited: new Set() };
  return run.children;
}

/** True for the closed call of a child that the run waits for before it ends. */
export function isAwaited(run: RunState, call: Call): boolean {
  return run.children !== null && run.children.awaited.has(call);
}

/** How many children a run waits for before it ends. */
export function awaitedCount(run: RunState): number {
  return run.children === null ? 0 : run.children.awaited.size;
}

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
