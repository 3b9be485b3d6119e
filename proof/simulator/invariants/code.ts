import type { Transition } from "@claw/core/ports";
import { type Entry, ENTRY_KINDS, fingerprint } from "@claw/core/protocol";
import type { Host } from "../host.ts";
import { type Facts, type Prediction, predict } from "../model.ts";
import type { Program } from "../statement.ts";
import { generationAt, type KnownRun } from "../truth.ts";
import { isUndo } from "../undo-model.ts";
import type { World } from "../world.ts";
import { checkChildren } from "./children.ts";
import { checkAttributes } from "./approvals.ts";
import { checkEvents } from "./events.ts";
import { checkPutBack } from "./generations.ts";
import { checkUpdates } from "./updates.ts";
import { checkSteps } from "./steps.ts";
import { checkCompensation, checkUndone } from "./undo.ts";

/** How the error of a run begins that was cancelled while it was held, or instead of being held. */
const HELD = /^(The held run|It was cancelled while it was held)/;

/** Holds what runs do against what their programs mean. */
export class CodeCheck {
  readonly #world: World;
  /** Entries that each activation began with, until its first transition. */
  readonly #begun = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The code of a run begins from the top. */
  activated(run: string): void {
    this.#begun.set(run, this.#world.truth.runs.get(run)?.entries.length ?? 0);
  }

  /** A transition of a run is durable. */
  applied(host: Host, item: Transition): void {
    const { truth, programs, poisoned } = this.#world;
    const run = truth.runs.get(item.run);
    const before = this.#begun.get(item.run) ?? 0;
    if (run !== undefined) checkChildren(this.#world, run, item);
    const goesOn = item.rare?.renewal !== undefined && item.rare.renewal !== null;
    if (item.entries === "" && item.hold === null && item.finish === null && !goesOn) return;
    this.#begun.delete(item.run);
    if (run === undefined || poisoned.has(item.run)) return;
    if (item.finish !== null) checkUndone(this.#world, run, item.finish.ending);
    const program = host.finds(run.start.workflow, run.start.version);
    if (item.hold !== null) this.#held(host, program, item, item.hold);
    const mixed = run.mixed;
    // Whoever wrote the whole journal asks for what it has: it is held against its code when a generation ends.
    // Here it needs a look only when it diverges, which code that asks for all must not.
    const wroteItAll = !mixed && run.code === program?.body && item.hold?.kind !== "diverged";
    if (program !== undefined && item.entries !== "") wroteBy(run, program);
    // A program whose children are missing ends differently, and says so with CLAW-1003.
    if (program === undefined || !host.hosts(programs)) return;
    if (before > 0 && !wroteItAll) this.#replayed(program, run, before, item, mixed);
    if (goesOn) return this.#wentOn(program, run, item);
    if (item.finish === null || isWithoutCode(item, run) || run.mixed) return;
    if (run.code !== null && run.code !== program.body) return;
    const facts = factsOf(run, run.entries);
    const prediction = predict(program, programs, facts);
    if (!prediction.unsure && !prediction.disordered)
      this.#ended(run, item.finish.ending, prediction, facts);
  }

  // A generation of a run has ended; the next one is that of one code again.
  #wentOn(program: Program, run: KnownRun, item: Transition): void {
    const { programs, ledger } = this.#world;
    const last = run.entries.length - 1;
    const facts = factsOf(run, run.entries.slice(0, last));
    const prediction = predict(program, programs, facts);
    const isSure = !run.mixed && !prediction.unsure && !prediction.disordered;
    run.mixed = false;
    run.code = null;
    for (const [call, expected] of prediction.calls) {
      const isSeen = (expected.answer?.seq ?? 0) <= prediction.goesOnAt;
      run.past.set(call, { ...expected, delivered: expected.delivered && isSeen });
    }
    if (!isSure) return;
    ledger.check(
      "a generation ends where its code goes on",
      prediction.goesOnAt < Number.POSITIVE_INFINITY,
      () => `${run.start.id} after ${last} entries`,
    );
    checkPutBack(this.#world, item, prediction);
    this.#calls(run, prediction, facts);
    run.foreseen++;
  }

  #held(
    host: Host,
    program: Program | undefined,
    item: Transition,
    { kind, reason }: NonNullable<Transition["hold"]>,
  ): void {
    const { ledger } = this.#world;
    ledger.count(`hold ${kind}`);
    const declared =
      kind === "diverged" ||
      kind === "paused" ||
      (kind === "no_code" && program === undefined) ||
      (kind === "stuck" && program?.foreign !== "no") ||
      (kind === "bug" && (program?.foreign !== "no" || reason.includes("CLAW-1003")));
    ledger.check(
      "a run is held for a declared reason only",
      declared,
      () => `${host.name} ${item.run} ${kind}: ${reason}`,
    );
  }

  #replayed(
    program: Program,
    run: KnownRun,
    before: number,
    item: Transition,
    mixed: boolean,
  ): void {
    const { programs, ledger } = this.#world;
    if (program.foreign !== "no" || isWithoutCode(item, run)) return;
    // What ran in another order delivers in another order: only plain sequences are foreseen then.
    if (mixed && !isPlain(program, run)) return;
    const prefix = run.entries.slice(0, before);
    const prediction = predict(program, programs, factsOf(run, prefix));
    if (prediction.unsure || (prediction.disordered && !isPlain(program, run))) return;
    const facts = factsOf(run, prefix);
    const unasked = prefix.slice(facts.begins).find((entry) => !agrees(entry, prediction, facts));
    const diverged = item.hold?.kind === "diverged";
    if (unasked === undefined) {
      ledger.check(
        "code that asks for all that is recorded never diverges",
        !diverged,
        () => `${item.run} of ${program.name}: ${item.hold?.reason}`,
      );
    } else {
      ledger.check(
        "code that leaves out what is recorded diverges",
        diverged,
        () => `${item.run} of ${program.name} does not ask for ${unasked.call}`,
      );
    }
  }

