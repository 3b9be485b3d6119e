import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { sqliteStore } from "@claw/store-sqlite";
import { type AnyWorkflow, event, task, type Workflow, workflow } from "@claw/sdk";
import { World } from "./world.ts";

const PLACES: Readonly<Record<string, (t: TestContext) => World>> = {
  memory: (t) => {
    const disk = new MemoryDisk();
    return new World(t, () => memoryStore({ disk }));
  },
  SQLite: (t) => {
    const folder = mkdtempSync(join(tmpdir(), "claw-runtime-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    return new World(t, () => sqliteStore({ path: join(folder, "store.db") }));
  },
};

const Paid = event<{ order: number }>("shop.paid");
const Told = event<{ order: number }>("shop.told");

/** A flow with every call of ctx, and those that it starts. */
function everyCall(bodies: string[]): { all: Workflow; workflows: AnyWorkflow[] } {
  const double = task("double", {}, (n: number) => {
    bodies.push(`double ${n}`);
    return n * 2;
  });
  const child = workflow("child", async (ctx, input: number) => {
    return (await ctx.run("work", () => input + 1)) + 1;
  });
  const aside = workflow("aside", (_ctx, input: number) => input);
  const onTold = workflow("on-told", { on: Told }, (_ctx, input) => input);
  const all = workflow("all", async (ctx) => {
    const seen: unknown[] = [];
    seen.push(await ctx.run("step", ({ key, attempt }) => bodies.push(`step ${key} ${attempt}`)));
    seen.push(await ctx.call(double, 4));
    seen.push(await ctx.child(child, 5));
    seen.push((await ctx.start(aside, 6)).length);
    await ctx.sleep("1h");
    seen.push("slept");
    await ctx.until(new Date(ctx.now().getTime() + 60_000));
    await ctx.until(0);
    await ctx.emit(Told, { order: 7 });
    seen.push(await ctx.receive<string>("word"));
    seen.push(await ctx.receive("nothing", { timeout: "1m" }));
    seen.push(await ctx.waitFor(Paid, { match: { order: 7 } }));
    seen.push(await ctx.waitFor(Paid, { match: { order: 8 }, timeout: "1m" }));
    const both = [(c: typeof ctx) => c.run("x", () => 1), (c: typeof ctx) => c.run("x", () => 2)];
    seen.push(await ctx.all("both", both));
    seen.push(await ctx.map("each", [1, 2, 3], (c, n) => c.run("y", () => n * n)));
    seen.push(await ctx.race("first", [(c) => c.receive("never"), (c) => c.run("z", () => "z")]));
    seen.push(await ctx.scope("inner", async (c) => await c.run("step", () => "in")));
    await ctx.sleep("2h");
    return seen;
  });
  return { all, workflows: [all, child, aside, onTold] };
}

const TIMEOUT = { ok: false, reason: "timeout" };
const SEEN = [
  1,
  8,
  7,
  30,
  "slept",
  "go",
  TIMEOUT,
  { order: 7 },
  TIMEOUT,
  [1, 2],
  [1, 4, 9],
  "z",
  "in",
];

for (const [place, make] of Object.entries(PLACES)) {
  test(`every ctx call goes on after a stop, and what was recorded does not run again (${place})`, async (t) => {
    const world = make(t);
    const bodies: string[] = [];
    const { all, workflows } = everyCall(bodies);
    let claw = await world.open(workflows);
    const { id } = await claw.start(all, null);
    const reopen = async (): Promise<void> => {
      await claw.stop();
      claw = await world.open(workflows);
    };
    const recorded = (kind: string) => async (): Promise<boolean> =>
      (await claw.find(id))?.journal.some((entry) => entry.kind === kind) ?? false;
    // Stopped at many places where it rests, and in memory in between.
    await world.parked(claw, id);
    await reopen();
    await claw.signal(id, "word", "go");
    await world.until(recorded("m"));
    await reopen();
    await claw.publish({ type: "shop.paid", data: { order: 7 } });
    await reopen();
    await world.until(recorded("v"));
    await reopen();
    const before = (await claw.find(id))?.journal ?? [];
    const output = await world.output(claw.run(id));
    await reopen();
    assert.deepEqual(await claw.run(id).result(), output);
    assert.deepEqual(output, SEEN);
    assert.deepEqual(bodies, [`step ${id}/step 1`, "double 4"]);
    assert.deepEqual((await claw.find(id))?.journal.slice(0, before.length), before);
    assert.equal((await claw.list({ workflow: "on-told", status: "completed" })).length, 1);
    assert.equal((await claw.list({ workflow: "aside", status: "completed" })).length, 1);
  });
}

const memory = PLACES["memory"] as (t: TestContext) => World;

test("time, random numbers and UUIDs are the same at replay and differ between runs and calls", async (t) => {
  const world = memory(t);
  const seen: unknown[] = [];
  const draws = workflow("draws", async (ctx) => {
    const one = [ctx.now().getTime(), ctx.random(), ctx.uuid(), ctx.random(), ctx.uuid()];
    await ctx.run("a", () => 1);
    const two = [ctx.now().getTime(), ctx.random(), ctx.uuid()];
    const inner = await ctx.scope("s", (c) => [c.random(), c.uuid()]);
    seen.push([one, two, inner]);
    await ctx.receive("go");
    return null;
  });
  let claw = await world.open([draws]);
  const run = await claw.start(draws, null);
  const other = await claw.start(draws, null);
  await world.parked(claw, run.id);
  await world.parked(claw, other.id);
  await claw.stop();
  world.clock.advance(5_000);
  claw = await world.open([draws]);
  await claw.signal(run.id, "go");
  await world.ended(claw.run(run.id));
  assert.equal(seen.length, 3);
  assert.deepEqual(seen[2], seen[0]);
  assert.notDeepEqual(seen[1], seen[0]);
  const drawn = (seen.slice(0, 2) as [number, ...unknown[]][][]).flat(2).filter((v) => v !== seen);
  const values = drawn.filter((value) => typeof value === "string" || Number(value) < 1);
  assert.equal(new Set(values).size, values.length);
  for (const value of values) {
    if (typeof value === "string")
      assert.match(value, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test("what code gets of its input is what replay gives it", async (t) => {
  const world = memory(t);
  const seen: unknown[] = [];
  const echo = workflow("echo", async (ctx, input: unknown) => {
    seen.push(input);
    await ctx.receive("go");
    return null;
  });
  let claw = await world.open([echo]);
  const inputs = [{ when: new Date(0), none: undefined }, -0, undefined, null, "text", [undefined]];
  const ids: string[] = [];
  for (const input of inputs) ids.push((await claw.start(echo, input)).id);
  for (const id of ids) await world.parked(claw, id);
  const live = seen.splice(0);
  await claw.stop();
  claw = await world.open([echo]);
  for (const id of ids) await claw.signal(id, "go");
  for (const id of ids) await world.ended(claw.run(id));
  assert.deepEqual(seen, live);
  assert.deepEqual(live, [
    { when: "1970-01-01T00:00:00.000Z" },
    0,
    undefined,
    null,
    "text",
    [null],
  ]);
});

test("log lines carry the run and are not written again at replay", async (t) => {
  const world = memory(t);
  const logs = workflow("logs", async (ctx) => {
    ctx.log.info("begun", { a: 1 });
    await ctx.run("one", () => 1);
    await ctx.receive("go");
    ctx.log.warn("ending");
    return null;
  });
  let claw = await world.open([logs]);
  const run = await claw.start(logs, null);
  await world.parked(claw, run.id);
  await claw.stop();
  claw = await world.open([logs]);
  await claw.signal(run.id, "go");
  await world.ended(claw.run(run.id));
  const own = world.lines.filter((line) => line.fields["run"] === run.id);
  assert.deepEqual(
    own.map(({ level, message, fields }) => [level, message, fields["a"], fields["workflow"]]),
    [
      ["info", "begun", 1, "logs"],
      ["warn", "ending", undefined, "logs"],
    ],
  );
});

test("a wait for something that came already, and an instant that has passed, end at once", async (t) => {
  const world = memory(t);
  const quick = workflow("quick", async (ctx) => {
    await ctx.until(new Date(0));
    await ctx.sleep(0);
    return ctx.now().getTime();
  });
  const claw = await world.open([quick]);
  const now = world.clock.now();
  assert.equal(await world.output(await claw.start(quick, null)), now);
});

test("an instant or a time that no clock reaches is refused as a mistake", async (t) => {
  const world = memory(t);
  const far = workflow("far", async (ctx, at: number) => await ctx.until(at));
  const claw = await world.open([far]);
  for (const at of [1e300, 9e15]) {
    const run = await claw.start(far, at);
    await world.shows(claw, run.id, "bug");
    assert.match(await world.reason(claw, run.id), /CLAW-1007/);
  }
});
