import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Batch, BatchAnswer, Store } from "@claw/core/ports";
import { workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { World } from "./world.ts";

function open(t: TestContext): { world: World; disk: MemoryDisk } {
  const disk = new MemoryDisk();
  return { world: new World(t, () => memoryStore({ disk })), disk };
}

const counting = workflow("counting", async (ctx, until: number) => {
  let count = 0;
  ctx.query("count", (input: { plus: number } | undefined) => count + (input?.plus ?? 0));
  while (count < until) {
    await ctx.receive("go");
    count++;
  }
  return count;
});

test("a query of a run at rest is answered from its journal, and nothing is written for it", async (t) => {
  const { world, disk } = open(t);
  let claw = await world.open([counting]);
  const { id } = await claw.start(counting, 3);
  await claw.signal(id, "go");
  await world.until(async () => (await claw.find(id))?.journal.length === 1);
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([counting]);
  const before = disk.snapshot();
  const { commits } = claw.stats();
  assert.equal(await claw.query(id, "count"), 1);
  assert.equal(await claw.query(id, "count", { plus: 5 }), 6);
  assert.equal(disk.snapshot(), before);
  assert.equal(claw.stats().commits, commits);
  assert.equal(claw.stats().active, 0, "the activation that read is gone");
});

test("a query begins no body and writes no log line", async (t) => {
  const { world } = open(t);
  const bodies: string[] = [];
  const flow = workflow("flow", async (ctx) => {
    ctx.query("state", () => bodies.length);
    ctx.log.info("begun");
    await ctx.receive("go");
    ctx.log.info("gone on");
    await ctx.run("work", () => bodies.push("work"));
    await ctx.receive("end");
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  await world.parked(claw, id);
  const lines = world.lines.length;
  assert.equal(await claw.query(id, "state"), 0);
  assert.equal(world.lines.length, lines);
  await claw.signal(id, "go");
  await world.until(async () => (await claw.find(id))?.journal.length === 2);
  await world.parked(claw, id);
  assert.equal(await claw.query(id, "state"), 1);
  assert.deepEqual(bodies, ["work"]);
});

test("a run in memory answers only when what its code has seen is durable", async (t) => {
  const waiting: (() => void)[] = [];
  const inner = memoryStore();
  const commit = (batch: Batch): Promise<BatchAnswer> =>
    new Promise((resolve, reject) => {
      waiting.push(() => void Promise.resolve(inner.commit(batch)).then(resolve, reject));
    });
  const store: Store = { ...inner, commit };
  const flow = workflow("flow", async (ctx) => {
    let done = 0;
    ctx.query("done", () => done);
    await ctx.run("one", () => 1);
    done = 1;
    await ctx.run("two", () => new Promise(() => {}));
  });
  const world = new World(t, () => store);
  const claw = await world.open([flow]);
  const answer = async (): Promise<void> => {
    await world.soon(() => waiting.length > 0);
    waiting.shift()?.();
  };
  const starting = claw.start(flow, null);
  await answer();
  const { id } = await starting;
  await world.soon(() => waiting.length > 0);
  let answered: unknown;
  void claw.query(id, "done").then((value) => (answered = value));
  await world.calm();
  assert.equal(answered, undefined, "the code has seen a result that is not durable");
  waiting.shift()?.();
  await world.soon(() => answered !== undefined);
  assert.equal(answered, 1);
  await claw.flush();
});

test("what cannot be asked is refused with its code, and the run goes on", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => {
    ctx.query("asks", () => ctx.now());
    ctx.query("runs", () => void ctx.run("work", () => 1));
    ctx.query("waits", async () => 1);
    ctx.query("throws", () => {
      throw new TypeError("no such field");
    });
    ctx.query("unstorable", () => new Map());
    return ctx.receive("end", { timeout: "1h" });
  });
  const claw = await world.open([flow, counting]);
  const { id } = await claw.start(flow, null);
  const refusals = async (): Promise<void> => {
    await assert.rejects(claw.query(id, "nothing"), { code: "CLAW-3006" });
    await assert.rejects(claw.query(id, "asks"), { code: "CLAW-3009" });
    await assert.rejects(claw.query(id, "runs"), { code: "CLAW-3009" });
    await assert.rejects(claw.query(id, "waits"), { code: "CLAW-3009" });
    await assert.rejects(claw.query(id, "throws"), { code: "CLAW-3008", message: /no such field/ });
    await assert.rejects(claw.query(id, "unstorable"), { code: "CLAW-1005" });
  };
  await refusals();
  await world.parked(claw, id);
  await refusals();
  await claw.signal(id, "end", 7);
  assert.deepEqual(await world.output(claw.run(id)), { ok: true, value: 7 });
  await assert.rejects(claw.query(id, "asks"), { code: "CLAW-3002" });
  const unknown = id.replace(/.{6}$/, "000000");
  await assert.rejects(claw.query(unknown, "asks"), { code: "CLAW-3001" });
});

test("a run whose code is not here, or has another form, is not answered wrongly", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => {
    ctx.query("state", () => "here");
    await ctx.receive("go");
    await ctx.receive("end");
  });
  const changed = workflow("flow", async (ctx) => {
    ctx.query("state", () => "changed");
    await ctx.receive("another");
  });
  let claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  await claw.signal(id, "go");
  await world.until(async () => (await claw.find(id))?.journal.length === 1);
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([counting]);
  await assert.rejects(claw.query(id, "state"), { code: "CLAW-2011" });
  await claw.stop();
  claw = await world.open([changed]);
  await assert.rejects(claw.query(id, "state"), { code: "CLAW-2005" });
  assert.equal((await claw.find(id))?.status, "waiting", "asking does not hold it");
});

