import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { gate, World } from "./world.ts";

function open(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "claw-runtime-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const echo = workflow("echo", async (ctx, input: unknown) => {
  await ctx.run("step", () => 1);
  return input;
});
const waits = workflow("waits", async (ctx) => await ctx.receive("go"));

test("the same idempotency key and input give the same run: at once, later, reopened, closed", async (t) => {
  const world = open(t);
  let claw = await world.open([echo, waits]);
  const key = { idempotencyKey: "order-7" };
  const handles = await Promise.all(
    Array.from({ length: 20 }, () => claw.start(echo, { n: 1 }, key)),
  );
  const ids = new Set(handles.map((handle) => handle.id));
  assert.equal(ids.size, 1);
  assert.equal(handles.filter((handle) => !handle.existing).length, 1);
  for (const handle of handles) assert.deepEqual(await world.output(handle), { n: 1 });
  await claw.stop();
  claw = await world.open([echo, waits]);
  const again = await claw.start(echo, { n: 1 }, key);
  assert.deepEqual([again.existing, ids.has(again.id)], [true, true]);
  assert.deepEqual(await world.output(again), { n: 1 });
  assert.equal((await claw.list()).length, 1);
});

test("the same key with another input is a conflict, also in one commit; of another workflow it is new", async (t) => {
  const world = open(t);
  const claw = await world.open([echo, waits]);
  const key = { idempotencyKey: "k" };
  const answers = await Promise.allSettled([
    claw.start(echo, 1, key),
    claw.start(echo, 2, key),
    claw.start(waits, 3, key),
  ]);
  assert.deepEqual(
    answers.map((answer) => answer.status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  const refused = answers[1]?.status === "rejected" ? (answers[1].reason as { code?: string }) : {};
  assert.equal(refused.code, "CLAW-3003");
  await assert.rejects(claw.start(echo, 2, key), { code: "CLAW-3003" });
});

test("the steps of a start that met an earlier one of its key never begin", async (t) => {
  const world = open(t);
  let bodies = 0;
  const flow = workflow("flow", (ctx) => ctx.run("body", () => ++bodies));
  const claw = await world.open([flow]);
  const starts = Array.from({ length: 10 }, () =>
    claw.start(flow, null, { idempotencyKey: "one" }),
  );
  for (const handle of await Promise.all(starts)) assert.equal(await world.output(handle), 1);
  assert.equal(bodies, 1);
});

test("an idempotency key is forgotten after its window", async (t) => {
  const world = open(t);
  const limits = { dedupWindowMs: 3_600_000 };
  const claw = await world.open([echo], { limits });
  const key = { idempotencyKey: "k" };
  const first = await claw.start(echo, 1, key);
  await world.ended(first);
  world.clock.advance(3_600_000);
  await world.until(async () => {
    const again = await claw.start(echo, 1, key);
    return again.id !== first.id;
  });
});

test("an idempotency key that no store can hold is refused", async (t) => {
  const world = open(t);
  const claw = await world.open([echo]);
  for (const idempotencyKey of ["", "k".repeat(501), "a\nb", "\ud800"]) {
    await assert.rejects(claw.start(echo, 1, { idempotencyKey }), { code: "CLAW-1008" });
  }
});

test("a result that is not there in time is CLAW-2012, and the run goes on", async (t) => {
  const world = open(t);
  const claw = await world.open([waits]);
  const run = await claw.start(waits, null);
  await world.parked(claw, run.id);
  for (const handle of [run, claw.run(run.id)]) {
    const waiting = assert.rejects(handle.result({ timeout: "5s" }), { code: "CLAW-2012" });
    await world.calm();
    world.clock.advance(5_000);
    await waiting;
  }
  await claw.signal(run.id, "go", "went");
  assert.equal(await world.output(run), "went");
  assert.equal(await run.result({ timeout: 0 }), "went");
});

test("asking for what is not there names the id and what to do", async (t) => {
  const world = open(t);
  const claw = await world.open([waits]);
  const id = "run_01hf7yat003c0tks6qak3chxnx";
  const unknown = { code: "CLAW-3001", message: /There is no run run_01.*Check the id/s };
  await assert.rejects(claw.run(id).result(), unknown);
  await assert.rejects(claw.run("nonsense").ended({ timeout: 0 }), { code: "CLAW-3001" });
  await assert.rejects(claw.signal(id, "go"), unknown);
  await assert.rejects(claw.cancel(id), unknown);
  await assert.rejects(claw.release(id), unknown);
  assert.equal(await claw.find(id), null);
});

test("who waits for a run when the runtime stops is told so", async (t) => {
  const world = open(t);
  const claw = await world.open([waits]);
  const run = await claw.start(waits, null);
  const waiting = assert.rejects(run.result(), { code: "CLAW-3005" });
  const limited = assert.rejects(run.result({ timeout: "1d" }), { code: "CLAW-3005" });
  await world.calm();
  await claw.stop();
  await claw.stop();
  await waiting;
  await limited;
  await assert.rejects(claw.start(waits, null), { code: "CLAW-3005" });
  await assert.rejects(claw.signal(run.id, "go"), { code: "CLAW-3005" });
});

test("a stop takes nothing more, and what it answered is there afterwards", async (t) => {
  const world = open(t);
  const claw = await world.open([echo]);
  const before = Array.from({ length: 50 }, (_, at) => claw.start(echo, at));
  const stopping = claw.stop();
  const after = Array.from({ length: 50 }, (_, at) => claw.start(echo, 100 + at));
  const answers = await Promise.allSettled([...before, ...after]);
  await stopping;
  assert.ok(answers.slice(0, 50).every((answer) => answer.status === "fulfilled"));
  for (const answer of answers.slice(50)) {
    assert.equal(
      answer.status === "rejected" && (answer.reason as { code: string }).code,
      "CLAW-3005",
    );
  }
  const again = await world.open([echo]);
  for (const [at, answer] of answers.slice(0, 50).entries()) {
    if (answer.status === "fulfilled")
      assert.equal(await world.output(again.run(answer.value.id)), at);
  }
});

test("flush settles when what was asked for before is durable", async (t) => {
  const world = open(t);
  const claw = await world.open([waits]);
  let started = false;
  void claw.start(waits, null).then(() => (started = true));
  await claw.flush();
  assert.ok(started);
  assert.equal((await claw.list()).length, 1);
});

test("one run among 256 at once costs a small part of a commit", async (t) => {
  const world = open(t);
  const five = workflow("five", async (ctx) => {
    for (let at = 0; at < 5; at++) await ctx.run("step", () => at);
    return "done";
  });
  const claw = await world.open([five]);
  const runs = await Promise.all(Array.from({ length: 256 }, () => claw.start(five, null)));
  for (const run of runs) assert.equal(await world.output(run), "done");
  const { commits, transitions, bodies } = claw.stats();
  assert.equal(bodies, 5 * 256);
  assert.ok(
    transitions >= 256 && commits <= 20,
    `${commits} commits of ${transitions} transitions`,
  );
});

test("a backup taken while runs are under way is a whole store", async (t) => {
  const folder = folderOf(t);
  const world = new World(t, () => sqliteStore({ path: join(folder, "store.db") }));
  const held = gate();
  const flow = workflow("flow", async (ctx, n: number) => {
    await ctx.run("first", () => n);
    if (n % 2 === 0) await ctx.receive("go");
    await ctx.run("second", () => held.promise);
    return n;
  });
  const claw = await world.open([flow]);
  for (let at = 0; at < 200; at++) await claw.start(flow, at);
  const more = Promise.all(Array.from({ length: 200 }, (_, at) => claw.start(flow, at)));
  await claw.backup(join(folder, "copy.db"));
  await assert.rejects(claw.backup(join(folder, "copy.db")), { code: "CLAW-4010" });
  await more;
  const reader = sqliteReader({ path: join(folder, "copy.db") });
  assert.deepEqual(await reader.check(), []);
  assert.ok((await reader.list({ limit: 1_000 })).length >= 200);
  reader.close();
  const copy = new World(t, () => sqliteStore({ path: join(folder, "copy.db") }));
  const restored = await copy.open([flow]);
  for (const { id } of await restored.list({ limit: 1_000 })) {
    await restored.signal(id, "go");
  }
  held.open();
  for (const { id } of await restored.list({ limit: 1_000 })) await copy.ended(restored.run(id));
  assert.ok(readFileSync(join(folder, "copy.db")).length > 0);
});
