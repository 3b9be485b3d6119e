import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { type AnyWorkflow, workflow } from "@claw/sdk";
import type { Claw } from "../src/index.ts";
import { gate, World } from "./world.ts";

interface Place {
  readonly world: World;
  readonly disk: MemoryDisk;
  readonly open: (...workflows: AnyWorkflow[]) => Promise<Claw>;
}

function openPlace(t: TestContext): Place {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  return { world, disk, open: (...workflows) => world.open(workflows) };
}

async function compensationOf(claw: Claw, run: string): Promise<unknown> {
  return (await claw.find(run))?.error?.details?.["compensation"];
}

const undo = (): void => {};

test("a step that is run again to learn what must be undone, and fails for good, is named as uncertain", async (t) => {
  const { world, open } = openPlace(t);
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
            throw new Error("the bank is gone");
          },
          { uncertain: "rerun", undo, retry: { attempts: 1 } },
        ),
      (c) => c.receive("stop"),
    ]);
    ctx.fail("stopped");
  });
  const claw = await open(trip);
  const run = await claw.start(trip, undefined);
  await inBody.promise;
  await claw.signal(run.id, "stop");
  hang = false;
  assert.equal((await world.ended(run)).status, "compensated");
  const expected = { undone: [], failed: [], uncertain: ["r[0]/pay"] };
  assert.deepEqual(await compensationOf(claw, run.id), expected);
});

/** Books two things, and is held by a mistake. */
const held = workflow("held", async (ctx) => {
  await ctx.run("flight", () => 1, { undo });
  await ctx.run("plain", () => 1);
  await ctx.run("hotel", () => 1, { undo });
  throw new TypeError("a mistake");
});

const REMAINS = { undone: [], failed: [], remaining: ["hotel", "flight"] };

for (const again of [false, true]) {
  const where = again ? "from the store alone" : "in memory";
  test(`a held run that is cancelled names the steps that nobody undid, ${where}`, async (t) => {
    const { world, open } = openPlace(t);
    const first = await open(held);
    const run = await first.start(held, undefined);
    await world.shows(first, run.id, "bug");
    const claw = again ? await open(workflow("other", () => 1)) : first;
    await claw.cancel(run.id, "enough");
    await world.shows(claw, run.id, "cancelled");
    assert.deepEqual(await compensationOf(claw, run.id), REMAINS);
  });
}

test("a request to cancel that lies in the inbox when a run comes to be held names them too", async (t) => {
  const { world, open } = openPlace(t);
  const go = gate();
  const claw = await open(
    workflow("late", async (ctx) => {
      await ctx.run("flight", () => 1, { undo });
      await ctx.scope("s", (inner) => inner.run("slow", () => go.promise), { shield: true });
      throw new TypeError("a mistake");
    }),
  );
  const run = await claw.start("late", undefined);
  await world.calm();
  go.open();
  await claw.cancel(run.id, "enough");
  const end = await world.ended(run);
  assert.ok(["cancelled", "compensated"].includes(end.status));
  assert.notEqual(await compensationOf(claw, run.id), undefined);
});

test("a terminated run names the steps that nobody undid, and those under way", async (t) => {
  const { world, open } = openPlace(t);
  const inBody = gate();
  const trip = workflow("trip", async (ctx) => {
    await ctx.run("flight", () => 1, { undo });
    await ctx.run(
      "hotel",
      async () => {
        inBody.open();
        await new Promise(() => {});
      },
      { undo },
    );
  });
  const claw = await open(trip);
  const run = await claw.start(trip, undefined);
  await inBody.promise;
  await claw.terminate(run.id);
  await world.shows(claw, run.id, "terminated");
  assert.deepEqual(await compensationOf(claw, run.id), {
    undone: [],
    failed: [],
    remaining: ["hotel", "flight"],
  });
});

test("a terminated run that had nothing to undo says nothing of it", async (t) => {
  const { open } = openPlace(t);
  const claw = await open(workflow("plain", (ctx) => ctx.receive("go")));
  const run = await claw.start("plain", undefined);
  await claw.terminate(run.id);
  assert.equal(await compensationOf(claw, run.id), undefined);
});

test("a step that got an undo, or lost it, between two versions of the code does not diverge", async (t) => {
  const { world, open } = openPlace(t);
  const flow = (options: object): AnyWorkflow =>
    workflow("flow", async (ctx) => {
      await ctx.run("a", () => 1, options);
      return ctx.receive("go");
    });
  for (const [before, after] of [
    [{}, { undo }],
    [{ undo }, {}],
  ] as const) {
    const first = await open(flow(before));
    const run = await first.start("flow", undefined);
    await world.parked(first, run.id);
    const second = await open(flow(after));
    await second.signal(run.id, "go", 1);
    assert.equal(await world.output(second.run(run.id)), 1);
  }
});

test("a quarantined run whose cancellation was stored just before its process ended ends at the next start", async (t) => {
  const { world, disk, open } = openPlace(t);
  const first = await open(workflow("w", (ctx) => ctx.receive("go")));
  const { id } = await first.start("w", undefined);
  await world.parked(first, id);
  const row = disk.runs.get(id);
  assert.ok(row !== undefined);
  disk.runs.set(id, { ...row, due: null, held: "quarantined", inboxSeq: 1 });
  disk.inbox.add(id, { to: id, kind: "cancel", name: "", from: "", data: '"x"', seq: 1 });
  const second = await open(workflow("w", (ctx) => ctx.receive("go")));
  await world.shows(second, id, "cancelled");
});
