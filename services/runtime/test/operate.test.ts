import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type AnyWorkflow, type Context, event, task, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { gate, World } from "./world.ts";

function open(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

type Code = (ctx: Context, input: unknown) => unknown;
const flow = (body: Code): AnyWorkflow => workflow("flow", {}, body);
const Paid = event("paid");

test("a paused run lets its body end, records it, and begins nothing until it is resumed", async (t) => {
  const world = open(t);
  const hold = gate<string>();
  let second = 0;
  const claw = await world.open([
    flow(async (ctx) => [
      await ctx.run("first", () => hold.promise),
      await ctx.run("second", () => ++second),
    ]),
  ]);
  const run = await claw.start("flow", null);
  await world.soon(() => claw.stats().bodies === 1);
  await claw.pause(run.id, "look at it first");
  await world.shows(claw, run.id, "paused");
  assert.equal(await world.reason(claw, run.id), "look at it first");
  hold.open("one");
  await world.soon(() => claw.stats().active === 0, "the body's end");
  assert.equal((await claw.find(run.id))?.journal[0]?.data, '"one"');
  await world.calm();
  assert.equal(second, 0);
  await claw.resume(run.id);
  assert.deepEqual(await world.output(run), ["one", 1]);
});

test("a pause survives a restart; messages and timers wait in the store", async (t) => {
  const world = open(t);
  const code = flow(async (ctx) => {
    const got = await ctx.receive("go");
    await ctx.sleep("1h");
    return got;
  });
  const first = await world.open([code]);
  const { id } = await first.start("flow", null);
  await world.parked(first, id);
  await first.pause(id);
  await first.signal(id, "go", 7);
  await first.stop();
  const claw = await world.open([code]);
  await world.calm();
  const paused = await claw.find(id);
  assert.deepEqual([paused?.status, paused?.journal.length], ["paused", 0]);
  await claw.resume(id);
  await world.parked(claw, id);
  await claw.pause(id);
  world.clock.advance(2 * 3_600_000);
  await world.calm();
  assert.equal((await claw.find(id))?.journal.length, 1);
  await claw.resume(id);
  assert.equal(await world.output(claw.run(id)), 7);
});

test("a body that goes on for too long after a pause is given up and runs again", async (t) => {
  const world = open(t);
  const bodies: AbortSignal[] = [];
  const never = new Promise<never>(() => {});
  const claw = await world.open([
    flow((ctx) =>
      ctx.run("slow", ({ signal }) => {
        bodies.push(signal);
        return bodies.length === 1 ? never : "done";
      }),
    ),
  ]);
  const run = await claw.start("flow", null);
  await world.soon(() => bodies.length === 1);
  await claw.pause(run.id);
  world.clock.advance(29_000);
  assert.equal(bodies[0]?.aborted, false);
  world.clock.advance(2_000);
  assert.equal(bodies[0]?.aborted, true);
  assert.equal(claw.stats().active, 0);
  await claw.resume(run.id);
  assert.equal(await world.output(run), "done");
});

test("a run that is resumed while a body from before is under way goes on once", async (t) => {
  const world = open(t);
  const hold = gate();
  let count = 0;
  const claw = await world.open([
    flow((ctx) =>
      ctx.run("once", async () => {
        await hold.promise;
        return ++count;
      }),
    ),
  ]);
  const run = await claw.start("flow", null);
  await world.soon(() => claw.stats().bodies === 1);
  await claw.pause(run.id);
  await claw.resume(run.id);
  await world.shows(claw, run.id, "running");
  hold.open();
  assert.equal(await world.output(run), 1);
});

test("a retry whose pause is over waits while its run is paused", async (t) => {
  const world = open(t);
  let tries = 0;
  const claw = await world.open([
    flow((ctx) =>
      ctx.run("flaky", () => {
        if (++tries === 1) throw new Error("not yet");
        return tries;
      }),
    ),
  ]);
  const run = await claw.start("flow", null);
  await world.soon(() => tries === 1);
  await claw.pause(run.id);
  world.clock.advance(60_000);
  await world.calm();
  assert.equal(tries, 1);
  await claw.resume(run.id);
  assert.equal(await world.output(run), 2);
});

test("a cancellation of a paused run waits for its resumption and is compensated then", async (t) => {
  const world = open(t);
  const undone: unknown[] = [];
  const claw = await world.open([
    flow(async (ctx) => {
      await ctx.run("book", () => "seat", { undo: (value) => void undone.push(value) });
      await ctx.receive("never");
    }),
  ]);
  const run = await claw.start("flow", null);
  await world.parked(claw, run.id);
  await claw.pause(run.id);
  await claw.cancel(run.id);
  await world.calm();
  await world.shows(claw, run.id, "paused");
  await claw.resume(run.id);
  assert.equal((await world.ended(run)).status, "compensated");
  assert.deepEqual(undone, ["seat"]);
});

test("a terminated run runs no code: bodies are given up, children cancelled, the parent told", async (t) => {
  const world = open(t);
  let late = "";
  const inner = workflow("inner", async (ctx) => {
    try {
      await ctx.receive("never");
    } catch (error) {
      late = String(error);
      throw error;
    }
  });
  const middle = workflow("middle", async (ctx) => {
    try {
      await ctx.child(inner, null);
    } finally {
      late = "code of the terminated run ran";
    }
  });
  const outer = workflow("outer", (ctx) => ctx.child(middle, null));
  const claw = await world.open([inner, middle, outer]);
  const run = await claw.start("outer", null);
  await world.soon(async () => (await claw.list({ workflow: "inner" })).length === 1);
  const [child] = await claw.list({ workflow: "middle" });
  const [grandchild] = await claw.list({ workflow: "inner" });
  assert.ok(child !== undefined && grandchild !== undefined);
  await claw.terminate(child.id, "wrong customer");
  const ended = await claw.find(child.id);
  assert.equal(ended?.status, "terminated");
  assert.deepEqual(ended?.error?.code, "CLAW-2014");
  assert.match(ended?.error?.message ?? "", /terminated: wrong customer/);
  const result = await world.ended(run);
  assert.equal(result.status, "failed");
  await world.shows(claw, grandchild.id, "cancelled");
  assert.match(late, /CLAW-2003/);
});

test("a terminated run leaves no subscription, and its late body writes nothing", async (t) => {
  const world = open(t);
  const hold = gate();
  const claw = await world.open([
    flow(async (ctx) => {
      await ctx.all("both", [
        (one) => one.waitFor(Paid, { match: { n: 1 } }),
        (two) => two.run("slow", () => hold.promise),
      ]);
    }),
  ]);
  const run = await claw.start("flow", null);
  await world.soon(() => claw.stats().bodies === 1);
  await claw.terminate(run.id);
  hold.open();
  await claw.publish({ type: "paid", data: { n: 1 } });
  assert.equal((await world.ended(run)).status, "terminated");
  await world.calm();
  assert.deepEqual((await claw.find(run.id))?.abandoned, []);
});

test("a compensation that is terminated lists what it had undone and what remains", async (t) => {
  const world = open(t);
  const stuck = gate();
  const claw = await world.open([
    flow(async (ctx) => {
      await ctx.run("seat", () => 1, { undo: () => {} });
      await ctx.run("hotel", () => 2, { undo: () => stuck.promise });
      await ctx.run("car", () => 3, { undo: () => {} });
      ctx.fail("sold out");
    }),
  ]);
  const run = await claw.start("flow", null);
  await world.shows(claw, run.id, "compensating");
  await world.soon(async () => (await claw.find(run.id))?.journal.at(-1)?.call === "/undo/car");
  await claw.terminate(run.id);
  const record = await claw.find(run.id);
  assert.equal(record?.status, "terminated");
  assert.deepEqual(record?.error?.details, {
    compensation: { undone: ["car"], failed: [], remaining: ["hotel", "seat"] },
  });
});

test("skip answers an open step with the operator's name; its body is given up and writes nothing", async (t) => {
  const world = open(t);
  const hold = gate<number>();
  const claw = await world.open([
    flow(async (ctx) => [await ctx.run("pay", () => hold.promise), await ctx.run("mail", () => 2)]),
  ]);
  const run = await claw.start("flow", null);
  await world.soon(() => claw.stats().bodies === 1);
  await claw.skip(run.id, "pay", 100, { by: "ada" });
  hold.open(1);
  assert.deepEqual(await world.output(run), [100, 2]);
  const entry = (await claw.find(run.id))?.journal[0];
  assert.deepEqual(
    [entry?.kind, entry?.call, entry?.data],
    ["x", "pay", '{"by":"ada","value":100}'],
  );
  await assert.rejects(claw.skip(run.id, "pay", 1, { by: "ada" }), { code: "CLAW-3002" });
});

test("skip answers waits, sleeps and children of parked runs, and the same after a restart", async (t) => {
  const world = open(t);
  const inner = workflow("inner", (ctx) => ctx.receive("never"));
  const code = flow(async (ctx) => [
    await ctx.receive("go", { timeout: "9h" }),
    await ctx.waitFor(Paid, { match: { n: 1 } }),
    await ctx.sleep("9h"),
    await ctx.child(inner, null),
    await ctx.receive("end"),
  ]);
  const first = await world.open([code, inner]);
  const { id } = await first.start("flow", null);
  for (const call of ["signal:go", "event:paid", "sleep", "child:inner"]) {
    await world.parked(first, id);
    await first.skip(id, call, call, { by: "ada" });
  }
  const [child] = await first.list({ workflow: "inner" });
  assert.ok(child !== undefined);
  await world.shows(first, child.id, "cancelled");
  await world.parked(first, id);
  await first.stop();
  const claw = await world.open([code, inner]);
  await claw.signal(id, "end", "over");
  assert.deepEqual(await world.output(claw.run(id)), [
    { ok: true, value: "signal:go" },
    "event:paid",
    null,
    "child:inner",
    "over",
  ]);
});

test("skip refuses a call that is not open and a value that its task's schema does not take", async (t) => {
  const world = open(t);
  const hold = gate<number>();
  const numbers = {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) =>
        typeof value === "number" ? { value } : { issues: [{ message: "not a number" }] },
    },
  };
  const pay = task("pay", { output: numbers }, () => hold.promise);
  const claw = await world.open([flow((ctx) => ctx.call(pay, null))]);
  const run = await claw.start("flow", null);
  await world.soon(() => claw.stats().bodies === 1);
  await assert.rejects(claw.skip(run.id, "mail", 1, { by: "ada" }), (error: unknown) => {
    const { code, details } = error as { code: string; details: unknown };
    assert.deepEqual([code, details], ["CLAW-2016", { open: ["pay"] }]);
    return true;
  });
  await assert.rejects(claw.skip(run.id, "pay", "much", { by: "ada" }), { code: "CLAW-1004" });
  await assert.rejects(claw.skip(run.id, "pay", 1, { by: "" }), { code: "CLAW-1008" });
  await claw.skip(run.id, "pay", 1, { by: "ada" });
  assert.equal(await world.output(run), 1);
});
