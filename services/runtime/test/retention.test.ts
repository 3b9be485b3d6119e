import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { event, workflow } from "@claw/sdk";
import { World } from "./world.ts";

const DAY_MS = 24 * 3_600_000;

const quick = workflow("quick", () => 1);
const broken = workflow("broken", (ctx) => ctx.fail("no"));
const ask = workflow("ask", async (ctx) => {
  await ctx.receive("begin");
  return ctx.waitFor(event("paid"), { match: { order: 1 } });
});

function openWorld(t: TestContext): { world: World; disk: MemoryDisk } {
  const disk = new MemoryDisk();
  return { world: new World(t, () => memoryStore({ disk })), disk };
}

test("by default completed runs go after 7 days, failed ones after 30, open ones never", async (t) => {
  const { world, disk } = openWorld(t);
  const claw = await world.open([quick, broken, ask]);
  const [done, failed] = [await claw.start(quick, undefined), await claw.start(broken, undefined)];
  const open = await claw.start(ask, undefined);
  await world.ended(done);
  await world.ended(failed);
  await world.parked(claw, open.id);
  const row = JSON.stringify(disk.runs.get(open.id));
  world.clock.advance(6.9 * DAY_MS);
  await world.calm();
  assert.notEqual(await claw.find(done.id), null);
  world.clock.advance(0.2 * DAY_MS);
  await world.until(async () => (await claw.find(done.id)) === null, "the completed run went");
  assert.notEqual(await claw.find(failed.id), null);
  world.clock.advance(23 * DAY_MS);
  await world.until(async () => (await claw.find(failed.id)) === null, "the failed run went");
  assert.equal(JSON.stringify(disk.runs.get(open.id)), row);
  await assert.rejects(done.ended(), { code: "CLAW-3001" });
});

test('"never" keeps runs for good, and 0 removes them with the next sweep', async (t) => {
  const { world } = openWorld(t);
  const retention = { completed: 0, failed: "never" } as const;
  const claw = await world.open([quick, broken], { retention });
  const [done, failed] = [await claw.start(quick, undefined), await claw.start(broken, undefined)];
  await world.ended(done);
  await world.ended(failed);
  assert.deepEqual((await claw.sweep({ dryRun: true })).runs, { completed: 1 });
  assert.notEqual(await claw.find(done.id), null);
  world.clock.advance(1_000 * DAY_MS);
  const report = await sweptBy(world, claw.sweep());
  assert.equal(report.keep.failed, "never");
  assert.equal(await claw.find(done.id), null);
  assert.notEqual(await claw.find(failed.id), null);
});

test("an event that an open run may still ask for outlives its time", async (t) => {
  const { world } = openWorld(t);
  const claw = await world.open([ask]);
  const run = await claw.start(ask, undefined);
  await world.parked(claw, run.id);
  await claw.publish({ type: "paid", data: { order: 1 } });
  await claw.publish({ type: "paid", data: { order: 2 } });
  world.clock.advance(60 * DAY_MS);
  const report = await sweptBy(world, claw.sweep());
  assert.equal(report.events, 0);
  await claw.signal(run.id, "begin");
  assert.equal((await world.ended(run)).status, "completed");
  assert.equal((await sweptBy(world, claw.sweep({ keep: { events: 0 } }))).events, 1);
});

test("thousands of runs go in commits of a few, between which others are answered", async (t) => {
  const { world, disk } = openWorld(t);
  const claw = await world.open([quick], { retention: { completed: "1s" } });
  const runs = await Promise.all(Array.from({ length: 1_000 }, () => claw.start(quick, undefined)));
  await world.soon(() => disk.closed.size === runs.length, "the end of all runs");
  world.clock.advance(2_000);
  const sweeping = claw.sweep();
  await world.calm();
  const between = await claw.start(quick, undefined);
  assert.ok(disk.closed.size > 0, "the sweep is not over");
  assert.equal((await sweptBy(world, sweeping)).runs.completed, runs.length);
  await world.ended(between);
});

test("what is no duration or no kind is refused when the runtime is opened", async (t) => {
  const { world } = openWorld(t);
  const wrong = { retention: { completed: "soon" } };
  await assert.rejects(world.open([quick], wrong), { code: "CLAW-1007" });
  const unknown = { retention: { finished: "7d" } };
  // @ts-expect-error what a configuration file may hand in
  await assert.rejects(world.open([quick], unknown), { code: "CLAW-1001" });
});

// The pauses of a sweep are on the clock of the world.
async function sweptBy<T>(world: World, sweeping: Promise<T>): Promise<T> {
  let over = false;
  void sweeping.finally(() => {
    over = true;
  });
  await world.until(() => over, "the end of the sweep");
  return sweeping;
}
