import {
  decodePayload,
  type Entry,
  ENTRY_KINDS,
  type ErrorRecord,
  UNDO_MARK,
  type UndoNote,
} from "@claw/core/protocol";

/** Where the undos of a compensation stand; see `compensate`. */
const UNDO_PATH = "/undo/";

/** What a run leaves behind that ends without its code. */
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

/**
 * What was done and not undone, from the journal and the steps that were under way; null when there was nothing to
 * undo. Of what was recorded by a version before marks of undos, only what a compensation had planned is known.
 */
function remainsOf(journal: readonly Entry[], underWay: readonly string[]): Remains | null {
  const planning = planned(journal, underWay);
  if (planning.length === 0) return null;
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
  const remaining = planning.filter((call) => !ended.has(call));
  const known = new Set(planning);
  return {
    undone: undone.filter((call) => known.has(call)),
    failed: failed.filter((call) => known.has(call)),
    remaining,
  };
}

// What a compensation wrote down, else what one would write down now: what was asked for last is undone first.
function planned(journal: readonly Entry[], underWay: readonly string[]): readonly string[] {
  const plan = journal.find(({ kind }) => kind === ENTRY_KINDS.undoPlanned);
  const { completed, open } = plan === undefined ? NOTHING : (decodePayload(plan.data) as UndoNote);
  const marked = journal.filter(isUndoable).map(({ call }) => call);
  const ends = new Set(journal.filter(({ kind }) => END_KINDS.has(kind)).map(({ call }) => call));
  const unknown = underWay.filter((call) => !ends.has(call)).reverse();
  return [...new Set([...open, ...unknown, ...marked.reverse(), ...completed])];
}

const NOTHING: UndoNote = { completed: [], open: [] };
const END_KINDS: ReadonlySet<string> = new Set([
  ENTRY_KINDS.stepCompleted,
  ENTRY_KINDS.stepFailed,
  ENTRY_KINDS.callSkipped,
]);

function isUndoable({ kind, print }: Entry): boolean {
  return kind === ENTRY_KINDS.stepCompleted && print.endsWith(UNDO_MARK);
}

/** An error of a run that ends without its code, with what remains. */
export function withRemains(
  error: ErrorRecord,
  journal: Iterable<Entry>,
  underWay: readonly string[] = [],
): ErrorRecord {
  const compensation = remainsOf([...journal], underWay);
  return compensation === null ? error : { ...error, details: { ...error.details, compensation } };
}
