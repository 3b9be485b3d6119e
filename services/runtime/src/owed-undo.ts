import type { RunState } from "@claw/core/engine";
import type { Activation } from "./activation.ts";
import type { LiveCall } from "./bodies.ts";

/** True when a run that fails now has done something that can be undone. */
export function mustCompensate({ state }: Activation): boolean {
  return (state.undo !== null && state.undo.completed.length > 0) || hasOpenUndo(state);
}

// Steps under way count only if their bodies may have begun.
function hasOpenUndo(state: RunState): boolean {
  if (state.undo !== null && state.undo.lingering.size > 0) return true;
  for (const call of state.open) {
    if ((call as LiveCall).undo !== null && call.askedIn < state.turn) return true;
  }
  return false;
}

/** Steps with an undo that are under way, in the order of asking: how they end is not known. */
export function undoUnderWay({ state }: Activation): string[] {
  const open = [...state.open].filter((call) => (call as LiveCall).undo !== null && call.begun);
  return [...(state.undo?.lingering ?? []), ...open].map(({ id }) => id);
}
