import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Batch, BatchAnswer, Store } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { event, workflow } from "@claw/sdk";
import { type Fault, MemoryDisk, memoryStore } from "@claw/store-memory";
import { World } from "./world.ts";

/** A world whose next commits go wrong as the test says. */
function open(t: TestContext): { world: World; faults: (Fault | null)[]; batches: Batch[] } {
  const disk = new MemoryDisk();
  const faults: (Fault | null)[] = [];
  const batches: Batch[] = [];
  const beforeCommit = (batch: Batch): Fault | null => {
    batches.push(batch);
    return faults.shift() ?? null;
  };
  const world = new World(t, () => memoryStore({ disk, faults: { beforeCommit } }));
  return { world, faults, batches };
}

/** A store whose commits are answered when the test says so. */
function slow(store: Store): { store: Store; answer: () => Promise<void>; waiting: () => number } {
  const open: (() => void)[] = [];
  const commit = (batch: Batch): Promise<BatchAnswer> =>
    new Promise((resolve, reject) => {
      open.push(() => {
        Promise.resolve(store.commit(batch)).then(resolve, reject);
      });
    });
  const answer = async (): Promise<void> => {
    open.shift()?.();
    for (let at = 0; at < 5; at++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { store: { ...store, commit }, answer, waiting: () => open.length };
}

test("nothing begins and nobody is answered before the commit that it stands on", async (t) => {
  const seen: string[] = [];
  const { store, answer, waiting } = slow(memoryStore());
  const child = workflow("child", (ctx) => ctx.run("child", () => seen.push("child")));
  const flow = workflow("flow", async (ctx) => {
    await ctx.run("one", () => seen.push("one"));
    await ctx.run("two", () => seen.push("two"));
    return await ctx.child(child, null);
  });
  const world = new World(t, () => store);
  const claw = await world.open([flow, child]);
  const starting = claw.start(flow, null).then((run) => {
    seen.push("started");
    void run.result().then(() => seen.push("result"));
  });
  const expected = [["started", "one"], ["two"], ["child"], [], ["result"]];
  for (const step of expected) {
    await world.soon(() => waiting() > 0);
    const before = seen.length;
    await world.calm();
    assert.deepEqual(seen.slice(before), [], "nothing happens before the answer");
    await answer();
    assert.deepEqual(seen.slice(before).sort(), [...step].sort());
  }
  await starting;
  assert.deepEqual(seen.slice(2), ["two", "child", "result"]);
});

test("signals, cancels, events and releases are answered only when they are durable", async (t) => {
  const { store, answer } = slow(memoryStore());
  const flow = workflow("flow", async (ctx) => await ctx.receive("go"));
  const world = new World(t, () => store);
  const claw = await world.open([flow]);
  const starting = claw.start(flow, null);
  await world.calm();
  await answer();
  const { id } = await starting;
  const requests = [
    () => claw.signal(id, "other"),
    () => claw.publish({ type: "x" }),
    () => claw.release(id),
    () => claw.cancel(id),
  ];
  for (const request of requests) {
    let answered = false;
    const asked = request().then(() => (answered = true));
    await world.calm();
    assert.equal(answered, false);
    await answer();
    await asked;
    await answer();
  }
  await answer();
});

test("a retry does not begin before the failure of its predecessor is durable", async (t) => {
  const { store, answer, waiting } = slow(memoryStore());
  const attempts: number[] = [];
  const flow = workflow("flow", (ctx) =>
    ctx.run(
      "body",
      ({ attempt }) => {
        attempts.push(attempt);
        if (attempt < 3) throw new Error("again");
      },
      { retry: { initial: 0 } },
    ),
  );
  const world = new World(t, () => store);
  const claw = await world.open([flow]);
  void claw.start(flow, null);
  for (const known of [[], [1], [1, 2], [1, 2, 3]]) {
    await world.soon(() => waiting() > 0);
    await world.calm();
    assert.deepEqual(attempts, known);
    await answer();
  }
});

for (const kind of ["fail", "lost-answer", "late"] as const) {
  test(`after a commit of unknown outcome (${kind}) nothing acknowledged is lost and work goes on`, async (t) => {
    const { world, faults } = open(t);
    const Done = event<{ n: number }>("done");
    let bodies = 0;
    const flow = workflow("flow", async (ctx, n: number) => {
      const one = await ctx.run("one", () => ++bodies && n);
      await ctx.emit(Done, { n });
      await ctx.sleep("1m");
      return one + (await ctx.run("two", () => 1));
    });
    const onDone = workflow("on-done", { on: Done }, (_ctx, input) => input);
    const claw = await world.open([flow, onDone]);
    const acknowledged: string[] = [];
    const refused: string[] = [];
    for (let n = 0; n < 40; n++) {
      if (n % 4 === 3) faults.push({ kind });
      try {
        acknowledged.push((await claw.start(flow, n)).id);
      } catch (error) {
        refused.push((error as { code: string }).code);
        await world.until(async () => (await claw.start(flow, -1).catch(() => null)) !== null);
      }
    }
    assert.ok(refused.length > 0);
    assert.deepEqual(new Set(refused), new Set(["CLAW-4006"]));
    for (const id of acknowledged)
      assert.equal((await world.ended(claw.run(id))).status, "completed");
    assert.ok(claw.stats().recoveries > 0);
    await world.until(async () => {
      const all = await claw.list({ limit: 1_000 });
      return all.every((run) => run.endedAt !== null);
    });
    const all = await claw.list({ limit: 1_000 });
    const flows = all.filter((run) => run.workflow === "flow").length;
    assert.equal(all.filter((run) => run.workflow === "on-done").length, flows);
  });
}

test("who waits for a run while the store is lost learns its end, or that time is up", async (t) => {
  const { world, faults } = open(t);
  const flow = workflow("flow", async (ctx) => {
    await ctx.sleep("500ms");
    return "done";
  });
  const never = workflow("never", async (ctx) => await ctx.receive("go"));
  const claw = await world.open([flow, never]);
  const run = await claw.start(flow, null);
  const open1 = await claw.start(never, null);
  const late = assert.rejects(open1.result({ timeout: "10s" }), { code: "CLAW-2012" });
  const result = run.result();
  await world.calm();
  faults.push({ kind: "fail" });
  await assert.rejects(claw.signal(open1.id, "other"), {
    code: "CLAW-4006",
    message: /Send it again with the same idempotency key/,
  });
  await world.until(() => claw.stats().recoveries === 1);
  let output: unknown = null;
  void result.then((value) => (output = value));
  await world.until(() => output === "done");
  world.clock.advance(10_000);
  await late;
});

test("a transition that the store refuses fails its run alone, with a code", async (t) => {
  const { world, faults, batches } = open(t);
  const flow = workflow("flow", async (ctx, n: number) => {
    await ctx.run("step", () => n);
    await ctx.receive("go");
    return n;
  });
  const claw = await world.open([flow]);
  const poisonedStart = claw.start(flow, -1);
  faults.push({ kind: "poison", item: 0 });
  await assert.rejects(poisonedStart, { code: "CLAW-4009" });
  const runs = await Promise.all([1, 2, 3].map((n) => claw.start(flow, n)));
  for (const run of runs) await world.parked(claw, run.id);
  const sent = batches.length;
  faults.push(null, null, null, { kind: "poison", item: 0 });
  for (const run of runs) void claw.signal(run.id, "go");
  await world.calm();
  assert.ok(batches.length > sent);
  const ends = [];
  for (const run of runs) ends.push(await world.ended(run).catch(() => null));
  assert.ok(ends.every((end) => end !== null));
  const failed = ends.filter((end) => end?.status === "failed");
  for (const end of failed) assert.equal(end?.status === "failed" && end.error.code, "CLAW-4009");
});

test("a process whose store was taken over stays down and says so", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const flow = workflow("flow", async (ctx) => await ctx.receive("go"));
  const first = await world.open([flow]);
  const run = await first.start(flow, null);
  const waiting = assert.rejects(run.result(), { code: "CLAW-4007" });
  const second = await world.open([flow]);
  await assert.rejects(first.start(flow, null), { code: "CLAW-4007" });
  await assert.rejects(first.signal(run.id, "go"), { code: "CLAW-4007" });
  await second.signal(run.id, "go", 5);
  assert.equal(await world.output(second.run(run.id)), 5);
  await world.calm();
  await waiting;
});

test("a store that a reading verb has closed is opened again, and work goes on", async (t) => {
  const disk = new MemoryDisk();
  const lost: ((error: unknown) => void)[] = [];
  const flow = workflow("flow", (ctx) => ctx.receive("go"));
  const world = new World(t, () => {
    const store = memoryStore({ disk });
    const open: Store["open"] = (tell) => {
      if (tell !== undefined) lost.push(tell);
      return store.open();
    };
    return { ...store, open };
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, undefined);
  const result = run.result();
  lost[0]?.(new ClawError("CLAW-4006", "the connection was cut"));
  await world.calm();
  world.clock.advance(1_000);
  await world.soon(() => lost.length > 1);
  // Of the life before: the store is open.
  lost[0]?.(new ClawError("CLAW-4006", "the connection was cut"));
  await claw.signal(run.id, "go", 7);
  assert.equal(await result, 7);
  assert.deepEqual([claw.stats().recoveries, lost.length], [1, 2]);
});
