import assert from "node:assert/strict";
import { test } from "node:test";
import { event, task, workflow } from "@claw/sdk";
import { testWorld } from "../src/index.ts";
import { Approved, charge, label, type Order, order, shipped } from "./workflows.ts";

const CHARGED = { charge: (given: Order) => ({ receipt: `receipt of ${given.id}` }) };

test("a year of sleeps passes in a moment, and each one ends when it is due", async () => {
  const yearly = workflow("yearly", async (ctx) => {
    const days: string[] = [];
    for (let month = 0; month < 12; month++) {
      await ctx.sleep("30d");
      days.push(ctx.now().toISOString().slice(0, 10));
    }
    return days;
  });
  await using world = await testWorld({ workflows: [yearly] });
  const from = performance.now();
  const run = await world.start(yearly, undefined);
  await world.advance("90d");
  assert.equal((await run.state()).journal.length, 3);
  const days = await run.result();
  assert.equal(days[0], "2026-01-31");
  assert.equal(days[11], "2026-12-27");
  assert.equal(world.now.toISOString(), "2026-12-27T00:00:00.000Z");
  assert.ok(performance.now() - from < 3_000, "a year took more than three seconds");
});

test("advance moves time exactly as far as it is told, and what is due later stays", async () => {
  const two = workflow("two", async (ctx) => {
    await ctx.sleep("1h");
    await ctx.sleep("1h");
  });
  await using world = await testWorld({ workflows: [two], now: 1_000_000 });
  const run = await world.start(two, undefined);
  await world.advance("90m");
  assert.equal(world.now.getTime(), 1_000_000 + 90 * 60_000);
  const { status, waits, journal } = await run.state();
  assert.equal(status, "waiting");
  assert.equal(waits.until, 1_000_000 + 2 * 3_600_000);
  assert.deepEqual(
    journal.map(({ kind, at }) => [kind, at]),
    [["timerFired", 1_000_000 + 3_600_000]],
  );
});

test("the same seed gives the same ids and journals, another seed others", async () => {
  const play = async (seed: number): Promise<string> => {
    await using world = await testWorld({
      workflows: [order, label, shipped],
      tasks: CHARGED,
      seed,
    });
    const run = await world.start(order, { id: "o", cents: 1 });
    await world.advance("3d");
    await run.signal("note", "n");
    await world.publish(Approved, { order: "o", by: "Ada" });
    await run.result();
    await world.settle();
    const runs = await world.list();
    const states = await Promise.all(runs.map(({ id }) => world.run(id).state()));
    return JSON.stringify(states.map(({ record }) => record)).replaceAll(/"stack":"[^"]*"/g, "");
  };
  const first = await play(7);
  assert.equal(await play(7), first);
  assert.notEqual(await play(8), first);
});

test("bodies of tasks and steps are replaced by name, and recorded with key, attempt and input", async () => {
  await using world = await testWorld({
    workflows: [order, label, shipped],
    tasks: CHARGED,
    steps: { label: { print: () => "a stand-in" } },
  });
  const run = await world.start(order, { id: "o-1", cents: 5 });
  await world.advance("3d");
  await run.signal("note", "n");
  await world.publish(Approved, { order: "o-1", by: "Ada" });
  const output = await run.result();
  assert.deepEqual(output.labels, ["a stand-in", "a stand-in"]);
  const [charged, ...more] = world.bodies("charge");
  assert.deepEqual(more, []);
  assert.equal(charged?.key, `${run.id}/charge`);
  assert.deepEqual(charged?.input, { id: "o-1", cents: 5 });
  assert.deepEqual(charged?.output, { receipt: "receipt of o-1" });
  assert.deepEqual(
    world.bodies("reserve").map(({ attempt, status, error }) => [attempt, status, error?.message]),
    [
      [1, "failed", "the shelf is busy"],
      [2, "failed", "the shelf is busy"],
      [3, "completed", undefined],
    ],
  );
  assert.deepEqual(
    world.bodies("print").map(({ workflow: name, call }) => [name, call]),
    [
      ["label", "print"],
      ["label", "print"],
    ],
  );
});

test("a task that is not replaced runs itself; its schema is checked either way", async () => {
  const double = task("double", {}, (n: number) => n * 2);
  const calls = workflow("calls", (ctx, n: number) => ctx.call(double, n));
  await using world = await testWorld({ workflows: [calls] });
  assert.equal(await (await world.start(calls, 4)).result(), 8);
  assert.equal(world.bodies("double")[0]?.input, 4);
});

test("steps of a workflow that is not there are refused", async () => {
  const steps = { lable: { print: () => "x" } };
  await assert.rejects(testWorld({ workflows: [label], steps }), {
    code: "CLAW-1001",
    message: /no workflow "lable"/,
  });
});

