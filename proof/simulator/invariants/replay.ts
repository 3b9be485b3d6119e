import type { Batch, BatchAnswer, Store, StoredRun } from "@claw/core/ports";
import {
  type ChildOutcome,
  decodePayload,
  encodeEntry,
  encodeGap,
  ENTRY_KINDS,
  Journal,
} from "@claw/core/protocol";
import { type Claw, openRuntime } from "@claw/runtime";
import type { Dice } from "../dice.ts";
import { toDefinitions } from "../interpret.ts";
import { type ExpectedCall, originOf, predict, type Prediction } from "../model.ts";
import { QUERY } from "../statements/handlers.ts";
import { agrees } from "./code.ts";
import { drain } from "../scheduler.ts";
import { generationAt, type KnownRun } from "../truth.ts";
import { undoCall } from "../undo-model.ts";
import type { World } from "../world.ts";

/** Runs of a world that are replayed once more, each over several prefixes of its journal. */
const RUNS_MAX = 3;
const PREFIXES = 3;

/**
 * Runs the code again over prefixes of journals, with the production runtime in a world of its own that
 * never commits: it must ask for the calls that the model foresees, and for nothing else.
 */
export async function checkReplay(world: World, dice: Dice): Promise<void> {
  const runs = [...world.truth.runs.values()].filter((run) => isUnchanged(world, run));
  for (let i = 0; i < RUNS_MAX && runs.length > 0; i++) {
    const run = dice.pick(runs);
    for (let j = 0; j < PREFIXES; j++) {
      await replay(world, run, dice.below(run.entries.length + 1));
    }
  }
}

// Only journals that one and the same code has written say what that code does.
function isUnchanged(world: World, { start, ending, entries, mixed }: KnownRun): boolean {
  const program = world.programs.find(({ name }) => name === start.workflow);
  return (
    ending !== null &&
    entries.length > 0 &&
    start.version === 1 &&
    !world.poisoned.has(start.id) &&
    !mixed &&
    program?.foreign === "no"
  );
}

async function replay(world: World, run: KnownRun, length: number): Promise<void> {
  const { programs, ledger } = world;
  const program = programs.find(({ name }) => name === run.start.workflow);
  if (program === undefined) return;
  const entries = run.entries.slice(0, length);
  const { id, namespace, startedAt } = run.start;
  const { generation, begins } = generationAt(run, length);
  const facts = { run: id, namespace, startedAt, entries, generation, begins };
  const prediction = predict(program, programs, facts);
  const foreseen = [...prediction.calls.keys()];
  // A prefix of another code's journal diverges; it is checked where that happened.
  if (
    prediction.unsure ||
    prediction.disordered ||
    !entries.slice(begins).every((entry) => agrees(entry, prediction, facts))
  )
    return;
  const asked: string[] = [];
  // A body that a compensation runs again is a call of its own.
  const begun = (key: string): Promise<never> => {
    const recorded = entries.some(
      ({ call, kind }) => `${id}/${call}` === key && kind !== ENTRY_KINDS.attemptFailed,
    );
    ledger.check("a recorded call never runs again", !recorded, () => `${key}, replayed`);
    return new Promise(() => {});
  };
  const { workflows, tasks } = toDefinitions(programs, programs, {
    activated: () => ({
      run: id,
      origin: originOf(id, run.entries),
      seen: [],
      seenAt: new Map(),
      durable: 0,
      asked,
    }),
    counted: () => {},
    body: (_, _call, _statement, step) => begun(step.key),
    task: (_, step) => begun(step.key),
    undo: (_, call) => {
      const recorded = entries.some(
        (entry) => entry.call === undoCall(call) && entry.kind !== ENTRY_KINDS.attemptFailed,
      );
      ledger.check("a recorded undo never runs again", !recorded, () => `${id} ${call}, replayed`);
      return new Promise(() => {});
    },
    foreign: () => new Promise(() => {}),
  });
  const open = (store: Store): Promise<Claw> =>
    openRuntime({ store, workflows, tasks, namespace, clock: STILL });
  await open(frozenStore(run, length, true));
  for (let i = 0; i < length * 3 + 30; i++) await drain();
  // Beyond the journal it may go on with what needs no commit to be answered.
  const unasked = foreseen.filter((call) => !asked.includes(call));
  ledger.check(
    "a prefix of the journal gives the same calls",
    unasked.length === 0,
    () => `${id} over ${length} entries did not ask for ${unasked.join(", ")}`,
  );
  if (program.handler !== null) await checkQuery(world, run, length, prediction, open);
}

