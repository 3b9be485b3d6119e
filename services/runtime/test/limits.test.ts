import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate as pass } from "node:timers/promises";
import { event, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { World } from "./world.ts";

function open(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

const Ping = event<{ n: number }>("ping");
const few = { limits: { activeRunsMax: 4 } } as const;

test("runs that only wait use no memory, and each of their waits wakes them", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx, n: number) => {
    if (n % 3 === 0) await ctx.receive("go");
    if (n % 3 === 1) await ctx.waitFor(Ping, { match: { n } });
    if (n % 3 === 2) await ctx.sleep("1h");
    return n;
  });
  const claw = await world.open([flow]);
  const runs = [];
  for (let n = 0; n < 300; n++) runs.push(await claw.start(flow, n));
  await world.soon(() => claw.stats().active === 0);
  assert.equal((await claw.list({ status: "waiting", limit: 1_000 })).length, 300);
  for (let n = 0; n < 300; n += 3) await claw.signal(runs[n]?.id ?? "", "go");
  for (let n = 1; n < 300; n += 3) await claw.publish({ type: "ping", data: { n } });
  for (const [n, run] of runs.entries()) assert.equal(await world.output(run), n);
});

test("without any grace a wait that is over goes on, instead of being parked again and again", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx) => {
    await ctx.sleep("1h");
    return ctx.run("after", () => "woken");
  });
  const claw = await world.open([flow], { limits: { parkGraceMs: 0 } });
  const run = await claw.start(flow, undefined);
  await world.parked(claw, run.id);
  assert.equal(await world.output(run), "woken");
});

test("with room for few runs in memory, many starts, events and children all come to their turn", async (t) => {
  const world = open(t);
  let most = 0;
  let stats = (): number => 0;
  const work = async (): Promise<number> => {
    most = Math.max(most, stats());
    await new Promise((resolve) => setImmediate(resolve));
    return 1;
  };
  const flow = workflow("flow", (ctx) => ctx.run("work", work));
  const onPing = workflow("on-ping", { on: Ping }, (ctx) => ctx.run("work", work));
  const parent = workflow("parent", async (ctx) => {
    const items = Array.from({ length: 30 }, (_, at) => at);
    return (await ctx.map("each", items, (c) => c.child(flow, null))).length;
  });
  const claw = await world.open([flow, onPing, parent], few);
  stats = () => claw.stats().active;
  const begun = world.clock.now();
  const runs = await Promise.all(Array.from({ length: 60 }, () => claw.start(flow, null)));
  const events = await Promise.all(
    Array.from({ length: 60 }, (_, n) => claw.publish({ type: "ping", data: { n } })),
  );
  for (const run of runs) assert.equal(await world.output(run), 1);
  for (const { started } of events) assert.equal(await world.output(claw.run(started[0] ?? "")), 1);
  assert.equal(await world.output(await claw.start(parent, null)), 30);
  assert.ok(most <= 4, `${most} runs in memory`);
  // What waits for room is looked for when there is room, not at the next look at the store.
  assert.ok(world.clock.now() - begun < 10_000, `${world.clock.now() - begun} ms`);
});

test("with room for few runs, all that an ended process left are taken up", async (t) => {
  const world = open(t);
  let release = false;
  const flow = workflow("flow", (ctx, n: number) =>
    ctx.run("body", () => (release ? n : new Promise(() => {}))),
  );
  const first = await world.open([flow]);
  const runs = [];
  for (let n = 0; n < 50; n++) runs.push(await first.start(flow, n));
  await first.stop();
  release = true;
  const second = await world.open([flow], few);
  for (const [n, run] of runs.entries()) assert.equal(await world.output(second.run(run.id)), n);
});