test("state shows status, values, journal and what a run waits for", async () => {
  await using world = await testWorld({ workflows: [order, label], tasks: CHARGED });
  const run = await world.start(order, { id: "o-1", cents: 5 });
  await world.advance("3d");
  const atSignal = await run.state();
  assert.equal(atSignal.status, "waiting");
  assert.deepEqual(atSignal.waits, { until: null, messages: 1, events: [] });
  await run.signal("note", "n");
  const atEvent = await run.state();
  assert.deepEqual(atEvent.waits.events, ["event:test.order.approved"]);
  assert.deepEqual(atEvent.input, { id: "o-1", cents: 5 });
  assert.deepEqual(
    atEvent.journal.map(({ kind, call, attempt }) => `${kind} ${call} ${attempt}`),
    [
      "attemptFailed reserve 1",
      "attemptFailed reserve 2",
      "stepCompleted reserve 3",
      "stepCompleted charge 1",
      "timerFired sleep 1",
      "signalReceived signal:note 1",
    ],
  );
});

test("events start runs by their triggers, once per id, and are checked by their schema", async () => {
  const Came = event<{ n: number }>("came");
  const greet = workflow("greet", { on: Came }, (ctx, data: { n: number }) =>
    ctx.run("greet", () => data.n),
  );
  await using world = await testWorld({ workflows: [greet] });
  const first = await world.publish(Came, { n: 1 }, { id: "e1" });
  assert.equal(first.started.length, 1);
  assert.equal((await world.publish(Came, { n: 1 }, { id: "e1" })).status, "duplicate");
  assert.equal((await world.publish("came", { n: 2 })).status, "accepted");
  assert.deepEqual(
    world.bodies("greet").map(({ output }) => output),
    [1, 2],
  );
});

test("a cancelled run ends as cancelled, a failed one gives its error", async () => {
  const waits = workflow("waits", (ctx) => ctx.sleep("1d"));
  const fails = workflow("fails", (ctx, why: string) => ctx.fail(why));
  await using world = await testWorld({ workflows: [waits, fails] });
  const cancelled = await world.start(waits, undefined);
  await cancelled.cancel("enough");
  assert.equal((await cancelled.ended()).status, "cancelled");
  await assert.rejects(cancelled.cancel(), { code: "CLAW-3002" });
  const failed = await world.start(fails, "no stock");
  await assert.rejects(failed.result(), { code: "CLAW-2009", message: /no stock/ });
});

test("starts at the same time are in memory at once; one idempotency key is one run", async () => {
  const quick = workflow("quick", (ctx, n: number) => ctx.run("n", () => n));
  await using world = await testWorld({ workflows: [quick] });
  const runs = await Promise.all([1, 2, 3].map((n) => world.start(quick, n)));
  const outputs = await Promise.all(runs.map((run) => run.result()));
  assert.deepEqual(outputs, [1, 2, 3]);
  const options = { idempotencyKey: "mail-17" };
  const one = await world.start(quick, 4, options);
  const again = await world.start(quick, 4, options);
  assert.equal(again.id, one.id);
  assert.deepEqual([one.existing, again.existing], [false, true]);
  await assert.rejects(world.start(quick, 5, options), { code: "CLAW-3003" });
});

test("a body may use the world that it runs in", async () => {
  const asks = workflow("asks", async (ctx) => {
    await ctx.run("ask", () => "asked");
    return ctx.receive<string>("answer");
  });
  const answer = async (): Promise<void> => {
    const [run] = await world.list();
    await world.run(run?.id ?? "").signal("answer", "from within");
  };
  await using world = await testWorld({ workflows: [asks], steps: { asks: { ask: answer } } });
  const run = await world.start(asks, undefined);
  assert.equal(await run.result(), "from within");
});

test("a run that waits for what nobody sends is an error that says for what", async () => {
  await using world = await testWorld({ workflows: [order, label], tasks: CHARGED });
  const run = await world.start(order, { id: "o-1", cents: 5 });
  await assert.rejects(run.result(), { code: "CLAW-6002", message: /order .* 1 message/ });
});

test("a loop that takes no time is an error instead of a test that never ends", async () => {
  const Round = event("round");
  const circle = workflow("circle", { on: Round }, (ctx) => ctx.emit(Round, {}));
  await using world = await testWorld({ workflows: [circle] });
  await assert.rejects(world.publish(Round, {}), { code: "CLAW-6001" });
});

test("a run that is held says so, and goes on when the code is mended", async () => {
  const broken = workflow("fragile", async (ctx, list: number[] | null) => {
    await ctx.run("once", () => 1);
    return (list as number[]).length;
  });
  const mended = workflow("fragile", async (ctx, list: number[] | null) => {
    await ctx.run("once", () => 1);
    return list?.length ?? 0;
  });
  await using world = await testWorld({ workflows: [broken] });
  const run = await world.start(broken, null);
  assert.equal((await run.state()).status, "bug");
  await assert.rejects(run.result(), { code: "CLAW-2006", message: /TypeError/ });
  await world.restart({ workflows: [mended] });
  assert.equal(await run.result(), 0);
  assert.equal(world.bodies("once").length, 1);
});

test("the charge of the examples is never the real one", async () => {
  await using world = await testWorld({ workflows: [order, label] });
  const run = await world.start(order, { id: "o-1", cents: 5 });
  await assert.rejects(run.result(), { message: /must not run in a test/ });
  assert.equal(charge.name, "charge");
});