  // What the journal of a generation has is what its code asks for, and ends as that does.
  #calls(run: KnownRun, prediction: Prediction, facts: Facts): void {
    const { ledger, weather } = this.#world;
    for (const entry of facts.entries.slice(facts.begins)) {
      ledger.check(
        "the journal has only calls of the code",
        agrees(entry, prediction, facts),
        () => `${run.start.id} ${entry.call}`,
      );
    }
    this.#world.approvals.ended(facts, prediction.calls);
    checkUpdates(ledger, facts, prediction);
    checkSteps(ledger, facts, prediction.calls, weather.clockJumps > 0 || weather.blocks);
    const isKnown = run.foreseen >= facts.generation - 1;
    if (weather.clockJumps === 0 && isKnown)
      checkEvents(this.#world, facts, prediction.calls, run.past);
  }

  #ended(
    run: KnownRun,
    ending: NonNullable<Transition["finish"]>["ending"],
    prediction: Prediction,
    facts: Facts,
  ): void {
    const { ledger } = this.#world;
    const { id } = run.start;
    this.#calls(run, prediction, facts);
    if (facts.generation === 1) checkAttributes(this.#world, run, prediction.calls);
    const expected = prediction.waiting
      ? "it waits"
      : (prediction.error ?? JSON.stringify(prediction.output));
    const found = ending.status === "completed" ? ending.output : ending.error?.code;
    checkCompensation(this.#world, run, ending, prediction);
    ledger.check(
      "a run ends as its journal says",
      expected === found,
      () => `${id} of ${run.start.workflow} should be ${expected}, is ${ending.status} ${found}`,
    );
  }
}

// Remembers whose code wrote a journal: what two codes wrote together, no program foresees.
function wroteBy(run: KnownRun, { body }: Program): void {
  run.mixed ||= run.code !== null && run.code !== body;
  run.code = body;
}

function isPlain(program: Program, { entries }: KnownRun): boolean {
  if (entries.some(({ kind }) => kind === ENTRY_KINDS.updateTaken)) return false;
  return program.body.every(({ op }) => op === "run" || op === "sleep" || op === "receive");
}

function factsOf(run: KnownRun, entries: readonly Entry[]): Facts {
  const { id, namespace, startedAt } = run.start;
  return { run: id, namespace, startedAt, entries, ...generationAt(run, entries.length) };
}

// A cancelled run that was not in memory and cannot run ends without its code being told.
function isWithoutCode({ finish }: Transition, run: KnownRun): boolean {
  const { cancelRequested } = ENTRY_KINDS;
  if (finish?.ending.status === "terminated") return true;
  if (finish?.ending.status !== "cancelled") return false;
  if (HELD.test(finish.ending.error?.message ?? "")) return true;
  return !run.entries.some(({ kind }) => kind === cancelRequested);
}

// Entries that answer no call of the code.
const SAID_BESIDE: ReadonlySet<string> = new Set([
  ENTRY_KINDS.cancelRequested,
  ENTRY_KINDS.undoPlanned,
  ENTRY_KINDS.forked,
  ENTRY_KINDS.childUnused,
  ENTRY_KINDS.decisionUnused,
]);

/** True when the code asks for what an entry answers, as far as the model can tell. */
export function agrees(
  entry: Entry,
  { calls, compensation, updates }: Prediction,
  { startedAt, entries }: Facts,
): boolean {
  const { updateTaken, updateEnded } = ENTRY_KINDS;
  if (SAID_BESIDE.has(entry.kind)) return true;
  const isUpdate = entry.kind === updateTaken || entry.kind === updateEnded;
  if (isUpdate) return updates?.has(entry.call) === true;
  if (isUndo(entry.call)) return compensation?.asked.has(entry.call) === true;
  const expected = calls.get(entry.call);
  if (expected === undefined) return false;
  const { statement, askedAt } = expected;
  if (statement.op === "until") {
    const now = askedAt === 0 ? startedAt : (entries[askedAt - 1]?.at ?? 0);
    return entry.print === (now + statement.ms).toString(36);
  }
  if (statement.op === "attributes")
    return entry.print === fingerprint(JSON.stringify(statement.values));
  return statement.op !== "sleep" || entry.print === statement.ms.toString(36);
}
