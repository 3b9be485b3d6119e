import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type AnyWorkflow, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Claw } from "../src/index.ts";
import { gate, World } from "./world.ts";

/** A place whose owner may die: a life ends without closing its store. */
class Lives {
  readonly #world: World;
  readonly #flows: readonly AnyWorkflow[];

  constructor(t: TestContext, flows: readonly AnyWorkflow[]) {
    const disk = new MemoryDisk();
    this.#world = new World(t, () => {
      disk.ownerDied();
      return memoryStore({ disk });
    });
    this.#flows = flows;
  }

  get world(): World {
    return this.#world;
  }

  /** The owner before is dead; the next one opens what it left. */
  async next(): Promise<Claw> {
    return this.#world.open(this.#flows);
  }
}

const never = new Promise<never>(() => {});

test("after six processes that ended with it a run is quarantined, until an operator releases it", async (t) => {
  const lives = new Lives(t, [workflow("flow", (ctx) => ctx.run("long", () => never))]);
  let claw = await lives.next();
  const { id } = await claw.start("flow", null);
  for (let life = 1; life <= 6; life++) {
    await lives.world.until(() => claw.stats().bodies === 1, `a body in life ${life}`);
    claw = await lives.next();
  }
  await lives.world.calm();
  const held = await claw.find(id);
  assert.deepEqual([held?.status, claw.stats().bodies], ["quarantined", 0]);
  assert.match(held?.reason ?? "", /ended 6 times/);
  assert.equal((await claw.list({ status: "quarantined" })).length, 1);
  await claw.release(id);
  await lives.world.soon(() => claw.stats().bodies === 1);
});

test("a run that makes progress in each life is never suspected", async (t) => {
  const gates = Array.from({ length: 10 }, () => gate());
  const flow = workflow("flow", async (ctx) => {
    for (const [at, { promise }] of gates.entries())
      await ctx.run("step", () => promise, { key: at });
  });
  const lives = new Lives(t, [flow]);
  let claw = await lives.next();
  const { id } = await claw.start("flow", null);
  for (const [at, step] of gates.entries()) {
    const current = claw;
    await lives.world.soon(() => current.stats().bodies === 1);
    step.open();
    await lives.world.soon(async () => ((await current.find(id))?.journal.length ?? 0) > at);
    await current.flush();
    if (at < 9) claw = await lives.next();
  }
  assert.equal((await lives.world.ended(claw.run(id))).status, "completed");
});

test("suspects are taken up one at a time; one that lives on for ten seconds is cleared", async (t) => {
  const lives = new Lives(t, [workflow("flow", (ctx) => ctx.run("long", () => never))]);
  let claw = await lives.next();
  for (let count = 0; count < 3; count++) await claw.start("flow", null);
  for (let life = 0; life < 2; life++) {
    const current = claw;
    await lives.world.soon(() => current.stats().bodies === 3);
    claw = await lives.next();
  }
  await lives.world.calm();
  assert.equal(claw.stats().bodies, 1);
  for (const bodies of [2, 3]) {
    lives.world.clock.advance(10_000);
    await lives.world.soon(() => claw.stats().bodies === bodies);
    await lives.world.calm();
    assert.equal(claw.stats().bodies, bodies);
  }
  lives.world.clock.advance(10_000);
  await lives.world.calm();
  claw = await lives.next();
  await lives.world.soon(() => claw.stats().bodies === 3, "all at once again");
});

test("a process that stops in good order blames nobody", async (t) => {
  const lives = new Lives(t, [workflow("flow", (ctx) => ctx.run("long", () => never))]);
  for (let life = 0; life < 8; life++) {
    const claw = await lives.next();
    if (life === 0) await claw.start("flow", null);
    await lives.world.soon(() => claw.stats().bodies === 1, `a body in life ${life}`);
    await claw.stop();
  }
});

test("a run that merely waits for its child is never blamed, however soon its processes end", async (t) => {
  const held = gate();
  const slow = workflow("slow", (ctx) => ctx.run("long", () => held.promise));
  const family = workflow("family", (ctx) => ctx.child(slow, null));
  const lives = new Lives(t, [family, slow]);
  let claw = await lives.next();
  const { id } = await claw.start("family", null);
  for (let life = 0; life < 12; life++) {
    // Shorter than the park grace: only what is parked at once ever is.
    await lives.world.calm();
    claw = await lives.next();
  }
  await lives.world.calm();
  held.open();
  assert.equal((await lives.world.ended(claw.run(id))).status, "completed");
});

test("a pause between two attempts, too short to be parked for, is parked after a crash", async (t) => {
  const flow = workflow("flow", (ctx) =>
    ctx.run("fails", () => Promise.reject(new Error("no")), {
      retry: { attempts: 2, initial: "500ms", jitter: 0 },
    }),
  );
  const lives = new Lives(t, [flow]);
  let claw = await lives.next();
  const { id } = await claw.start("flow", null);
  for (let life = 0; life < 10; life++) {
    await lives.world.calm();
    claw = await lives.next();
  }
  assert.equal((await claw.find(id))?.status, "waiting");
  assert.equal((await lives.world.ended(claw.run(id))).status, "failed");
});

test("what a run records and that it is blamed no longer are one commit", async (t) => {
  const held = gate();
  const flow = workflow("flow", async (ctx) => {
    await ctx.run("first", () => held.promise);
    await ctx.run("second", () => never);
  });
  const disk = new MemoryDisk();
  const blamed: number[] = [];
  const world = new World(t, () => {
    disk.ownerDied();
    const store = memoryStore({ disk });
    return {
      ...store,
      commit: async (batch) => {
        const answer = await store.commit(batch);
        const { items } = batch;
        if (items.some((item) => item.type === "transition" && item.entries !== ""))
          for (const row of disk.runs.values()) blamed.push(row.recoveries);
        return answer;
      },
    };
  });
  let claw = await world.open([flow]);
  await claw.start("flow", null);
  for (let life = 0; life < 3; life++) {
    await world.soon(() => claw.stats().bodies === 1);
    claw = await world.open([flow]);
  }
  held.open();
  await world.soon(() => blamed.length > 0);
  assert.deepEqual(blamed, [0]);
});

test("processes that end within a second quarantine nobody; the innocent go on when they live longer", async (t) => {
  const lives = new Lives(t, [
    workflow("slow", (ctx) => ctx.run("long", () => never)),
    workflow("quick", (ctx) => ctx.run("short", () => 1)),
  ]);
  let claw = await lives.next();
  const slow = await claw.start("slow", null);
  const quick = await claw.start("quick", null);
  for (let life = 0; life < 20; life++) {
    await lives.world.calm();
    lives.world.clock.advance(900);
    await lives.world.calm();
    claw = await lives.next();
  }
  assert.equal((await claw.find(slow.id))?.status, "running");
  assert.equal((await lives.world.ended(claw.run(quick.id))).status, "completed");
  await lives.world.calm();
  assert.equal(claw.stats().bodies, 0, "its last trial begins too soon");
  lives.world.clock.advance(1_000);
  await lives.world.soon(() => claw.stats().bodies === 1);
  claw = await lives.next();
  assert.equal((await claw.find(slow.id))?.status, "quarantined");
});
