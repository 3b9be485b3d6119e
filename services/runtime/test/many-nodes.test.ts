import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Store } from "@claw/core/ports";
import { event, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore, type SharedMemory } from "@claw/store-memory";
import type { Claw } from "../src/index.ts";
import { World } from "./world.ts";

const LEASE_MS = 3_000;

/** What a test does to the threads of a node. */
interface Threads {
  /** False: its lease is not renewed. */
  renews: boolean;
  /** False: it gets no hints. */
  hears: boolean;
}

/** Nodes on one disk; each has a lease on the clock of the test. */
function open(t: TestContext): {
  world: World;
  disk: MemoryDisk;
  store: (threads?: Partial<Threads>) => { store: Store; threads: Threads };
} {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const { clock } = world;
  const store = (given: Partial<Threads> = {}): { store: Store; threads: Threads } => {
    const threads = { renews: true, hears: true, ...given };
    const shared: SharedMemory = {
      leaseMs: LEASE_MS,
      now: () => clock.now(),
      monotonic: () => clock.now(),
      skewMs: () => 0,
      after: (delayMs, fire) => clock.after(delayMs, fire),
      moves: () => threads.renews,
      hint: (deliver) => {
        if (threads.hears) clock.after(0, deliver);
      },
    };
    return { store: memoryStore({ disk, shared }), threads };
  };
  return { world, disk, store };
}

const waits = workflow("waits", async (ctx) => {
  const first = await ctx.receive<number>("go", { timeout: "1h" });
  const doubled = await ctx.run("double", () => (first.ok ? first.value * 2 : 0));
  const second = await ctx.receive<number>("go", { timeout: "1h" });
  return doubled + (second.ok ? second.value : 0);
});
/** Whoever waits stays in memory. */
const STAYS = { parkGraceMs: 2 * 3_600_000 };

async function sound(disk: MemoryDisk): Promise<void> {
  const { checkDisk } = await import("../../../adapters/store-memory/src/check.ts");
  assert.deepEqual(checkDisk(disk), []);
}

test("a run in the memory of one node gets the messages of clients of another, in their order", async (t) => {
  const { world, store, disk } = open(t);
  const one = await world.open([waits], { store: store().store, limits: STAYS });
  const two = await world.open([waits], { store: store().store });
  const run = await one.start(waits, null);
  await two.signal(run.id, "go", 20);
  await one.signal(run.id, "go", 2);
  assert.equal(await world.output(two.run<number>(run.id)), 42);
  assert.equal(await world.output(run), 42);
  await sound(disk);
});

test("without any hint post is taken at bounded times", async (t) => {
  const { world, store } = open(t);
  const deaf = (): Store => store({ hears: false }).store;
  const one = await world.open([waits], { store: deaf(), limits: STAYS });
  const two = await world.open([waits], { store: deaf() });
  const run = await one.start(waits, null);
  const begun = world.clock.now();
  await two.signal(run.id, "go", 20);
  await two.signal(run.id, "go", 2);
  assert.equal(await world.output(two.run<number>(run.id)), 42);
  assert.ok(world.clock.now() - begun < 2_000, `${world.clock.now() - begun} ms`);
});

test("a node takes over what another held when its lease is over, and the other comes back as a new one", async (t) => {
  const { world, store, disk } = open(t);
  const bodies: string[] = [];
  const release = Promise.withResolvers<void>();
  const flow = workflow("flow", async (ctx) => {
    await ctx.run("first", () => bodies.push("first"));
    await ctx.run("slow", async (step) => {
      bodies.push("slow");
      if (bodies.filter((name) => name === "slow").length === 1) await release.promise;
      return step.attempt;
    });
    return "done";
  });
  const first = store();
  const one = await world.open([flow], { store: first.store, node: { name: "one" } });
  const two = await world.open([flow], { store: store().store, node: { name: "two" } });
  const run = await one.start(flow, null);
  await world.soon(() => bodies.length === 2);
  first.threads.renews = false;
  const begun = world.clock.now();
  assert.equal(await world.output(two.run<string>(run.id)), "done");
  assert.ok(world.clock.now() - begun <= 2 * LEASE_MS, `${world.clock.now() - begun} ms`);
  assert.deepEqual(bodies, ["first", "slow", "slow"], "what was recorded is not done again");
  first.threads.renews = true;
  release.resolve();
  await world.until(() => one.stats().recoveries === 1 && one.store.incarnation > 2);
  const another = await one.start(flow, null);
  assert.equal(await world.output(another), "done");
  await sound(disk);
});

