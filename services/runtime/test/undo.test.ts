import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Claw } from "@claw/runtime";
import { type AnyWorkflow, workflow } from "@claw/sdk";
import { gate, World } from "./world.ts";

interface Place {
  readonly world: World;
  /** What bodies and undos did, in order. */
  readonly did: string[];
  readonly open: (...workflows: AnyWorkflow[]) => Promise<Claw>;
}

function openPlace(t: TestContext): Place {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  return { world, did: [], open: (...workflows) => world.open(workflows) };
}

interface Report {
  readonly undone: string[];
  readonly failed: { call: string; error: { message: string } }[];
  readonly uncertain: string[];
}

async function compensationOf(claw: Claw, run: string): Promise<Report> {
  const record = await claw.find(run);
  assert.equal(record?.status, "compensated", record?.reason);
  return record.error?.details?.["compensation"] as Report;
}

test("a failed run undoes its completed steps in the reverse order of completion", async (t) => {
  const { did, open, world } = openPlace(t);
  const trip = workflow("trip", async (ctx) => {
    for (const what of ["flight", "hotel", "car"]) {
      await ctx.run(what, () => `${what}-1`, {
        undo: (value) => void did.push(`undo ${value}`),
      });
    }
    await ctx.run("plain", () => 1);
    ctx.fail("no visa");
  });
  const claw = await open(trip);
  const run = await claw.start(trip, undefined);
  const end = await world.ended(run);
  assert.equal(end.status, "compensated");
  assert.equal(end.error.code, "CLAW-2009");
  assert.deepEqual(did, ["undo car-1", "undo hotel-1", "undo flight-1"]);
  assert.deepEqual(await compensationOf(claw, run.id), {
    undone: ["car", "hotel", "flight"],
    failed: [],
    uncertain: [],
  });
});

test("a run that completes undoes nothing", async (t) => {
  const { did, open, world } = openPlace(t);
  const trip = workflow("trip", (ctx) =>
    ctx.run("flight", () => 1, { undo: () => void did.push("undo") }),
  );
  const claw = await open(trip);
  assert.equal(await world.output(await claw.start(trip, undefined)), 1);
  assert.deepEqual(did, []);
});

test("an undo that fails is tried again, is named, and does not stop the others", async (t) => {
  const { did, open, world } = openPlace(t);
  const trip = workflow("trip", async (ctx) => {
    await ctx.run("a", () => 1, { undo: () => void did.push("undo a") });
    await ctx.run("b", () => 1, {
      undoRetry: { attempts: 2, initial: 1 },
      undo: (_, step) => {
        did.push(`undo b ${step.attempt}`);
        throw new Error("gone");
      },
    });
    ctx.fail("stop");
  });
  const claw = await open(trip);
  const run = await claw.start(trip, undefined);
  await world.ended(run);
  assert.deepEqual(did, ["undo b 1", "undo b 2", "undo a"]);
  const { undone, failed } = await compensationOf(claw, run.id);
  assert.deepEqual(undone, ["a"]);
  assert.equal(failed[0]?.call, "b");
  assert.equal(failed[0]?.error.message, "gone");
});

test("a compensation goes on after a stop where it stood, and repeats no recorded undo", async (t) => {
  const { did, open, world } = openPlace(t);
  const atSecond = gate();
  let hang = true;
  const trip = workflow("trip", async (ctx) => {
    await ctx.run("a", () => 1, {
      undo: async () => {
        did.push("undo a");
        if (!hang) return;
        atSecond.open();
        await new Promise(() => {});
      },
    });
    await ctx.run("b", () => 1, { undo: () => void did.push("undo b") });
    ctx.fail("stop");
  });
  const first = await open(trip);
  const run = await first.start(trip, undefined);
  await atSecond.promise;
  assert.equal((await first.find(run.id))?.status, "compensating");
  hang = false;
  const second = await open(trip);
  assert.equal((await world.ended(second.run(run.id))).status, "compensated");
  assert.deepEqual(did, ["undo b", "undo a", "undo a"]);
});

test("cancelling undoes; a cancellation in the middle of it changes nothing", async (t) => {
  const { did, open, world } = openPlace(t);
  const undoing = gate();
  const finish = gate();
  const trip = workflow("trip", async (ctx) => {
    await ctx.run("a", () => 1, {
      undo: () => {
        did.push("undo a");
        undoing.open();
        return finish.promise;
      },
    });
    await ctx.receive("never");
  });
  const claw = await open(trip);
  const run = await claw.start(trip, undefined);
  await claw.cancel(run.id, "enough");
  await undoing.promise;
  await claw.cancel(run.id, "really");
  finish.open();
  const end = await world.ended(run);
  assert.equal(end.status, "compensated");
  assert.equal(end.error.code, "CLAW-2003");
  assert.deepEqual(did, ["undo a"]);
});

test("a step that lost a race is undone as well when it completes after all", async (t) => {
  const { did, open, world } = openPlace(t);
  const slow = gate<number>();
  const trip = workflow("trip", async (ctx) => {
    await ctx.race("r", [
      (c) => c.run("quick", () => 1),
      (c) => c.run("slow", () => slow.promise, { undo: (value) => void did.push(`undo ${value}`) }),
    ]);
    await ctx.run("let go", () => slow.open(2));
    ctx.fail("stop");
  });
  const claw = await open(trip);
  await world.ended(await claw.start(trip, undefined));
  assert.deepEqual(did, ["undo 2"]);
});

for (const [policy, expected] of [
  ["report", []],
  ["rerun", ["undo 7"]],
  ["call", ["undo undefined"]],
] as const) {
  test(`a step whose end is not known is treated by its policy: ${policy}`, async (t) => {
    const { did, open, world } = openPlace(t);
    const inBody = gate();
    let hang = true;
    const trip = workflow("trip", async (ctx) => {
      await ctx.race("r", [
        (c) =>
          c.run(
            "pay",
            async () => {
              inBody.open();
              if (hang) await new Promise(() => {});
              return 7;
            },
            { uncertain: policy, undo: (value) => void did.push(`undo ${value}`) },
          ),
        (c) => c.receive("stop"),
      ]);
      ctx.fail("stopped");
    });
    const first = await open(trip);
    const run = await first.start(trip, undefined);
    await inBody.promise;
    await first.signal(run.id, "stop");
    hang = false;
    const end = await world.ended(run);
    assert.equal(end.status, "compensated");
    assert.deepEqual(did, expected);
    const { uncertain } = await compensationOf(first, run.id);
    assert.deepEqual(uncertain, policy === "report" ? ["r[0]/pay"] : []);
  });
}
