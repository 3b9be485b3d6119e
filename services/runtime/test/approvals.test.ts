import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type Schema, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { gate, World } from "./world.ts";

function open(t: TestContext): { world: World; disk: MemoryDisk } {
  const disk = new MemoryDisk();
  return { world: new World(t, () => memoryStore({ disk })), disk };
}

const AMOUNT = {
  type: "object",
  properties: { cents: { type: "integer", minimum: 1 } },
  required: ["cents"],
} as const;

const refund = workflow("refund", async (ctx, options: { timeout?: string; people?: string[] }) => {
  const assignees = options.people ?? [];
  const title = "Refund the order?";
  if (options.timeout === undefined) return ctx.approval(AMOUNT, { title, assignees });
  return ctx.approval(AMOUNT, { title, assignees, timeout: options.timeout });
});

const yes = { by: "ada", decision: "approve", value: { cents: 5 } } as const;

test("an open approval is listed with what it asks, and its decision goes on with the run", async (t) => {
  const { world } = open(t);
  const claw = await world.open([refund]);
  const { id } = await claw.start(refund, { people: ["ada", "bob"], timeout: "2d" });
  await world.soon(async () => (await claw.approvals()).length === 1);
  const [one] = await claw.approvals({ run: id, assignee: "bob" });
  assert.deepEqual([one?.run, one?.call, one?.title], [id, "approval", "Refund the order?"]);
  assert.deepEqual(JSON.parse(one?.form ?? ""), AMOUNT);
  assert.deepEqual(one?.assignees, ["ada", "bob"]);
  assert.equal((one?.expiresAt ?? 0) - (one?.createdAt ?? 0), 172_800_000);
  assert.deepEqual(await claw.approvals({ assignee: "eve" }), []);
  await claw.approve(id, "approval", { ...yes, comment: "fine" });
  assert.deepEqual(await world.output(claw.run(id)), {
    ok: true,
    value: { decision: "approve", by: "ada", comment: "fine", value: { cents: 5 } },
  });
  assert.deepEqual(await claw.approvals(), []);
});

test("an approval waits over restarts, and a decision without its process is taken later", async (t) => {
  const { world, disk } = open(t);
  let claw = await world.open([refund]);
  const { id } = await claw.start(refund, {});
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([]);
  assert.equal((await claw.approvals()).length, 1);
  await claw.approve(id, "approval", yes);
  await claw.stop();
  assert.deepEqual(await memoryStoreCheck(disk), []);
  claw = await world.open([refund]);
  assert.deepEqual(await world.output(claw.run(id)), {
    decision: "approve",
    by: "ada",
    value: { cents: 5 },
  });
  assert.deepEqual(await claw.approvals(), []);
});

async function memoryStoreCheck(disk: MemoryDisk): Promise<readonly unknown[]> {
  const store = memoryStore({ disk: MemoryDisk.restore(disk.snapshot()) });
  await store.open();
  return store.check();
}

test("the first decision counts; the second is a conflict, before and after the run took it", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => {
    const first = await ctx.approval({});
    await ctx.receive("end");
    return first.decision;
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  const both = await Promise.allSettled([
    claw.approve(id, "approval", { by: "ada", decision: "reject" }),
    claw.approve(id, "approval", yes),
  ]);
  const codes = both.map((one) => (one.status === "rejected" ? (one.reason as Error) : null));
  assert.equal(codes[0], null);
  assert.equal((codes[1] as { code?: string } | null)?.code, "CLAW-3013");
  await world.parked(claw, id);
  await assert.rejects(claw.approve(id, "approval", yes), { code: "CLAW-3013" });
  await claw.signal(id, "end");
  assert.equal(await world.output(claw.run(id)), "reject");
  await assert.rejects(claw.approve(id, "approval", yes), { code: "CLAW-3013" });
});

test("a second decision is a conflict at any moment after the first", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => (await ctx.approval({})).decision);
  const claw = await world.open([flow]);
  for (let turns = 0; turns < 12; turns++) {
    const { id } = await claw.start(flow, null);
    await world.soon(async () => (await claw.approvals({ run: id })).length === 1);
    await claw.approve(id, "approval", yes);
    for (let n = 0; n < turns; n++) await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(claw.approve(id, "approval", yes), { code: "CLAW-3013" }, `${turns}`);
  }
});

