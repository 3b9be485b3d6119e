import { decodePayload, type Entry, ENTRY_KINDS, type UndoNote } from "@claw/core/protocol";

/** Where the undos of a compensation stand; see `compensate`. */
const UNDO_PATH = "/undo/";

/** What a compensation had done when it was stopped. */
export interface Remains {
  /** Calls that were undone, in that order. */
  readonly undone: readonly string[];
  /** Calls whose undo gave up. */
  readonly failed: readonly string[];
  /** Calls that were not undone, in the order in which they would have been. */
  readonly remaining: readonly string[];
}

/** True when a compensation was begun: what it undoes may be under way. */
export function hasUndone(journal: readonly Entry[]): boolean {
  return journal.some(({ kind }) => kind === ENTRY_KINDS.undoPlanned);
}

/** What remains of a compensation, from the journal alone; null when none was begun. */
export function remainsOf(journal: readonly Entry[]): Remains | null {
  const planned = journal.find(({ kind }) => kind === ENTRY_KINDS.undoPlanned);
  if (planned === undefined) return null;
  const { completed, open } = decodePayload(planned.data) as UndoNote;
  const undone: string[] = [];
  const failed: string[] = [];
  const ended = new Set<string>();
  for (const { kind, call } of journal) {
    if (!call.startsWith(UNDO_PATH)) {
      // A step that failed after all has done nothing that could be undone.
      if (kind === ENTRY_KINDS.stepFailed) ended.add(call);
      continue;
    }
    const of = call.slice(UNDO_PATH.length);
    if (kind === ENTRY_KINDS.stepCompleted || kind === ENTRY_KINDS.callSkipped) undone.push(of);
    else if (kind === ENTRY_KINDS.stepFailed) failed.push(of);
    else continue;
    ended.add(of);
  }
  const planning = [...open, ...completed];
  const remaining = planning.filter((call) => !ended.has(call));
  const known = (call: string): boolean => planning.includes(call);
  return { undone: undone.filter(known), failed: failed.filter(known), remaining };
}
