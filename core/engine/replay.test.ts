import assert from "node:assert/strict";
import { setImmediate as drained } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeEntries,
  ENTRY_KINDS,
  type Entry,
  Journal,
  newRunId,
  type StartRow,
} from "../protocol/index.ts";
import {
  askCall,
  beginCalls,
  type Call,
  closeScope,
  completeStep,
  deliver,
  innerScope,
  nextItem,
  nextSegment,
  openRun,
  reopenRun,
  RETRY_DEFAULT,
  type RunState,
  type Scope,
  settleReplay,
} from "./index.ts";
import { firstUnasked } from "./records.ts";

// A program is a list of calls and of groups of programs that run side by side.
type Program = readonly (
  | string
  | { readonly group: "all" | "race"; readonly branches: Program[] }
)[];

const { program } = fc.letrec<{ program: Program }>((tie) => ({
  program: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom("a", "b", "c") },
      {
        weight: 1,
        arbitrary: fc.record({
          group: fc.constantFrom("all" as const, "race" as const),
          branches: fc.array(tie("program"), { minLength: 1, maxLength: 3 }),
        }),
      },
    ),
    { maxLength: 4 },
  ),
}));

const START: StartRow = {
  id: newRunId(1_000, 1, [1, 2, 3]),
  namespace: "default",
  workflow: "w",
  version: 1,
  input: "",
  startedAt: 1_000,
  parentRun: "",
  parentCall: "",
  cause: "",
};

interface Written {
  text: string;
}

/** Runs a program on the engine alone: the test plays the runtime, one delivery a turn. */
class Host {
  readonly state: RunState;
  /** What the code saw, in order: calls that it asked for and answers that it got. */
  readonly seen: string[] = [];
  readonly bodies: Call[] = [];
  ended = false;
  error: unknown = null;
  #now: number;

  constructor(state: RunState, now: number) {
    this.state = state;
    this.#now = now;
  }

  call(scope: Scope, name: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    promise.catch(() => {});
    const id = scope.path + nextSegment(scope, name);
    this.seen.push(`ask ${id}`);
    askCall(this.state, {
      id,
      scope,
      plan: {
        kind: "step",
        retry: RETRY_DEFAULT,
        timeoutMs: 0,
        heartbeatMs: 0,
        queue: "",
        rank: 0,
        undoable: false,
        shielded: false,
      },
      print: "",
      open: true,
      answered: false,
      begun: false,
      askedIn: 0,
      running: false,
      attempt: 1,
      dueAt: 0,
      resolve,
      reject,
      before: null,
      after: null,
    });
    return promise;
  }

  async run(scope: Scope, steps: Program): Promise<void> {
    for (const step of steps) {
      if (typeof step === "string") {
        this.seen.push(`got ${JSON.stringify(await this.call(scope, step))}`);
        continue;
      }
      const segment = nextSegment(scope, step.group);
      const inner = step.branches.map((_, at) => innerScope(scope, `${segment}[${at}]`, false));
      const running = step.branches.map((branch, at) => this.run(inner[at] as Scope, branch));
      for (const one of running) one.catch(() => {});
      await (step.group === "all" ? Promise.all(running) : Promise.race(running));
      for (const one of inner) closeScope(this.state, one, new Error("closed"));
    }
  }

  async start(steps: Program): Promise<void> {
    this.run(this.state.root, steps).then(
      () => (this.ended = true),
      (error: unknown) => (this.error = error),
    );
    await this.close();
  }