test("runs that are taken up after a crash and runs that begin meanwhile share the room", async (t) => {
  const disk = new MemoryDisk();
  const bodies = new Set<() => void>();
  const flow = workflow("flow", (ctx) =>
    ctx.run("body", () => new Promise<void>((resolve) => bodies.add(resolve))),
  );
  let slow = false;
  const world = new World(t, () => {
    disk.ownerDied();
    const store = memoryStore({ disk });
    return {
      ...store,
      commit: async (batch) => {
        const isTaking = batch.items.some(({ type }) => type === "take");
        const passes = slow && isTaking ? 20 : 0;
        for (let at = 0; at < passes; at++) await pass();
        return store.commit(batch);
      },
    };
  });
  const first = await world.open([flow]);
  for (let n = 0; n < 12; n++) await first.start(flow, null);
  await world.soon(() => bodies.size === 12);
  bodies.clear();
  slow = true;
  const second = await world.open([flow], few);
  let most = 0;
  for (let ended = 0; ended < 12; ended++) {
    await world.soon(() => bodies.size > 0);
    const [end] = bodies;
    if (end !== undefined) bodies.delete(end);
    end?.();
    // It has made room for the next of those that were left: now others come.
    for (let at = 0; at < 12; at++) {
      await pass();
      world.clock.advance(0);
      if (at === 4) second.start(flow, null).catch(() => {});
      most = Math.max(most, second.stats().active);
    }
  }
  assert.equal(most, 4);
});

test("a message to a run at rest is not lost for want of room", async (t) => {
  const world = open(t);
  const never = new Promise(() => {});
  const busy = workflow("busy", (ctx) =>
    ctx.race("r", [(c) => c.run("b", () => never), (c) => c.receive("end")]),
  );
  const waits = workflow("waits", async (ctx) => await ctx.receive("go"));
  const claw = await world.open([busy, waits], few);
  const resting = [];
  for (let at = 0; at < 10; at++) resting.push(await claw.start(waits, null));
  for (const run of resting) await world.parked(claw, run.id);
  const running = [];
  for (let at = 0; at < 4; at++) running.push(await claw.start(busy, null));
  await world.calm();
  for (const run of resting) await claw.signal(run.id, "go", 5);
  await world.calm();
  for (const run of running) await claw.signal(run.id, "end");
  for (const run of resting) assert.equal(await world.output(run), 5);
});

test("a thousand parallel steps and a thousand children end, and replay to the same", async (t) => {
  const world = open(t);
  let bodies = 0;
  const child = workflow("child", (ctx, n: number) => ctx.run("s", () => n));
  const flow = workflow("flow", async (ctx) => {
    const items = Array.from({ length: 1_000 }, (_, at) => at);
    const body = (n: number) => () => {
      bodies++;
      return n;
    };
    const steps = await ctx.map("steps", items, (c, n) => c.run("s", body(n)));
    const children = await ctx.map("children", items, (c, n) => c.child(child, n));
    await ctx.receive("go");
    return [steps, children].map((list) => list.reduce((sum, n) => sum + n, 0));
  });
  let claw = await world.open([flow, child]);
  const run = await claw.start(flow, null);
  await world.parked(claw, run.id);
  await claw.stop();
  claw = await world.open([flow, child]);
  await claw.signal(run.id, "go");
  assert.deepEqual(await world.output(claw.run(run.id)), [499_500, 499_500]);
  assert.equal(bodies, 1_000);
  assert.equal((await claw.list({ workflow: "child", limit: 2_000 })).length, 1_000);
});

test("a journal too long to be packed is kept whole", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx) => {
    for (let at = 0; at < 40; at++) await ctx.run("s", () => "x".repeat(10_000));
    await ctx.receive("go");
    await ctx.run("last", () => 1);
    return "done";
  });
  let claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  await world.parked(claw, run.id);
  await claw.stop();
  claw = await world.open([flow]);
  await claw.signal(run.id, "go");
  assert.equal(await world.output(claw.run(run.id)), "done");
  assert.equal((await claw.find(run.id))?.journal.length, 42);
});
