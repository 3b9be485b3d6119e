import { ENTRY_KINDS, type Entry, type Payload } from "../protocol/index.ts";
import type { Call } from "./call.ts";
import type { RunState } from "./run-state.ts";

/** A completed step that can be undone. */
export interface Undoable {
  readonly call: Call;
  /** Sequence of its completion: what was completed last is undone first. */
  readonly seq: number;
  /** What its body returned. */
  readonly value: Payload;
}

/** What a run has done that can be undone; made with the first step that has an undo. */
export interface UndoStack {
  readonly completed: Undoable[];
  /** Steps that were closed before their end was known: their end is still recorded. */
  readonly lingering: Set<Call>;
  /** Told each time that a lingering step has ended. */
  onLingered: () => void;
}

/** The undo stack of a run, begun if there is none. */
export function undoStackOf(run: RunState): UndoStack {
  run.undo ??= { completed: [], lingering: new Set(), onLingered: () => {} };
  return run.undo;
}

/** True for a step whose end is recorded although its promise was rejected already. */
export function isLingering(run: RunState, call: Call): boolean {
  return run.undo !== null && run.undo.lingering.has(call);
}

/** A step with an undo was closed: it lingers if its body may have begun, in this life or one before. */
export function linger(run: RunState, call: Call): void {
  if (call.plan.kind !== "step" || !call.plan.undoable) return;
  // What was asked for in this very turn has not begun: steps begin when their turn is closed.
  if (call.askedIn < run.turn) undoStackOf(run).lingering.add(call);
}

/** An end of a step was delivered, to the code or to nobody: what is completed can be undone. */
export function noteEnd(run: RunState, call: Call, entry: Entry): void {
  if (call.plan.kind !== "step" || !call.plan.undoable) return;
  const stack = undoStackOf(run);
  if (entry.kind === ENTRY_KINDS.stepCompleted) {
    stack.completed.push({ call, seq: entry.seq, value: entry.data });
  }
  if (stack.lingering.delete(call)) stack.onLingered();
}
