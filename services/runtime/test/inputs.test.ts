import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { task, workflow } from "@claw/sdk";
import { World } from "./world.ts";

function openWorld(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

test("a task gets the input that is recorded, whatever the workflow does to its object afterwards", async (t) => {
  const world = openWorld(t);
  const seen: unknown[] = [];
  const pay = task("pay", { retry: { attempts: 2, initial: 10 } }, (input: { cents: number }) => {
    seen.push({ ...input });
    if (seen.length === 1) throw new Error("again");
    return input.cents;
  });
  const flow = workflow("flow", async (ctx) => {
    const order = { cents: 5 };
    const paying = ctx.call(pay, order);
    order.cents = 500;
    return paying;
  });
  const claw = await world.open([flow]);
  assert.equal(await world.output(await claw.start(flow, undefined)), 5);
  assert.deepEqual(seen, [{ cents: 5 }, { cents: 5 }]);
});

test("a task that changes its input changes neither the workflow's object nor what its next attempt gets", async (t) => {
  const world = openWorld(t);
  const seen: number[] = [];
  const pay = task("pay", { retry: { attempts: 2, initial: 10 } }, (input: { cents: number }) => {
    seen.push(input.cents);
    input.cents += 1;
    if (seen.length === 1) throw new Error("again");
    return input.cents;
  });
  const flow = workflow("flow", async (ctx) => {
    const order = { cents: 5 };
    const paid = await ctx.call(pay, order);
    return [order.cents, paid];
  });
  const claw = await world.open([flow]);
  assert.deepEqual(await world.output(await claw.start(flow, undefined)), [5, 6]);
  assert.deepEqual(seen, [5, 5]);
});

test("a task gets what is stored of its input: dates as text, no undefined fields, no negative zero", async (t) => {
  const world = openWorld(t);
  const seen: unknown[] = [];
  const look = task("look", {}, (input: unknown) => void seen.push(input));
  const flow = workflow("flow", async (ctx) => {
    for (const input of [new Date(0), { a: undefined, b: 1 }, -0, 0, "s", null, undefined]) {
      await ctx.call(look, input);
    }
  });
  const claw = await world.open([flow]);
  await world.output(await claw.start(flow, undefined));
  assert.deepEqual(seen, ["1970-01-01T00:00:00.000Z", { b: 1 }, 0, 0, "s", null, undefined]);
  assert.ok(Object.is(seen[2], 0));
});
