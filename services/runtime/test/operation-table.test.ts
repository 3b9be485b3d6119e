import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hold, RunId } from "@claw/core/protocol";
import { type Context, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Claw } from "../src/index.ts";
import { World } from "./world.ts";

const never = new Promise<never>(() => {});

const forever = workflow("forever", (ctx) => ctx.receive("never"));

/** What the code does after its first step, so that its run comes into a state. */
const CODE = {
  running: (ctx: Context) => ctx.run("open", () => never),
  waiting: (ctx: Context) => ctx.receive("open"),
  awaiting: async (ctx: Context) => {
    void ctx.child(forever, 0, { onParentEnd: "wait" });
    await ctx.run("b", () => 1);
  },
  compensating: async (ctx: Context) => {
    await ctx.run("b", () => 1, { undo: () => never });
    return ctx.fail("x");
  },
  bug: () => {
    throw new TypeError("x");
  },
  completed: () => 1,
  failed: (ctx: Context) =>
    ctx.run("c", () => Promise.reject(new Error("x")), { retry: { attempts: 1 } }),
  compensated: async (ctx: Context) => {
    await ctx.run("b", () => 1, { undo: () => {} });
    return ctx.fail("x");
  },
};

const flows = Object.entries(CODE).map(([name, code]) =>
  workflow(name, async (ctx) => {
    ctx.query("q", () => 1);
    ctx.update("u", {}, () => 1);
    await ctx.run("a", () => 1);
    return code(ctx);
  }),
);

const STATES = [
  "running",
  "waiting",
  "compensating",
  "paused",
  "bug",
  "quarantined",
  "diverged",
  "stuck",
  "no_code",
  "unreadable",
  "awaiting",
  "completed",
  "failed",
  "cancelled",
  "terminated",
  "compensated",
  "unknown",
] as const;
type State = (typeof STATES)[number];

const OPERATIONS: Readonly<
  Record<string, (claw: Claw, run: RunId, state: State) => Promise<unknown>>
> = {
  pause: (claw, run) => claw.pause(run),
  resume: (claw, run) => claw.resume(run),
  release: (claw, run) => claw.release(run),
  terminate: (claw, run) => claw.terminate(run),
  fork: (claw, run) => claw.fork(run, { from: "a" }),
  retry: (claw, run) => claw.retry(run),
  skip: (claw, run, state) =>
    claw.skip(run, state === "running" ? "open" : "signal:open", 1, { by: "ada" }),
  signal: (claw, run) => claw.signal(run, "any", 1),
  cancel: (claw, run) => claw.cancel(run),
  query: (claw, run) => claw.query(run, "q"),
  update: (claw, run) => claw.update(run, "u"),
  approve: (claw, run) => claw.approve(run, "approval", { decision: "approve", by: "ada" }),
};

const OK = "";
const [ENDED, UNKNOWN, STATE, NOT_OPEN, NO_FORK] = [
  "CLAW-3002",
  "CLAW-3001",
  "CLAW-2015",
  "CLAW-2016",
  "CLAW-2017",
];
const NO_APPROVAL = "CLAW-3012";

/** The answer of an operation in all states; what differs from `others` is named. */
function row(others: string, named: Partial<Record<State, string>>): Record<State, string> {
  return Object.fromEntries(STATES.map((state) => [state, named[state] ?? others])) as Record<
    State,
    string
  >;
}

const ENDS = {
  completed: ENDED,
  failed: ENDED,
  cancelled: ENDED,
  terminated: ENDED,
  compensated: ENDED,
  unknown: UNKNOWN,
};
const HELD = {
  bug: STATE,
  quarantined: STATE,
  diverged: STATE,
  stuck: STATE,
  no_code: STATE,
  unreadable: STATE,
};

/** For each operation and state: allowed, or with which code it is refused. */
const TABLE: Readonly<Record<string, Readonly<Record<State, string>>>> = {
  pause: row(OK, { ...HELD, ...ENDS }),
  resume: row(STATE, { paused: OK, ...ENDS }),
  release: row(OK, { paused: STATE, ...ENDS }),
  terminate: row(OK, ENDS),
  fork: row(OK, { compensating: NO_FORK, compensated: NO_FORK, unknown: UNKNOWN }),
  retry: row(STATE, {
    failed: OK,
    cancelled: OK,
    terminated: OK,
    compensated: NO_FORK,
    unknown: UNKNOWN,
  }),
  skip: row(OK, {
    compensating: NOT_OPEN,
    awaiting: NOT_OPEN,
    paused: STATE,
    ...HELD,
    ...ENDS,
  }),
  signal: row(OK, ENDS),
  cancel: row(OK, ENDS),
  query: row(OK, ENDS),
  update: row(OK, { ...HELD, compensating: STATE, paused: STATE, awaiting: STATE, ...ENDS }),
  approve: row(NO_APPROVAL, ENDS),
};

/** Holds that are written into the row, as a process would have left them. */
const MARKED: ReadonlySet<string> = new Set([
  "quarantined",
  "diverged",
  "stuck",
  "no_code",
  "unreadable",
]);

/** Brings a run into a state. */
async function inState(world: World, disk: MemoryDisk, claw: Claw, state: State): Promise<RunId> {
  if (state === "unknown") return "run_00000000000000000000000000";
  const code = Object.hasOwn(CODE, state) ? state : "waiting";
  const { id } = await claw.start(code, null);
  if (code === "waiting" || state === "awaiting") await world.parked(claw, id);
  if (state === "running") await world.soon(() => claw.stats().bodies === 2);
  if (state === "paused") await claw.pause(id);
  if (state === "cancelled") await claw.cancel(id);
  if (state === "terminated") await claw.terminate(id);
  const row = disk.runs.get(id);
  if (MARKED.has(state) && row !== undefined) {
    disk.runs.set(id, { ...row, due: null, held: state as Hold });
  }
  await world.shows(claw, id, state === "awaiting" ? "waiting" : state);
  return id;
}

async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act;
    return OK;
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

for (const [operation, answers] of Object.entries(TABLE)) {
  for (const state of STATES) {
    const expected = answers[state];
    const says = expected === OK ? "is allowed" : `is refused with ${expected}`;
    test(`${operation} ${says} when the run is ${state}`, async (t) => {
      const disk = new MemoryDisk();
      const world = new World(t, () => memoryStore({ disk }));
      const claw = await world.open([...flows, forever]);
      const run = await inState(world, disk, claw, state);
      const before = disk.runs.get(run);
      const act = OPERATIONS[operation]?.(claw, run, state) ?? Promise.reject(new Error(operation));
      assert.equal(await codeOf(act), expected);
      if (expected !== OK) assert.deepEqual(disk.runs.get(run), before, "it changed nothing");
    });
  }
}