test("what a query gives and takes is a copy", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => {
    const kept: unknown[] = [];
    ctx.query("keep", (input: unknown) => {
      kept.push(input);
      return kept;
    });
    await ctx.receive("end");
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  const first = await claw.query<unknown[]>(id, "keep", { a: new Date(0) });
  assert.deepEqual(first[0], { a: "1970-01-01T00:00:00.000Z" });
  first.push("mine");
  assert.deepEqual((await claw.query<unknown[]>(id, "keep", 1)).includes("mine"), false);
});

for (const kind of ["answers at once", "answers later"] as const) {
  test(`a query of a run that writes without a pause is answered, on a store that ${kind}`, async (t) => {
    const disk = new MemoryDisk();
    const async = (complete: () => void): void => void setImmediate(complete);
    const options = kind === "answers later" ? { disk, async } : { disk };
    const world = new World(t, () => memoryStore(options));
    const busy = workflow("busy", async (ctx) => {
      let count = 0;
      ctx.query("count", () => count);
      while (count < 100_000) {
        await ctx.run("tick", () => 1);
        count++;
      }
    });
    const claw = await world.open([busy]);
    const { id } = await claw.start(busy, undefined);
    let answered: unknown = null;
    claw.query(id, "count").then(
      (count) => (answered = count),
      (error: unknown) => (answered = error),
    );
    await world.soon(() => answered !== null, "an answer");
    assert.equal(typeof answered, "number");
    const durable = disk.journal.of(id).at(-1)?.lastSeq ?? 0;
    assert.ok(Number(answered) <= durable, "what it saw is durable");
  });
}

test("a query of a run whose code has ended tells nothing that came after its end", async (t) => {
  const { world } = open(t);
  const child = workflow("child", async (ctx) => {
    await ctx.receive("never");
  });
  const flow = workflow("flow", async (ctx) => {
    const seen: string[] = [];
    ctx.query("seen", () => seen);
    ctx.update("also", {}, async (inner) => {
      await inner.receive("b");
      seen.push("b");
    });
    void ctx.child(child, null, { onParentEnd: "wait" });
    await ctx.receive("a");
    seen.push("a");
  });
  const claw = await world.open([flow, child]);
  const { id } = await claw.start(flow, null);
  const updated = claw.update(id, "also", null);
  updated.catch(() => {});
  await world.until(async () => ((await claw.find(id))?.journal.length ?? 0) === 2);
  await world.parked(claw, id);
  // Both are recorded in one transition; the code ends in the turn of the first.
  await Promise.all([claw.signal(id, "a"), claw.signal(id, "b")]);
  await world.until(async () => ((await claw.find(id))?.journal.length ?? 0) === 4);
  assert.deepEqual(await claw.query(id, "seen"), ["a"], "in memory");
  await world.parked(claw, id);
  assert.deepEqual(await claw.query(id, "seen"), ["a"], "at rest");
});

test("a query of changed code that ends before its journal does is refused as diverged", async (t) => {
  const { world } = open(t);
  const child = workflow("child", async (ctx) => {
    await ctx.receive("never");
  });
  const flow = (steps: readonly string[]) =>
    workflow("flow", async (ctx) => {
      ctx.query("steps", () => steps.length);
      void ctx.child(child, null, { onParentEnd: "wait" });
      for (const name of steps) await ctx.receive(name);
    });
  let claw = await world.open([flow(["a", "b", "c"]), child]);
  const { id } = await claw.start("flow", null);
  for (const name of ["a", "b"]) await claw.signal(id, name);
  await world.until(async () => ((await claw.find(id))?.journal.length ?? 0) === 3);
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([flow(["a"]), child]);
  await assert.rejects(claw.query(id, "steps"), { code: "CLAW-2005" });
});
