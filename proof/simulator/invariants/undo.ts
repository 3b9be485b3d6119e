import type { Transition } from "@claw/core/ports";
import { type Entry, ENTRY_KINDS } from "@claw/core/protocol";
import type { Prediction } from "../model.ts";
import { generationAt, type KnownRun } from "../truth.ts";
import { isUndo, undoCall } from "../undo-model.ts";
import type { Witness } from "../witness.ts";
import type { World } from "../world.ts";

type Ending = NonNullable<Transition["finish"]>["ending"];

/** What the details of a compensated run's error say. */
interface Told {
  readonly undone: readonly string[];
  readonly failed: readonly { readonly call: string }[];
  readonly uncertain: readonly string[];
}

const NOTHING: Told = { undone: [], failed: [], uncertain: [] };
const LINGER_CALL = undoCall("wait[1]/sleep");
/** A body that ended so long before the patience of a compensation did was heard. */
const HEARD_MS = 5_000;

/** The undo of a step begins: after its end is durable, last completed first, and once for all. */
export function checkUndoBegins(witness: Witness, id: string, call: string, value: unknown): void {
  const { truth, ledger } = witness;
  const run = truth.runs.get(id);
  if (run === undefined) return;
  const name = (): string => `${id} ${call} given ${String(value)}`;
  const recorded = run.answers.has(undoCall(call));
  ledger.check("a recorded undo never runs again", !recorded, name);
  const end = run.answers.get(call);
  if (value === undefined) return;
  const rerun = run.answers.get(`${undoCall(call)}:rerun`);
  const given = JSON.stringify(value);
  ledger.check(
    "an undo begins after the completion of its call is durable",
    given === end?.data || given === rerun?.data,
    name,
  );
  // Code that was changed knows other steps with an undo.
  if (end === undefined || rerun !== undefined || run.mixed) return;
  const later = completedUndoables(witness, run).find(
    (one) => one.seq > end.seq && !run.answers.has(undoCall(one.call)),
  );
  ledger.check(
    "what was completed last is undone first",
    later === undefined,
    () => `${name()} before ${later?.call}`,
  );
}

// Completed steps with an undo, but for those that ended after the patience of the compensation.
function completedUndoables({ undoable }: Witness, run: KnownRun): Entry[] {
  const patience = run.answers.get(LINGER_CALL)?.seq ?? Number.POSITIVE_INFINITY;
  // What an earlier generation has done it has committed to.
  const { begins } = generationAt(run, run.entries.length);
  const steps: Entry[] = [];
  for (const call of undoable.get(run.start.id) ?? []) {
    const end = run.answers.get(call);
    if (end?.kind === ENTRY_KINDS.stepCompleted && end.seq < patience && end.seq > begins)
      steps.push(end);
  }
  return steps;
}

/** What must hold of undos at the end of a run, whatever its code was. */
export function checkUndone(
  { ledger, witness, weather }: World,
  run: KnownRun,
  ending: Ending,
): void {
  const { id } = run.start;
  if (ending.status === "completed") {
    const undo = run.entries.find(({ call }) => isUndo(call));
    ledger.check("a run that completes undoes nothing", undo === undefined, () => id);
  }
  if (ending.status !== "compensated" || run.mixed) return;
  const told = toldBy(ending);
  const named = new Set([
    ...told.undone,
    ...told.failed.map(({ call }) => call),
    ...told.uncertain,
  ]);
  for (const { call } of completedUndoables(witness, run)) {
    ledger.check(
      "a compensated run undid, or names, what it completed",
      named.has(call),
      () => `${id} ${call}`,
    );
  }
  for (const call of told.undone) {
    const end = run.answers.get(undoCall(call))?.kind;
    const done = end === ENTRY_KINDS.stepCompleted;
    ledger.check("what is called undone was undone", done, () => `${id} ${call}`);
  }
  // To a clock that jumps, the patience of a compensation may be over at once.
  if (weather.clockJumps > 0) return;
  for (const call of told.uncertain) checkUncertain(witness, run, call);
}

// In the life of one activation, the end of a body that came in time is not called unknown.
function checkUncertain(witness: Witness, run: KnownRun, call: string): void {
  const { id } = run.start;
  const effect = witness.newest(id, call);
  const patience = run.answers.get(LINGER_CALL);
  if (effect === undefined || patience === undefined) return;
  const current = effect.attempt > (run.failures.get(call) ?? 0);
  const heard = effect.ended && effect.endedAt + HEARD_MS < patience.at;
  const sameLife = witness.lives.get(id) === effect.performance;
  witness.ledger.check(
    "a step that ended in time is not called uncertain",
    !(current && heard && sameLife),
    () => `${id} ${call} ended as ${effect.serial} at ${effect.endedAt}`,
  );
}

/** A run that ended with all of its code undid what the model foresees. */
export function checkCompensation(
  { ledger }: World,
  run: KnownRun,
  ending: Ending,
  { compensation }: Prediction,
): void {
  const { id } = run.start;
  ledger.check(
    "a run is compensated if it failed with something to undo",
    (ending.status === "compensated") === (compensation !== null),
    () => `${id} is ${ending.status}`,
  );
  if (compensation === null || ending.status !== "compensated") return;
  const told = toldBy(ending);
  for (const what of ["undone", "failed", "uncertain"] as const) {
    ledger.count(`compensation ${what}`, told[what].length);
  }
  const found = [told.undone, told.failed.map(({ call }) => call), told.uncertain];
  const expected = [compensation.undone, compensation.failed, compensation.uncertain];
  ledger.check(
    "a compensation does what is foreseen",
    JSON.stringify(found.map(sorted)) === JSON.stringify(expected.map(sorted)),
    () => `${id} should be ${JSON.stringify(expected)}, is ${JSON.stringify(found)}`,
  );
  const inOrder = run.entries
    .filter(({ kind, call }) => isUndo(call) && kind !== ENTRY_KINDS.attemptFailed)
    .map(({ call }) => compensation.completed.indexOf(call.slice(undoCall("").length)))
    .filter((at) => at >= 0);
  ledger.check(
    "undos are in the reverse order of completion",
    inOrder.every((at, place) => at === place),
    () => `${id}: ${inOrder.join()}`,
  );
}

function sorted(calls: readonly string[]): string[] {
  return [...calls].sort();
}

function toldBy({ error }: Ending): Told {
  return (error?.details?.["compensation"] as Told | undefined) ?? NOTHING;
}
