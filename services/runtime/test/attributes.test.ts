import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { workflow } from "@claw/sdk";
import { World } from "./world.ts";

function openPlace(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

test("attributes ride in the next transition and runs are found by them", async (t) => {
  const world = openPlace(t);
  const order = workflow("order", async (ctx, customer: string) => {
    await ctx.attributes.set({ customer, state: "new" });
    await ctx.receive("paid");
    void ctx.attributes.set({ state: "paid", vip: true });
  });
  const claw = await world.open([order]);
  const run = await claw.start(order, "x");
  await claw.start(order, "y");
  await world.parked(claw, run.id);
  assert.deepEqual((await claw.find(run.id))?.attributes, { customer: "x", state: "new" });
  const found = await claw.list({ attributes: { customer: "x" } });
  assert.deepEqual(
    found.map(({ id }) => id),
    [run.id],
  );
  await claw.signal(run.id, "paid");
  await world.output(run);
  assert.deepEqual((await claw.find(run.id))?.attributes, {
    customer: "x",
    state: "paid",
    vip: true,
  });
});

test("a replay does not set attributes again", async (t) => {
  const world = openPlace(t);
  const order = workflow("order", async (ctx) => {
    await ctx.attributes.set({ state: "first" });
    await ctx.attributes.set({ state: "second" });
    await ctx.receive("on");
    await ctx.receive("end");
  });
  const first = await world.open([order]);
  const run = await first.start(order, undefined);
  await world.parked(first, run.id);
  await first.stop();
  const claw = await world.open([order]);
  await claw.signal(run.id, "on");
  await world.parked(claw, run.id);
  const record = await claw.find(run.id);
  assert.deepEqual(record?.attributes, { state: "second" });
  assert.equal(record?.journal.filter(({ kind }) => kind === "a").length, 2);
});

test("an attribute of another kind, or too long, is refused with its name", async (t) => {
  const world = openPlace(t);
  const order = workflow("order", async (ctx, value: unknown) => {
    await ctx.attributes.set({ customer: value as string });
  });
  const claw = await world.open([order]);
  for (const value of [{ a: 1 }, "x".repeat(201)]) {
    const end = await world.ended(await claw.start(order, value));
    assert.equal(end.status, "failed");
    assert.equal(end.error.code, "CLAW-1005");
    assert.match(end.error.message, /"customer"/);
  }
});