test("a value is checked against the form, and a person against the assignees", async (t) => {
  const { world } = open(t);
  const claw = await world.open([refund]);
  const { id } = await claw.start(refund, { people: ["ada"] });
  await world.soon(async () => (await claw.approvals()).length === 1);
  const bad = { ...yes, value: { cents: 0.5 } };
  await assert.rejects(claw.approve(id, "approval", bad), {
    code: "CLAW-1004",
    message: /\$\.cents must be integer/,
  });
  await assert.rejects(claw.approve(id, "approval", { by: "ada", decision: "approve" }), {
    code: "CLAW-1004",
  });
  await assert.rejects(claw.approve(id, "approval", { ...yes, by: "eve" }), { code: "CLAW-3014" });
  await assert.rejects(claw.approve(id, "approval", { ...yes, by: "" }), { code: "CLAW-1008" });
  await assert.rejects(claw.approve(id, "another", yes), { code: "CLAW-3012" });
  const unknown = id.replace(/.{6}$/, "000000");
  await assert.rejects(claw.approve(unknown, "approval", yes), { code: "CLAW-3001" });
  await claw.approve(id, "approval", { by: "ada", decision: "reject" });
  assert.deepEqual(await world.output(claw.run(id)), { by: "ada", decision: "reject" });
});

test("an approval times out as a result, and is open no longer", async (t) => {
  const { world } = open(t);
  const claw = await world.open([refund]);
  const { id } = await claw.start(refund, { timeout: "1h" });
  await world.parked(claw, id);
  assert.equal((await claw.approvals()).length, 1);
  assert.deepEqual(await world.output(claw.run(id)), { ok: false, reason: "timeout" });
  assert.deepEqual(await claw.approvals(), []);
  await assert.rejects(claw.approve(id, "approval", yes), { code: "CLAW-3002" });
});

test("a branch that loses and a run that is cancelled take their approvals back", async (t) => {
  const { world } = open(t);
  const flow = workflow("flow", async (ctx) => {
    await ctx.race("either", [(a) => a.approval({}, { key: "a" }), (b) => b.receive("skip")]);
    await ctx.approval({}, { key: "last" });
  });
  const claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  const calls = async (): Promise<string[]> => (await claw.approvals()).map(({ call }) => call);
  await world.parked(claw, id);
  assert.deepEqual(await calls(), ["either[0]/approval[a]"]);
  await claw.signal(id, "skip");
  await world.soon(async () => (await calls())[0] === "approval[last]");
  assert.equal((await calls()).length, 1);
  await claw.cancel(id);
  assert.equal((await world.ended(claw.run(id))).status, "cancelled");
  assert.deepEqual(await calls(), []);
});

test("a form is a JSON Schema, or a Standard Schema that gives one; anything else is a mistake", async (t) => {
  const { world } = open(t);
  const json = () => ({ type: "integer" });
  const standard: Schema<unknown, number> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => ({ value: value as number }),
      jsonSchema: { input: json, output: json },
    },
  };
  const flow = workflow("flow", async (ctx) => (await ctx.approval(standard)).value);
  const wrong = workflow("wrong", (ctx) => ctx.approval({ type: "nonsense" }));
  const claw = await world.open([flow, wrong]);
  const { id } = await claw.start(flow, null);
  await world.soon(async () => (await claw.approvals()).length === 1);
  await assert.rejects(claw.approve(id, "approval", yes), { code: "CLAW-1004" });
  await claw.approve(id, "approval", { ...yes, value: 3 });
  assert.equal(await world.output(claw.run(id)), 3);
  const held = await claw.start(wrong, null);
  await world.shows(claw, held.id, "bug");
  assert.match(await world.reason(claw, held.id), /no valid JSON Schema/);
});

test("a decision that is under way when the time runs out is not acknowledged in vain", async (t) => {
  const disk = new MemoryDisk();
  const held: (() => void)[] = [];
  let isSlow = false;
  const async = (complete: () => void): void => {
    if (isSlow) held.push(complete);
    else complete();
  };
  const world = new World(t, () => memoryStore({ disk, async }));
  const claw = await world.open([refund]);
  const { id } = await claw.start(refund, { timeout: "500ms" });
  await world.soon(async () => (await claw.approvals()).length === 1);
  isSlow = true;
  const deciding = claw.approve(id, "approval", yes);
  // What was open is read, then the decision is sent.
  await world.soon(async () => held.length === 1);
  held.shift()?.();
  await world.soon(async () => held.length === 1);
  world.clock.advance(2_000);
  isSlow = false;
  for (const complete of held.splice(0)) complete();
  await deciding;
  const output = await world.output<{ ok: boolean }>(claw.run(id));
  assert.equal(output.ok, true);
});

test("a decision that comes before the code asks again is kept for it", async (t) => {
  const { world } = open(t);
  const foreign = [gate(), gate()];
  let lives = 0;
  const flow = workflow("flow", { foreignAwait: "warn" }, async (ctx) => {
    await foreign[lives++]?.promise;
    return ctx.approval(AMOUNT, { title: "Refund?" });
  });
  let claw = await world.open([flow]);
  const { id } = await claw.start(flow, null);
  foreign[0]?.open();
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([flow]);
  await claw.approve(id, "approval", yes);
  await world.soon(() => lives === 2);
  await world.calm();
  foreign[1]?.open();
  assert.deepEqual(await world.output(claw.run(id)), yes);
});