  async close(): Promise<void> {
    await drained();
    assert.equal(this.error, null);
    assert.equal(settleReplay(this.state), false, JSON.stringify(this.state.divergence));
    beginCalls(this.state, this.#now);
    // Nothing begins before every recorded answer was delivered.
    if (this.state.begun.length > 0) assert.equal(this.state.replayLeft, 0);
    for (const call of this.state.begun) this.bodies.push(call);
    this.state.begun = [];
  }

  /** One turn; false when nothing can be delivered. */
  async turn(): Promise<boolean> {
    const item = nextItem(this.state);
    if (item === null) return false;
    const asked = this.state.queue.filter((one) => !one.delivered && one.call?.open === true);
    assert.equal(item, asked[0], "the lowest sequence among those asked for");
    deliver(this.state, item);
    await this.close();
    return true;
  }

  /** Some body returns. False when none runs. */
  complete(pick: number): boolean {
    const running = this.bodies.filter((call) => call.open && !call.answered);
    const call = running[pick % Math.max(running.length, 1)];
    if (call === undefined) return false;
    this.#now += pick % 3;
    assert.ok(completeStep(this.state, call, JSON.stringify(call.id), this.#now));
    return true;
  }

  take(journal: Written): void {
    journal.text += this.state.draft?.entries ?? "";
    this.state.draft = null;
  }
}

function entriesOf(journal: Written): Entry[] {
  return decodeEntries(journal.text, 1, START.startedAt);
}

function reopen(journal: Written): RunState {
  return reopenRun({
    start: START,
    journal: Journal.read(journal.text, 1, START.startedAt),
    journalText: journal.text,
    inbox: [],
    inboxSeq: 0,
    waits: [],
    phase: "",
  });
}

/** Goes on until the code has ended or `picks` are used up; several answers may come before a turn. */
async function goOn(host: Host, picks: number[], journal: Written): Promise<void> {
  while (!host.ended && picks.length > 0) {
    const pick = picks.shift() ?? 0;
    if (pick % 4 === 0 || !host.complete(pick)) {
      if (!(await host.turn()) && !host.complete(pick)) break;
    }
    host.take(journal);
  }
}

async function replay(host: Host, steps: Program): Promise<void> {
  await host.start(steps);
  let more = true;
  while (more) more = await host.turn();
}

test("wherever a crash falls, replay sees what was seen and goes on, whatever the order of answers", async () => {
  const picks = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 120 });
  const crashes = fc.array(fc.nat(100), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(program, picks, crashes, async (steps, all, lengths) => {
      const journal: Written = { text: "" };
      let host = new Host(openRun(START), 1_000);
      await host.start(steps);
      const left = [...all];
      for (const length of [...lengths, left.length]) {
        await goOn(host, left.splice(0, length), journal);
        const before = host;
        const done = before.bodies.filter((call) => call.answered).map((call) => call.id);
        host = new Host(reopen(journal), 2_000_000);
        await replay(host, steps);
        assert.deepEqual(host.seen.slice(0, before.seen.length), before.seen);
        for (const call of host.bodies) assert.ok(!done.includes(call.id), `${call.id} again`);
      }
    }),
    { numRuns: 300 },
  );
});

test("every prefix of a journal replays without divergence", async () => {
  const picks = fc.array(fc.nat(1_000), { minLength: 20, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(program, picks, async (steps, all) => {
      const journal: Written = { text: "" };
      const host = new Host(openRun(START), 1_000);
      await host.start(steps);
      await goOn(host, [...all], journal);
      const records = journal.text.split("\u001e").slice(0, -1);
      for (let kept = 0; kept <= records.length; kept++) {
        const text = records.slice(0, kept).map((one) => `${one}\u001e`);
        const again = new Host(reopen({ text: text.join("") }), 2_000_000);
        await replay(again, steps);
        assert.equal(again.state.replaying, false);
        assert.equal(firstUnasked(again.state), null);
        assert.equal(again.state.replayLeft, 0);
      }
    }),
    { numRuns: 60 },
  );
});

test("a planted change before the end of the journal diverges", async () => {
  const steps: Program = ["a", "b", "c"];
  const journal: Written = { text: "" };
  const host = new Host(openRun(START), 1_000);
  await host.start(steps);
  await goOn(host, [1, 4, 1, 4], journal);
  assert.deepEqual(
    entriesOf(journal).map((entry) => [entry.kind, entry.call]),
    [
      [ENTRY_KINDS.stepCompleted, "a"],
      [ENTRY_KINDS.stepCompleted, "b"],
    ],
  );
  const diverges = async (changed: Program): Promise<boolean> => {
    const again = new Host(reopen(journal), 2_000_000);
    await replay(again, changed).catch(() => assert.ok(again.state.divergence !== null));
    // Code that ends early is found out when its run is to be finished.
    return firstUnasked(again.state) !== null;
  };
  const inserted: Program[] = [
    ["x", "a", "b", "c"],
    ["a", "x", "b"],
  ];
  for (const changed of [...inserted, ["a", "c"], ["a"], []]) {
    assert.ok(await diverges(changed), JSON.stringify(changed));
  }
  for (const legal of [
    ["a", "b"],
    ["a", "b", "x", "c"],
    ["b", "a", "c"],
  ]) {
    assert.ok(!(await diverges(legal)), JSON.stringify(legal));
  }
});
