import { type Entry, ENTRY_KINDS } from "@claw/core/protocol";
import type { ExpectedCall, Facts } from "./model.ts";
import { isStep, type UndoFate } from "./statement.ts";

/** Where the calls of a compensation stand in a journal. */
const UNDO_PATH = "/undo/";
const LINGER_CALL = `${UNDO_PATH}wait[1]/sleep`;
const NEVER = Number.POSITIVE_INFINITY;

/** What a run that fails must have undone, given the facts of its journal. */
export interface ExpectedCompensation {
  /** The journal does not have all of it yet. */
  readonly waiting: boolean;
  /** Completed steps in the order in which they must be undone. */
  readonly completed: readonly string[];
  readonly undone: readonly string[];
  readonly failed: readonly string[];
  readonly uncertain: readonly string[];
  /** Calls of the compensation that are asked for over this journal. */
  readonly asked: ReadonlySet<string>;
}

/** True for a call of a compensation. */
export function isUndo(call: string): boolean {
  return call.startsWith(UNDO_PATH);
}

/** The call that undoes a step. */
export function undoCall(call: string): string {
  return UNDO_PATH + call;
}

/** The call that runs the body of a step again to learn what must be undone. */
export function rerunCall(call: string): string {
  return `${UNDO_PATH}${call}:rerun`;
}

/** The call that such a call runs again. */
export function calledAgain(rerun: string): string {
  return rerun.slice(UNDO_PATH.length, -":rerun".length);
}

interface Step {
  readonly call: string;
  readonly undo: UndoFate;
  /** Sequence of its recorded end, or never. */
  readonly endedAt: number;
  readonly isCompleted: boolean;
}

/** Foresees what a run that failed in the turn of entry `failedAt` undoes; null for nothing. */
export function foreseeUndo(
  facts: Facts,
  calls: ReadonlyMap<string, ExpectedCall>,
  failedAt: number,
): ExpectedCompensation | null {
  const steps = undoable(calls, failedAt);
  const isKnown = (step: Step): boolean => step.endedAt <= failedAt;
  const lingering = steps.filter((step) => !isKnown(step));
  if (lingering.length === 0 && !steps.some(({ isCompleted }) => isCompleted)) return null;
  const answers = new Map<string, Entry>();
  for (const entry of facts.entries.slice(facts.begins)) {
    if (isUndo(entry.call) && entry.kind !== ENTRY_KINDS.attemptFailed) {
      answers.set(entry.call, entry);
    }
  }
  const foresight = new Foresight(answers);
  const patience = answers.get(LINGER_CALL)?.seq ?? NEVER;
  const all = Math.max(failedAt, ...lingering.map(({ endedAt }) => endedAt));
  if (lingering.length > 0) foresight.asked.add(LINGER_CALL);
  const from = Math.min(all, lingering.length > 0 ? patience : NEVER);
  if (from === NEVER) return foresight.result([], true);
  for (const step of steps) if (step.endedAt > from) foresight.unknown(step);
  const completed = steps
    .filter(({ endedAt, isCompleted }) => isCompleted && endedAt <= from)
    .sort((a, b) => b.endedAt - a.endedAt);
  for (const { call } of completed) foresight.undo(call);
  return foresight.result(
    completed.map(({ call }) => call),
    foresight.waiting,
  );
}

// What has not begun cannot be undone: it was asked for and closed in one turn.
function undoable(calls: ReadonlyMap<string, ExpectedCall>, failedAt: number): Step[] {
  const steps: Step[] = [];
  for (const [call, { statement, askedAt, closedAt, answer }] of calls) {
    if (!isStep(statement) || statement.undo === null) continue;
    if (answer === undefined && askedAt >= Math.min(closedAt, failedAt)) continue;
    steps.push({
      call,
      undo: statement.undo,
      endedAt: answer?.seq ?? NEVER,
      isCompleted: answer?.kind === ENTRY_KINDS.stepCompleted,
    });
  }
  return steps;
}

/** Walks through the undos in their order; each is asked for when the one before has ended. */
class Foresight {
  readonly asked = new Set<string>();
  waiting = false;
  readonly #undone: string[] = [];
  readonly #failed: string[] = [];
  readonly #uncertain: string[] = [];
  readonly #answers: ReadonlyMap<string, Entry>;

  constructor(answers: ReadonlyMap<string, Entry>) {
    this.#answers = answers;
  }

  undo(call: string): void {
    if (this.waiting) return;
    this.asked.add(undoCall(call));
    const answer = this.#answers.get(undoCall(call));
    if (answer === undefined) this.waiting = true;
    else if (answer.kind === ENTRY_KINDS.stepFailed) this.#failed.push(call);
    else this.#undone.push(call);
  }

  // The order among steps of one turn is not foreseen: any of them may be the one under way.
  unknown({ call, undo }: Step): void {
    if (undo.uncertain === "report") {
      this.#uncertain.push(call);
      return;
    }
    const before = this.waiting;
    this.waiting = false;
    if (undo.uncertain === "call") this.undo(call);
    else this.#rerun(call);
    this.waiting ||= before;
  }

  #rerun(call: string): void {
    this.asked.add(rerunCall(call));
    const answer = this.#answers.get(rerunCall(call));
    if (answer === undefined) this.waiting = true;
    else if (answer.kind === ENTRY_KINDS.stepFailed) this.#uncertain.push(call);
    else this.undo(call);
  }

  result(completed: readonly string[], waiting: boolean): ExpectedCompensation {
    return {
      waiting,
      completed,
      undone: this.#undone,
      failed: this.#failed,
      uncertain: this.#uncertain,
      asked: this.asked,
    };
  }
}
