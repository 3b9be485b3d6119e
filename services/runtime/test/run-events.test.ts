import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { all } from "./follow.ts";
import { World } from "./world.ts";

function openPlace(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

const flow = workflow("flow", async (ctx) => {
  let tries = 0;
  const one = await ctx.run("one", () => (++tries < 2 ? Promise.reject(new Error("no")) : 1), {
    retry: { initial: "10ms" },
  });
  await ctx.receive("on");
  return one;
});

test("the feed of a run gives its entries in order, live, from a cursor, and ends with the run", async (t) => {
  const world = openPlace(t);
  const claw = await world.open([flow]);
  const run = await claw.start(flow, undefined);
  await world.parked(claw, run.id);
  const live = all(world, run.events());
  await claw.signal(run.id, "on", "x");
  const got = await live;
  assert.deepEqual(
    got.map(({ seq, kind, call, attempt, data }) => [seq, kind, call, attempt, typeof data]),
    [
      [1, "attemptFailed", "one", 1, "object"],
      [2, "stepCompleted", "one", 2, "number"],
      [3, "signalReceived", "signal:on", 1, "string"],
    ],
  );
  assert.deepEqual(await all(world, run.events({ from: 1 })), got.slice(1));
  assert.deepEqual(await all(world, run.events({ from: 3 })), []);
  await assert.rejects(all(world, run.events({ from: 4 })), { code: "CLAW-3051" });
  assert.throws(() => run.events({ from: -1 }), { code: "CLAW-3051" });
});

test("the feed goes on over generations, and over a restart from its cursor", async (t) => {
  const world = openPlace(t);
  const month = workflow("month", async (ctx, n: number): Promise<number> => {
    await ctx.run("work", () => n);
    await ctx.receive("on");
    return n === 2 ? n : ctx.continueAs(n + 1);
  });
  const first = await world.open([month]);
  const run = await first.start(month, 1);
  await world.parked(first, run.id);
  const feed = run.events();
  assert.equal((await feed.next()).value?.kind, "stepCompleted");
  await first.signal(run.id, "on");
  const kinds: (string | undefined)[] = [];
  for (let n = 0; n < 3; n++) kinds.push((await feed.next()).value?.kind);
  assert.deepEqual(kinds, ["signalReceived", "generationBegan", "stepCompleted"]);
  await first.stop();
  await assert.rejects(feed.next(), { code: "CLAW-3005" });
  const claw = await world.open([month]);
  const rest = all(world, claw.run(run.id).events({ from: 2 }));
  await claw.signal(run.id, "on");
  assert.deepEqual(
    (await rest).map(({ seq, kind }) => [seq, kind]),
    [
      [3, "generationBegan"],
      [4, "stepCompleted"],
      [5, "signalReceived"],
    ],
  );
});

test("entries that a checkpoint removed are missing, and what is left is in order", async (t) => {
  const world = openPlace(t);
  const meter = workflow("meter", (ctx) =>
    ctx.checkpoint("loop", 0, async (inner, n: number) => {
      await inner.run("read", () => n);
      return n < 3 ? { next: n + 1 } : { done: n };
    }),
  );
  const claw = await world.open([meter]);
  const run = await claw.start(meter, undefined);
  await world.output(run);
  const got = await all(world, run.events());
  const record = await claw.find(run.id);
  assert.deepEqual(
    got.map(({ seq }) => seq),
    record?.journal.map(({ seq }) => seq),
  );
});

test("a run that is terminated, and one that is cancelled while held, end their feeds", async (t) => {
  const world = openPlace(t);
  const wait = workflow("wait", (ctx) => ctx.receive("on"));
  const bug = workflow("bug", () => (undefined as never as { x: number }).x);
  const claw = await world.open([wait, bug]);
  const run = await claw.start(wait, undefined);
  await world.parked(claw, run.id);
  const feed = all(world, run.events());
  await claw.terminate(run.id);
  assert.deepEqual(await feed, []);
  const held = await claw.start(bug, undefined);
  await world.shows(claw, held.id, "bug");
  const other = all(world, held.streams());
  await claw.cancel(held.id);
  assert.deepEqual(await other, []);
});
