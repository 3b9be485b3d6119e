import assert from "node:assert/strict";
import { test } from "node:test";
import { type RunId } from "@claw/core/protocol";
import { type Context, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Claw } from "../src/index.ts";
import { World } from "./world.ts";

const never = new Promise<never>(() => {});

/** What the code does after its first step, so that its run comes into a state. */
const CODE = {
  running: (ctx: Context) => ctx.run("open", () => never),
  waiting: (ctx: Context) => ctx.receive("open"),
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
};

const OK = "";
const [ENDED, UNKNOWN, STATE, NOT_OPEN, NO_FORK] = [
  "CLAW-3002",
  "CLAW-3001",
  "CLAW-2015",
  "CLAW-2016",
  "CLAW-2017",
];

/** For each operation its answers in the order of STATES: allowed, or with which code it is refused. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  pause: [OK, OK, OK, OK, STATE, STATE, ENDED, ENDED, ENDED, ENDED, ENDED, UNKNOWN],
  resume: [STATE, STATE, STATE, OK, STATE, STATE, ENDED, ENDED, ENDED, ENDED, ENDED, UNKNOWN],
  release: [OK, OK, OK, STATE, OK, OK, ENDED, ENDED, ENDED, ENDED, ENDED, UNKNOWN],
  terminate: [OK, OK, OK, OK, OK, OK, ENDED, ENDED, ENDED, ENDED, ENDED, UNKNOWN],
  fork: [OK, OK, NO_FORK, OK, OK, OK, OK, OK, OK, OK, NO_FORK, UNKNOWN],
  retry: [STATE, STATE, STATE, STATE, STATE, STATE, STATE, OK, OK, OK, NO_FORK, UNKNOWN],
  skip: [OK, OK, NOT_OPEN, STATE, STATE, STATE, ENDED, ENDED, ENDED, ENDED, ENDED, UNKNOWN],
};

/** Brings a run into a state. */
async function inState(world: World, disk: MemoryDisk, claw: Claw, state: State): Promise<RunId> {
  if (state === "unknown") return "run_00000000000000000000000000";
  const code = Object.hasOwn(CODE, state) ? state : "waiting";
  const { id } = await claw.start(code, null);
  if (code === "waiting") await world.parked(claw, id);
  if (state === "running") await world.soon(() => claw.stats().bodies === 2);
  if (state === "paused") await claw.pause(id);
  if (state === "cancelled") await claw.cancel(id);
  if (state === "terminated") await claw.terminate(id);
  const row = disk.runs.get(id);
  if (state === "quarantined" && row !== undefined) {
    disk.runs.set(id, { ...row, due: null, held: "quarantined" });
  }
  await world.shows(claw, id, state);
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
  for (const [at, state] of STATES.entries()) {
    const expected = answers[at] ?? "";
    const says = expected === OK ? "is allowed" : `is refused with ${expected}`;
    test(`${operation} ${says} when the run is ${state}`, async (t) => {
      const disk = new MemoryDisk();
      const world = new World(t, () => memoryStore({ disk }));
      const claw = await world.open(flows);
      const run = await inState(world, disk, claw, state);
      const before = disk.runs.get(run);
      const act = OPERATIONS[operation]?.(claw, run, state) ?? Promise.reject(new Error(operation));
      assert.equal(await codeOf(act), expected);
      if (expected !== OK) assert.deepEqual(disk.runs.get(run), before, "it changed nothing");
    });
  }
}
