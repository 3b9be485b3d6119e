import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { type StepOptions, workflow } from "@claw/sdk";
import { World } from "./world.ts";

interface Report {
  readonly undone: readonly string[];
  readonly failed: readonly { readonly call: string; readonly error: { readonly code?: string } }[];
}

/** What the compensation of a run reports whose middle step has this undo. */
async function reportOf(t: TestContext, options: StepOptions<number>): Promise<Report> {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const trip = workflow("trip", async (ctx) => {
    await ctx.run("first", () => 1, { undo: () => {} });
    await ctx.run("bad", () => 2, { undoRetry: { attempts: 2, initial: 10 }, ...options });
    await ctx.run("last", () => 3, { undo: () => {} });
    ctx.fail("stop");
  });
  const claw = await world.open([trip]);
  const run = await claw.start(trip, undefined);
  assert.equal((await world.ended(run)).status, "compensated");
  const other = await claw.start(trip, undefined);
  assert.equal((await world.ended(other)).status, "compensated", "other runs go on");
  return (await claw.find(run.id))?.error?.details?.["compensation"] as Report;
}

const thrown: unknown[] = [
  new Error("gone"),
  "a text",
  null,
  undefined,
  { code: 5 },
  Object.freeze(Object.create(null)),
];

for (const [at, error] of thrown.entries()) {
  test(`an undo that throws is named and stops no other: sync and async, case ${at}`, async (t) => {
    const sync = await reportOf(t, {
      undo: () => {
        throw error;
      },
    });
    const async = await reportOf(t, {
      undo: async () => {
        throw error;
      },
    });
    for (const report of [sync, async]) {
      assert.deepEqual(report.undone, ["last", "first"]);
      assert.deepEqual(
        report.failed.map(({ call }) => call),
        ["bad"],
      );
    }
  });
}

test("an undo that never ends runs out of its own time, is named, and stops no other", async (t) => {
  const aborted: boolean[] = [];
  const report = await reportOf(t, {
    undoTimeout: "2s",
    undo: (_, step) =>
      new Promise(() => {
        step.signal.addEventListener("abort", () => aborted.push(true));
      }),
  });
  assert.deepEqual(report.undone, ["last", "first"]);
  assert.deepEqual(
    report.failed.map(({ call, error }) => [call, error.code]),
    [["bad", "CLAW-2002"]],
  );
  assert.equal(aborted.length, 4, "each attempt of both runs was told");
});

test("an undo that says nothing of its time has ten minutes an attempt", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const trip = workflow("trip", async (ctx) => {
    await ctx.run("bad", () => 2, {
      undoRetry: { attempts: 1 },
      undo: () => new Promise(() => {}),
    });
    ctx.fail("stop");
  });
  const claw = await world.open([trip]);
  const run = await claw.start(trip, undefined);
  const begunAt = world.clock.now();
  assert.equal((await world.ended(run)).status, "compensated");
  assert.ok(world.clock.now() - begunAt >= 600_000);
});

test("an undo that gives what cannot be stored has done its work", async (t) => {
  const report = await reportOf(t, { undo: () => 1n });
  assert.deepEqual(report.undone, ["last", "bad", "first"]);
});

test("a policy for uncertain steps that is none is a mistake of the code", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const trip = workflow("trip", (ctx) =>
    ctx.run("a", () => 1, { undo: () => {}, uncertain: "maybe" as "report" }),
  );
  const claw = await world.open([trip]);
  const { id } = await claw.start(trip, undefined);
  await world.shows(claw, id, "bug");
  assert.match(await world.reason(claw, id), /CLAW-1001.*uncertain/);
});
