import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type Context, event, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { World } from "./world.ts";

function open(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

const Paid = event<{ order: number; at?: string }>("shop.paid");
const paid = (order: number, id?: string) => ({
  type: "shop.paid",
  data: { order },
  ...(id === undefined ? {} : { id }),
});

test("signals that came before receive are taken in their order, each once", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx) => {
    await ctx.sleep("1m");
    const seen = [await ctx.receive("a"), await ctx.receive("b"), await ctx.receive("a")];
    seen.push((await ctx.receive("a", { timeout: 0 })).ok);
    return seen;
  });
  let claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  await world.parked(claw, id);
  for (const [name, value] of [
    ["a", 1],
    ["a", 2],
    ["b", 3],
  ] as const)
    await claw.signal(id, name, value);
  await claw.stop();
  claw = await world.open([flow]);
  assert.deepEqual(await world.output(claw.run(id)), [1, 3, 2, false]);
});

test("a signal with an id is taken once, and its id with another value is a conflict", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx) => [await ctx.receive("a"), await ctx.receive("a")]);
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  await claw.signal(id, "a", 1, { id: "one" });
  await claw.signal(id, "a", 1, { id: "one" });
  await assert.rejects(claw.signal(id, "a", 2, { id: "one" }), { code: "CLAW-3003" });
  await claw.signal(id, "a", 2, { id: "two" });
  assert.deepEqual(await world.output(claw.run(id)), [1, 2]);
});

test("a wait times out exactly at its instant, and an earlier message wins", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx) => {
    const one = await ctx.receive("a", { timeout: "10s" });
    const two = await ctx.waitFor(Paid, { timeout: "10s" });
    return [one, two, ctx.now().getTime()];
  });
  const claw = await world.open([flow]);
  const begun = world.clock.now();
  const [late, early] = [await claw.start(flow, null), await claw.start(flow, null)];
  await world.parked(claw, late.id);
  world.clock.advance(9_999);
  await world.calm();
  assert.equal((await claw.find(late.id))?.journal.length, 0);
  await claw.signal(early.id, "a", "in time");
  await world.calm();
  world.clock.advance(1);
  await world.calm();
  assert.deepEqual(
    (await claw.find(late.id))?.journal.map((entry) => entry.kind),
    ["o"],
  );
  await claw.publish(paid(1));
  const timeout = { ok: false, reason: "timeout" };
  const value = { ok: true, value: { order: 1 } };
  assert.deepEqual(await world.output(early), [
    { ok: true, value: "in time" },
    value,
    begun + 10_000,
  ]);
  assert.deepEqual(await world.output(late), [timeout, value, begun + 10_000]);
});

test("a signal that does not match its schema is an error of the receiving code", async (t) => {
  const world = open(t);
  const schema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        typeof value === "number" ? { value } : { issues: [{ message: "no number" }] },
    },
  } as const;
  const flow = workflow("flow", (ctx) => ctx.receive("n", { schema }));
  const claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  await claw.signal(run.id, "n", "text");
  const ended = await world.ended(run);
  assert.equal(ended.status === "failed" && ended.error.code, "CLAW-1004");
});

test("events since the run's start count, also when they came before the wait", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx) => {
    await ctx.receive("go");
    return [
      await ctx.waitFor(Paid, { match: { order: 1 } }),
      await ctx.waitFor(Paid, { match: { order: 1 } }),
      (await ctx.waitFor(Paid, { match: { order: 1 }, timeout: "1s" })).ok,
    ];
  });
  let claw = await world.open([flow]);
  await claw.publish(paid(1));
  world.clock.advance(1);
  const { id } = await claw.start(flow, null);
  await claw.publish({ ...paid(1), data: { order: 1, at: "first" } });
  await claw.publish(paid(2));
  await claw.publish({ ...paid(1), data: { order: 1, at: "second" } });
  await claw.stop();
  claw = await world.open([flow]);
  await claw.signal(id, "go");
  const output = await world.output(claw.run(id));
  assert.deepEqual(output, [{ order: 1, at: "first" }, { order: 1, at: "second" }, false]);
});

