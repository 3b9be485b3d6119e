import type { OnParentEnd } from "../protocol/index.ts";
import type { Call } from "./call.ts";
import type { RunState } from "./run-state.ts";

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