async function checkQuery(
  { ledger }: World,
  run: KnownRun,
  length: number,
  { calls, goesOnAt }: Prediction,
  open: (store: Store) => Promise<Claw>,
): Promise<void> {
  const { id } = run.start;
  let commits = 0;
  const resting = frozenStore(run, length, false, () => commits++);
  const answer = await settled((await open(resting)).query<readonly string[]>(id, QUERY), length);
  if (answer === null && looksAnew(calls)) return;
  // What was recorded with the answer that let it go on is for nobody.
  const seen = [...calls]
    .filter(([, call]) => isSeen(call) && (call.answer?.seq ?? 0) <= goesOnAt)
    .map(([call]) => call);
  ledger.check(
    "a query of a run at rest answers what its journal says, and writes nothing",
    commits === 0 && JSON.stringify(answer?.toSorted()) === JSON.stringify(seen.sort()),
    () =>
      `${id} over ${length} entries: ${commits} commits, ${answer?.join()} is not ${seen.join()}`,
  );
}

// It would look at the state of its key, or set it, beyond the journal.
function looksAnew(calls: Iterable<[string, ExpectedCall]>): boolean {
  for (const [call, { answer }] of calls) {
    if (call.startsWith("state:") && answer === undefined) return true;
  }
  return false;
}

// Answers that the code has as values: what failed was thrown.
function isSeen({ answer, delivered }: ExpectedCall): boolean {
  if (answer === undefined || !delivered || answer.kind === ENTRY_KINDS.stepFailed) return false;
  if (answer.kind === ENTRY_KINDS.startRefused) return false;
  if (answer.kind !== ENTRY_KINDS.childEnded) return true;
  return (decodePayload(answer.data) as ChildOutcome).status === "completed";
}

// What comes of a promise in the time that a replay takes; null for nothing.
async function settled<T>(promise: Promise<T>, length: number): Promise<T | null> {
  const values: T[] = [];
  promise.then(
    (value) => values.push(value),
    () => {},
  );
  for (let i = 0; i < length * 3 + 60 && values.length === 0; i++) await drain();
  return values[0] ?? null;
}

const STILL = { now: () => 0, after: () => () => {} };

const FIRST_OF_KEY = { seq: 1, place: "head", passes: 0, state: "" } as const;

const NO_TASKS: Store["tasks"] = {
  head: () => ({ lastId: 0, salt: 0 }),
  queues: () => [],
  backlog: () => [],
  blocks: () => [],
  due: () => [],
  nextDue: () => null,
  counts: () => [],
  list: () => [],
  find: () => null,
};

// Holds one run with a part of its journal, and never answers a commit.
function frozenStore(
  run: KnownRun,
  length: number,
  due: boolean,
  committed: () => void = () => {},
): Store {
  const { start } = run;
  const { generation, begins } = generationAt(run, length);
  const journal = run.entries.slice(Math.max(0, begins - 1), length);
  const gap = begins > 1 ? encodeGap(begins - 1) : "";
  const journalText = gap + journal.map((entry) => encodeEntry(entry, start.startedAt)).join("");
  const input = run.generations[generation - 2]?.input ?? start.input;
  const { keyed, ...plain } = start;
  const row = {
    ...plain,
    input,
    ...(keyed === undefined ? {} : { keyed: { ...keyed, ...FIRST_OF_KEY } }),
    seq: length,
    inboxSeq: 0,
    due: due ? 1 : null,
    waits: due ? 0 : 1,
    held: "",
    heldReason: "",
    phase: "",
    recoveries: 0,
  } as const;
  const stored: StoredRun = {
    row,
    journal: Journal.of(journal),
    journalText,
    inbox: [],
    waits: [],
  };
  return {
    open: () => ({ kind: "", location: "", durability: "", schemaVersion: 1, incarnation: 1 }),
    close: () => {},
    commit: (_batch: Batch) => {
      committed();
      return new Promise<BatchAnswer>(() => {});
    },
    load: () => [stored],
    approvals: () => [],
    due: () => (due ? [start.id] : []),
    suspects: () => [],
    nextDue: () => null,
    held: () => [],
    findDedup: () => null,
    list: () => [],
    find: () => null,
    key: () => null,
    sweep: () => ({ runs: {}, events: 0, next: { run: null, event: null } }),
    expire: () => 0,
    streams: { read: () => null },
    tasks: NO_TASKS,
    blobs: { read: () => null, stage: () => {}, remove: () => 0 },
    check: () => [],
    look: () => {
      throw new Error("a replay looks at nothing else");
    },
    backup: () => {},
  };
}