test("two waits of one run with the same match take different events, at once or one by one", async (t) => {
  const world = open(t);
  const both = workflow("both", async (ctx) => {
    const wait = (c: Context) => c.waitFor(Paid, { match: { order: 1 } });
    return await ctx.all("both", [wait, wait]);
  });
  for (const before of [true, false]) {
    let claw = await world.open([both]);
    const { id } = await claw.start(both, null);
    const send = (at: string) => claw.publish({ ...paid(1), data: { order: 1, at } });
    if (!before) await world.parked(claw, id);
    await send("a");
    if (before) await world.calm();
    await claw.stop();
    claw = await world.open([both]);
    await send("b");
    await send("c");
    assert.deepEqual(await world.output(claw.run(id)), [
      { order: 1, at: "a" },
      { order: 1, at: "b" },
    ]);
    await claw.stop();
    world.clock.advance(1_000);
  }
});

test("an event reaches every run that waits for it, and only those whose values agree", async (t) => {
  const world = open(t);
  const flow = workflow("flow", (ctx, match: Record<string, string | number>) =>
    ctx.waitFor(Paid, { match, timeout: "1h" }),
  );
  const claw = await world.open([flow]);
  const yes = [{ order: 1 }, { order: 1, at: "x" }, {}];
  const no = [{ order: "1" }, { order: 2 }, { order: 1, at: "y" }, { "order.x": 1 }];
  const runs = [];
  for (const match of [...yes, ...no]) runs.push(await claw.start(flow, match));
  for (const run of runs) await world.parked(claw, run.id);
  await claw.publish({ type: "shop.paid", data: { order: 1, at: "x" } });
  const ok: boolean[] = [];
  for (const run of runs) ok.push((await world.output(run)).ok);
  assert.deepEqual(ok, [true, true, true, false, false, false, false]);
});

test("an emitted event starts what it triggers exactly once, wakes who waits, and is logged with its run", async (t) => {
  const world = open(t);
  const Done = event<{ n: number }>("work.done");
  const onDone = workflow("on-done", { on: Done, where: { n: 1 } }, (ctx, input: { n: number }) => [
    input.n,
    ctx.info.cause,
  ]);
  const onAny = workflow("on-any", { on: event("work.*") }, (_ctx, input) => input);
  const waits = workflow("waits", (ctx) => ctx.waitFor(Done, { match: { n: 2 } }));
  const emits = workflow("emits", async (ctx) => {
    const [, heard] = await ctx.all("own", [
      (c) => c.emit(Done, { n: 1 }),
      (c) => c.waitFor(Done, { match: { n: 1 } }),
    ]);
    await ctx.receive("go");
    await ctx.emit(Done, { n: 2 });
    return heard;
  });
  const flows = [onDone, onAny, waits, emits];
  let claw = await world.open(flows);
  const waiting = await claw.start(waits, null);
  const run = await claw.start(emits, null);
  await world.parked(claw, run.id);
  for (let at = 0; at < 2; at++) {
    await claw.stop();
    claw = await world.open(flows);
  }
  await claw.signal(run.id, "go");
  assert.deepEqual(await world.output(claw.run(run.id)), { n: 1 });
  assert.deepEqual(await world.output(claw.run(waiting.id)), { n: 2 });
  const done = await claw.list({ workflow: "on-done" });
  assert.equal(done.length, 1);
  const [n, cause] = (await world.output(claw.run<[number, string]>(done[0]?.id ?? ""))) ?? [];
  assert.equal(n, 1);
  assert.match(
    String(cause),
    new RegExp(`^event /claw/default/emits ${run.id}/own\\[0\\]/emit:work\\.done$`),
  );
  await world.until(
    async () => (await claw.list({ workflow: "on-any", status: "completed" })).length === 2,
  );
});

test("a published event starts each of its triggers once, and again with its id nothing happens", async (t) => {
  const world = open(t);
  const schema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        (value as { order?: unknown }).order === 7
          ? { issues: [{ message: "not seven", path: ["order"] }] }
          : { value },
    },
  } as const;
  const exact = workflow("exact", { on: event("shop.paid", schema) }, (_c, input) => input);
  const wild = workflow(
    "wild",
    { on: [event("shop.*"), event("*")], where: { order: 5 } },
    () => 1,
  );
  const old = workflow("versioned", { on: Paid, version: 1 }, () => 1);
  const young = workflow("versioned", { version: 2 }, () => 2);
  const claw = await world.open([exact, wild, old, young]);
  const first = await claw.publish({ ...paid(5), id: "e1", source: "/s" });
  assert.deepEqual([first.status, first.started.length, first.refused], ["accepted", 2, []]);
  const again = await claw.publish({ ...paid(5), id: "e1", source: "/s" });
  assert.deepEqual(again, { status: "duplicate", started: [], refused: [] });
  const refused = await claw.publish(paid(7));
  assert.deepEqual(refused.started, []);
  assert.equal(refused.refused[0]?.workflow, "exact");
  assert.match(refused.refused[0]?.reason ?? "", /\$\.order not seven/);
  assert.ok(world.lines.some((line) => line.message === "trigger refused"));
  for (const id of first.started) await world.ended(claw.run(id));
  assert.equal((await claw.list()).length, 2);
});