test("what only the holder can answer goes to it: query, update, skip, pause, resume, terminate", async (t) => {
  const { world, store, disk } = open(t);
  const flow = workflow("asked", async (ctx) => {
    let count = 0;
    ctx.query("count", () => count);
    ctx.update("add", {}, (_scope, by: number) => {
      count += by;
      return count;
    });
    await ctx.receive("end", { timeout: "1h" });
    return count;
  });
  const one = await world.open([flow], { store: store().store, limits: STAYS });
  const two = await world.open([flow], { store: store().store, limits: STAYS });
  const start = async (): Promise<Awaited<ReturnType<Claw["start"]>>["id"]> => {
    const { id } = await one.start(flow, null);
    await world.soon(() => one.stats().active > 0);
    return id;
  };
  const settled = async <T>(asked: Promise<T>): Promise<T> => {
    let isDone = false;
    asked.then(
      () => (isDone = true),
      () => (isDone = true),
    );
    await world.until(() => isDone);
    return asked;
  };
  const a = await start();
  assert.equal(await settled(two.update(a, "add", 4)), 4);
  assert.equal(await settled(two.query(a, "count")), 4);
  await assert.rejects(settled(two.query(a, "unknown")), { code: "CLAW-3006" });
  await settled(two.pause(a, "a look"));
  await world.shows(two, a, "paused");
  await settled(two.resume(a));
  assert.equal(await settled(two.query(a, "count")), 4);
  await settled(two.skip(a, "/end", null, { by: "ann" }).catch(() => two.signal(a, "end")));
  const b = await start();
  await settled(two.terminate(b, "enough"));
  assert.equal((await world.ended(one.run(b))).status, "terminated");
  await sound(disk);
});

test("a run that no node has code for is held after a while, and goes on when one joins that has", async (t) => {
  const { world, store, disk } = open(t);
  const other = workflow("other", () => Promise.resolve("never"));
  const flow = workflow("flow", async (ctx) => {
    await ctx.receive("go");
    return "done";
  });
  const one = await world.open([flow], { store: store().store });
  const two = await world.open([other], { store: store().store });
  const run = await one.start(flow, null);
  await world.calm();
  await one.stop();
  await two.signal(run.id, "go");
  await world.until(async () => (await two.find(run.id))?.status === "no_code");
  const three = await world.open([flow, other], { store: store().store });
  assert.equal(await world.output(three.run<string>(run.id)), "done");
  await sound(disk);
});

test("what a stopped node held goes on elsewhere at once", async (t) => {
  const { world, store, disk } = open(t);
  const one = await world.open([waits], { store: store().store, limits: STAYS });
  const two = await world.open([waits], { store: store().store });
  const run = await one.start(waits, null);
  await world.calm();
  await one.stop();
  const begun = world.clock.now();
  await two.signal(run.id, "go", 1);
  await two.signal(run.id, "go", 1);
  assert.equal(await world.output(two.run<number>(run.id)), 3);
  assert.ok(world.clock.now() - begun < LEASE_MS, `${world.clock.now() - begun} ms`);
  await sound(disk);
});

test("a decision and an event reach a run in the memory of another node before its time is over", async (t) => {
  const { world, store, disk } = open(t);
  const paid = event("paid");
  const flow = workflow("both", async (ctx) => {
    const seen = await ctx.waitFor(paid, { timeout: "30s" });
    const said = await ctx.approval({ type: "object" }, { timeout: "30s" });
    return { seen: seen.ok, said: said.ok };
  });
  const deaf = (): Store => store({ hears: false }).store;
  const one = await world.open([flow], { store: deaf(), limits: STAYS });
  const two = await world.open([flow], { store: deaf(), limits: STAYS });
  const run = await one.start(flow, null);
  await world.calm();
  world.clock.advance(29_999);
  await two.publish({ type: "paid" });
  await world.until(async () => (await two.approvals({ run: run.id })).length === 1);
  const [open_] = await two.approvals({ run: run.id });
  let decided = false;
  void two
    .approve(run.id, open_?.call ?? "", { decision: "approve", by: "ann", value: {} })
    .then(() => (decided = true));
  await world.until(() => decided);
  const output = await world.output(two.run(run.id));
  assert.deepEqual(output, { seen: true, said: true });
  await sound(disk);
});

test("a node that drains lets its bodies end and begins nothing; another goes on at once", async (t) => {
  const { world, store, disk } = open(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  const bodies: string[] = [];
  const flow = workflow("flow", async (ctx) => {
    await ctx.run("slow", async () => {
      bodies.push("slow");
      await promise;
    });
    await ctx.run("next", () => bodies.push("next"));
    return "done";
  });
  const one = await world.open([flow], { store: store().store, node: { name: "one" } });
  const two = await world.open([flow], { store: store().store, node: { name: "two" } });
  const run = await one.start(flow, null);
  await world.soon(() => bodies.length === 1);
  const nodes = await two.nodes();
  assert.deepEqual(
    nodes.map(({ name, isThis }) => ({ name, isThis })),
    [
      { name: "one", isThis: false },
      { name: "two", isThis: true },
    ],
  );
  const begun = world.clock.now();
  const stopping = one.stop({ drain: "30s" });
  await world.calm();
  assert.deepEqual(bodies, ["slow"]);
  resolve();
  await stopping;
  assert.equal(await world.output(two.run<string>(run.id)), "done");
  assert.deepEqual(bodies, ["slow", "next"]);
  assert.ok(world.clock.now() - begun < LEASE_MS, "no lease was waited out");
  assert.equal((await two.nodes()).length, 1);
  await sound(disk);
});

test("a store of its own has one node, without a lease", async (t) => {
  const world = new World(t, () => memoryStore());
  const claw = await world.open([waits], { node: { name: "alone", release: "1.2.3" } });
  const [only, ...others] = await claw.nodes();
  assert.equal(others.length, 0);
  assert.equal(only?.name, "alone");
  assert.equal(only.release, "1.2.3");
  assert.equal(only.leaseLeftMs, null);
  assert.deepEqual(only.hosted, [{ workflow: "waits", version: 1 }]);
});
