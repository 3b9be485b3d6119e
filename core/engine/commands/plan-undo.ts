import { ENTRY_KINDS, type UndoNote } from "../../protocol/index.ts";
import { record } from "../record.ts";
import type { RunState } from "../run-state.ts";
import { undoStackOf } from "../undo-stack.ts";

/**
 * Writes down, once, what a compensation has to undo: whoever ends it without running code can tell
 * from the journal what remains.
 */
export function planUndo(run: RunState, nowMs: number): void {
  if (run.undoPlanned) return;
  run.undoPlanned = true;
  const { completed, lingering } = undoStackOf(run);
  const note: UndoNote = {
    completed: [...completed].sort((a, b) => b.seq - a.seq).map(({ call }) => call.id),
    open: [...lingering].map(({ id }) => id),
  };
  record(run, ENTRY_KINDS.undoPlanned, null, JSON.stringify(note), nowMs);
}