test("triggers see an event as it is stored, and one bad trigger does not keep an event from others", async (t) => {
  const world = open(t);
  const toMap = {
    "~standard": { version: 1, vendor: "test", validate: () => ({ value: new Map() }) },
  } as const;
  const dated = workflow(
    "dated",
    { on: Paid, where: { at: new Date(0).toISOString() } },
    (_c, input) => input,
  );
  const bad = workflow("bad", { on: event("shop.paid", toMap) }, () => 1);
  const claw = await world.open([dated, bad]);
  const answer = await claw.publish({ type: "shop.paid", data: { order: 1, at: new Date(0) } });
  assert.equal(answer.started.length, 1);
  assert.equal(answer.refused[0]?.workflow, "bad");
  assert.match(answer.refused[0]?.reason ?? "", /it is a Map/);
});

test("an event without a valid type, source, id or time is refused, and a fraction of a millisecond is none", async (t) => {
  const world = open(t);
  const claw = await world.open([]);
  const wrong: object[] = [
    { type: "" },
    { type: 5 },
    { type: "a\nb" },
    { type: "\ud800" },
    { type: "a", source: "" },
    { type: "a", id: "" },
    { type: "a", id: "x".repeat(2_001) },
    { type: "a", subject: "" },
    { type: "a", time: Number.NaN },
    { type: "a", time: new Date(Number.NaN) },
    { type: "a", time: 1e300 },
  ];
  for (const one of wrong) {
    await assert.rejects(claw.publish(one as never), { code: "CLAW-5008" }, JSON.stringify(one));
  }
  assert.equal((await claw.publish({ type: "a", time: 1.5 })).status, "accepted");
});

test("children answer their parent, also when one of them rests, and fail it with their own error", async (t) => {
  const world = open(t);
  const child = workflow("child", async (ctx, what: string) => {
    if (what === "rest") await ctx.sleep("2h");
    if (what === "fail") ctx.fail("no stock", { item: 5 });
    if (what === "wait") await ctx.receive("go");
    return `${what} of ${ctx.info.cause.slice(0, 4)}`;
  });
  const seen: unknown[] = [];
  const parent = workflow("parent", async (ctx, what: string) => {
    try {
      return await ctx.child(child, what);
    } catch (error) {
      const { code, message, details } = error as Error & Record<string, unknown>;
      seen.push([code, message, details]);
      return "caught";
    }
  });
  let claw = await world.open([child, parent]);
  assert.equal(await world.output(await claw.start(parent, "quick")), "quick of run_");
  const resting = await claw.start(parent, "rest");
  await world.parked(claw, resting.id);
  assert.equal(claw.stats().active, 0);
  await claw.stop();
  claw = await world.open([child, parent]);
  assert.equal(await world.output(claw.run(resting.id)), "rest of run_");
  assert.equal(await world.output(await claw.start(parent, "fail")), "caught");
  const waiting = await claw.start(parent, "wait");
  await world.parked(claw, waiting.id);
  const [one] = await claw.list({ workflow: "child", status: "waiting" });
  await claw.cancel(one?.id ?? "", "the child alone");
  assert.equal(await world.output(waiting), "caught");
  assert.deepEqual(seen, [
    ["CLAW-2009", "no stock", { item: 5 }],
    ["CLAW-2008", "The run was cancelled: the child alone", {}],
  ]);
});

test("a detached run goes on when the one that started it has ended, and is started once", async (t) => {
  const world = open(t);
  const aside = workflow("aside", async (ctx, n: number) => [await ctx.receive("go"), n]);
  const flow = workflow("flow", async (ctx) => {
    const id = await ctx.start(aside, 5);
    const other = await ctx.start(aside, 5);
    await ctx.sleep("1m");
    return [id, other];
  });
  let claw = await world.open([aside, flow]);
  const run = await claw.start(flow, null);
  await world.parked(claw, run.id);
  await claw.stop();
  claw = await world.open([aside, flow]);
  const [id, other] = (await world.output(claw.run<string[]>(run.id))) as [string, string];
  assert.notEqual(id, other);
  assert.equal((await claw.list({ workflow: "aside" })).length, 2);
  await claw.signal(id, "go", "went");
  assert.deepEqual(await world.output(claw.run(id)), ["went", 5]);
});
