import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type AnyWorkflow, type Context, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { World } from "./world.ts";

function open(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

type Code = (ctx: Context, input: unknown) => unknown;
const flow = (body: Code): AnyWorkflow => workflow("flow", {}, body);

/** Steps that write down each time their bodies run. */
function noted(log: string[]): (ctx: Context, name: string) => Promise<string> {
  return (ctx, name) =>
    ctx.run(name, () => {
      log.push(name);
      return name;
    });
}

test("a fork keeps what came before the call, runs it and what follows again, and says what caused it", async (t) => {
  const world = open(t);
  const log: string[] = [];
  const step = noted(log);
  const claw = await world.open([
    flow(async (ctx, input) => {
      const ids = [ctx.uuid(), ctx.now().getTime()];
      for (const name of ["a", "b", "c"]) await step(ctx, name);
      await ctx.sleep("1h");
      return [...ids, ctx.uuid(), input];
    }),
  ]);
  const old = await claw.start("flow", 7);
  const output = await world.output(old);
  const forked = await claw.fork(old.id, { from: "b" });
  assert.deepEqual([forked.from, forked.again], ["b", []]);
  assert.deepEqual(await world.output(claw.run(forked.id)), output);
  assert.deepEqual(log, ["a", "b", "c", "b", "c"]);
  const record = await claw.find(forked.id);
  assert.notEqual(forked.id, old.id);
  assert.equal(record?.cause, old.id);
  assert.deepEqual(record?.journal.map(({ kind, call }) => kind + call).slice(0, 2), ["b", "sa"]);
  const again = await claw.fork(forked.id, { from: "c", input: 8 });
  assert.deepEqual(await world.output(claw.run(again.id)), [
    ...(output as number[]).slice(0, 3),
    8,
  ]);
  assert.equal(log.join(""), "abcbcc");
});

test("a fork tells which calls of other branches run again", async (t) => {
  const world = open(t);
  const log: string[] = [];
  const step = noted(log);
  const claw = await world.open([
    flow((ctx) =>
      ctx.all("both", [
        async (one) => [await step(one, "a"), await step(one, "b")],
        async (two) => {
          await step(two, "x");
          await two.sleep("1h");
          return step(two, "y");
        },
      ]),
    ),
  ]);
  const old = await claw.start("flow", null);
  await world.output(old);
  const forked = await claw.fork(old.id, { from: "both[0]/b" });
  assert.deepEqual(forked.again, ["both[1]/sleep", "both[1]/y"]);
  await world.output(claw.run(forked.id));
  assert.deepEqual(log, ["a", "x", "b", "y", "b", "y"]);
});

test("a fork starts a child of its own for one that was still open", async (t) => {
  const world = open(t);
  const inner = workflow("inner", (ctx) => ctx.receive("go"));
  const claw = await world.open([
    inner,
    flow((ctx) =>
      ctx.all("both", [
        (one) => one.child(inner, null),
        async (two) => {
          await two.sleep("1h");
          await two.run("late", () => 1);
          await two.receive("end");
        },
      ]),
    ),
  ]);
  const old = await claw.start("flow", null);
  await world.until(async () => (await claw.find(old.id))?.journal.at(-1)?.call === "both[1]/late");
  const forked = await claw.fork(old.id, { from: "both[1]/late" });
  await world.until(async () => (await claw.list({ workflow: "inner" })).length === 2);
  const children = await claw.list({ workflow: "inner" });
  assert.deepEqual(children.map(({ parentRun }) => parentRun).sort(), [old.id, forked.id].sort());
});

test("retry goes on from the call whose failure ended the run, with all attempts", async (t) => {
  const world = open(t);
  const log: string[] = [];
  const step = noted(log);
  let isDown = true;
  const claw = await world.open([
    flow(async (ctx) => {
      await step(ctx, "a");
      await ctx.run(
        "pay",
        ({ attempt }) => {
          log.push(`pay ${attempt}`);
          if (isDown) throw new Error("the bank is down");
        },
        { retry: { attempts: 2 } },
      );
      return step(ctx, "b");
    }),
  ]);
  const old = await claw.start("flow", null);
  assert.equal((await world.ended(old)).status, "failed");
  isDown = false;
  const forked = await claw.retry(old.id);
  assert.deepEqual([forked.from, forked.again], ["pay", []]);
  assert.equal(await world.output(claw.run(forked.id)), "b");
  assert.deepEqual(log, ["a", "pay 1", "pay 2", "pay 1", "b"]);
});

test("retry of a cancelled run goes on before the cancellation, of a terminated one where it stood", async (t) => {
  const world = open(t);
  const log: string[] = [];
  const step = noted(log);
  const claw = await world.open([
    flow(async (ctx) => {
      await step(ctx, "a");
      const got = await ctx.receive("go");
      return [await step(ctx, "b"), got];
    }),
  ]);
  for (const end of ["cancel", "terminate"] as const) {
    const old = await claw.start("flow", null);
    await world.parked(claw, old.id);
    await claw[end](old.id);
    await world.ended(old);
    const { id } = await claw.retry(old.id);
    await claw.signal(id, "go", end);
    assert.deepEqual(await world.output(claw.run(id)), ["b", end]);
  }
  assert.deepEqual(log, ["a", "b", "a", "b"]);
});

test("retry of a run that was terminated while it was being cancelled is not cancelled by that", async (t) => {
  const world = open(t);
  const log: string[] = [];
  const step = noted(log);
  const claw = await world.open([
    flow(async (ctx) => {
      await step(ctx, "a");
      try {
        return await ctx.receive("go");
      } finally {
        await ctx.scope("tidy", (inner) => inner.receive("tidied"), { shield: true });
      }
    }),
  ]);
  const old = await claw.start("flow", null);
  await world.parked(claw, old.id);
  await claw.cancel(old.id, "enough");
  await world.until(async () => (await claw.find(old.id))?.journal.at(-1)?.kind === "k");
  await claw.terminate(old.id, "now");
  const { id } = await claw.retry(old.id);
  await claw.signal(id, "go", 1);
  await claw.signal(id, "tidied");
  assert.equal(await world.output(claw.run(id)), 1);
  assert.deepEqual(log, ["a"]);
});

test("fork and retry are refused where nothing can go on, each with its code", async (t) => {
  const world = open(t);
  const claw = await world.open([
    flow(async (ctx, input) => {
      await ctx.run("book", () => 1, input === "undo" ? { undo: () => {} } : {});
      if (input === "wait") await ctx.receive("go");
      ctx.fail("no");
    }),
  ]);
  const failed = await claw.start("flow", null);
  await world.ended(failed);
  await assert.rejects(claw.fork(failed.id, { from: "mail" }), { code: "CLAW-2017" });
  await assert.rejects(claw.retry(failed.id), { code: "CLAW-2017" });
  const undone = await claw.start("flow", "undo");
  assert.equal((await world.ended(undone)).status, "compensated");
  await assert.rejects(claw.fork(undone.id, { from: "book" }), { code: "CLAW-2017" });
  await assert.rejects(claw.retry(undone.id), { code: "CLAW-2017" });
  const waiting = await claw.start("flow", "wait");
  await world.parked(claw, waiting.id);
  await assert.rejects(claw.retry(waiting.id), { code: "CLAW-2015" });
});

test("a fork has the attributes that its run had at that place", async (t) => {
  const world = open(t);
  const log: string[] = [];
  const step = noted(log);
  const claw = await world.open([
    flow(async (ctx) => {
      await ctx.attributes.set({ stage: "new", owner: "ann" });
      await step(ctx, "a");
      assert.equal(await ctx.attributes.set({ stage: "paid", owner: null, level: 2 }), undefined);
      await step(ctx, "b");
      await ctx.receive("go");
    }),
  ]);
  const old = await claw.start("flow", 0);
  await claw.signal(old.id, "go");
  await world.output(old);
  const attributes = async (from: string): Promise<unknown> => {
    const { id } = await claw.fork(old.id, { from });
    await claw.pause(id);
    return (await claw.find(id))?.attributes;
  };
  assert.deepEqual(await attributes("b"), { stage: "paid", level: 2 });
  const { id } = await claw.fork(old.id, { from: "a" });
  await claw.signal(id, "go");
  await world.output(claw.run(id));
  assert.deepEqual((await claw.find(id))?.attributes, { stage: "paid", level: 2 });
});
