import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Store } from "@claw/core/ports";
import { workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { sqliteStore } from "@claw/store-sqlite";
import { compression, encryption } from "../src/index.ts";
import {
  ALL,
  asker,
  bodies,
  bytesOf,
  large,
  madeExport,
  quick,
  redigest,
  refused,
  textOf,
  typos,
  without,
  TRACED,
} from "./move-world.ts";
import { World } from "./world.ts";

function inMemory(): () => Store {
  const disk = new MemoryDisk();
  return () => memoryStore({ disk });
}

function inFile(t: TestContext): () => Store {
  const folder = mkdtempSync(join(tmpdir(), "claw-moves-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return () => sqliteStore({ path: join(folder, "store.db") });
}

/** What becomes of the runs of `madeExport`. */
const OUTPUTS = {
  closed: 8,
  sleeper: "after",
  asker: 3,
  family: [2, 3],
  permit: 5,
  listener: [
    { to: "x", n: 1 },
    { to: "x", n: 2 },
    { to: "x", n: 3 },
  ],
  lives: [3, "go"],
  large: 3_000_000,
  tagged: "tagged",
  looping: 6,
  undone: "compensated",
  counter: 7,
  queued: 10,
  teller: "told",
};

const PLACES = [
  ["SQLite to SQLite", inFile, inFile],
  ["SQLite to memory", inFile, inMemory],
  ["memory to SQLite", inMemory, inFile],
] as const;

for (const [name, from, to] of PLACES) {
  test(`runs that wait for everything go on in another store and end there (${name})`, async (t) => {
    bodies.length = 0;
    const { text, ids, claw: source } = await madeExport(new World(t, from(t)));
    await source.stop();
    assert.deepEqual(bodies.sort(), ["before", "pay"]);
    const make = to(t);
    const target = new World(t, make);
    const claw = await target.open(ALL);
    await claw.publish({ type: "moves.ping", id: "old", data: { to: "x", n: 0 } });
    const report = await claw.importRuns(bytesOf(text));
    assert.equal(report.runs, 17);
    assert.deepEqual([report.imported, report.known, report.resumed], [17, 0, 0]);
    assert.equal(report.held, 14);
    await target.calm();
    // Nothing ran, and nothing is twice.
    assert.equal(bodies.length, 2);
    const paused = await claw.list({ status: "paused", limit: 100 });
    assert.equal(paused.length, 14);
    const again = await claw.importRuns(bytesOf(text), { resume: true });
    assert.deepEqual([again.imported, again.known, again.resumed], [0, 17, 14]);
    const id = (flow: string): string => ids.get(flow) ?? "";
    await target.calm();
    const [slow] = (await claw.list({ workflow: "asker" })).filter((run) => run.parentRun !== "");
    for (const run of [id("asker"), slow?.id ?? ""]) await claw.signal(run, "second", 2);
    await claw.signal(slow?.id ?? "", "first", 1);
    for (const flow of ["lives", "large", "tagged", "undone", "counter", "teller"])
      await claw.signal(id(flow), "go", "go");
    assert.equal((await claw.approvals()).length, 1);
    await claw.approve(id("permit"), "approval", {
      by: "ada",
      decision: "approve",
      value: { cents: 5 },
    });
    for (const n of [2, 3]) await claw.publish({ type: "moves.ping", data: { to: "x", n } });
    for (const cents of [2, 3])
      await claw.publish({ type: "moves.paid", data: { order: 1, cents } });
    const outputs: Record<string, unknown> = {};
    await target.calm();
    target.clock.advance(172_800_000);
    for (const [flow, run] of ids) {
      const result = await target.ended(claw.run(run));
      outputs[flow] = result.status === "completed" ? result.output : result.status;
    }
    assert.deepEqual(outputs, OUTPUTS);
    assert.equal((await claw.state("counter", "a")).state, 10);
    const told: unknown[] = [];
    for await (const chunk of claw.run(id("teller")).stream("lines")) told.push(chunk.value);
    assert.deepEqual(told, ["one", "two", "three"]);
    assert.deepEqual(bodies.sort(), ["after", "before", "pay", "refund"]);
    const known = await claw.start(quick, 4, { idempotencyKey: "four" });
    assert.equal(known.existing, true);
    const { traceparent, tracestate } = TRACED;
    assert.equal((await claw.find(known.id))?.trace, `${traceparent} ${tracestate}`);
    assert.equal((await claw.list({ attributes: { color: "red" } })).length, 1);
    assert.equal((await claw.find(id("lives")))?.generations?.length, 2);
    await claw.stop();
    const store = make();
    await store.open();
    assert.deepEqual(await store.check(), []);
    await store.close();
  });
}

test("an import that is done again writes nothing, whatever the runs did in between", async (t) => {
  const { text, claw: source } = await madeExport(new World(t, inMemory()));
  await source.stop();
  const disk = new MemoryDisk();
  const target = new World(t, () => memoryStore({ disk }));
  const claw = await target.open(ALL);
  await claw.importRuns(bytesOf(text), { resume: true });
  await target.calm();
  target.clock.advance(200_000_000);
  await target.calm();
  for (const one of await claw.list({ workflow: "lives" })) await claw.signal(one.id, "go");
  await target.calm();
  const before = disk.snapshot();
  const report = await claw.importRuns(bytesOf(text), { resume: true });
  assert.deepEqual([report.imported, report.known, report.resumed], [0, 17, 0]);
  assert.equal(disk.snapshot(), before);
});

test("a run that is there as another one refuses the file, and nothing is written", async (t) => {
  const world = new World(t, inMemory());
  const { text, claw, ids } = await madeExport(world);
  await claw.stop();
  const disk = new MemoryDisk();
  const target = new World(t, () => memoryStore({ disk }));
  const other = await target.open(ALL);
  const one = ids.get("closed") ?? "";
  await other.importRuns(bytesOf(redigest(text, (line) => line.replace('"8"', '"9"'))));
  const before = disk.snapshot();
  const detail = await refused(other.importRuns(bytesOf(text)), "CLAW-4063");
  assert.match(detail, new RegExp(`^${one} is in the store as another run: it has another output`));
  assert.equal(disk.snapshot(), before);
});

test("runs go into another namespace only when that is asked for, with their idempotency keys", async (t) => {
  const { text, claw: source } = await madeExport(new World(t, inMemory()));
  await source.stop();
  const target = new World(t, inMemory());
  const claw = await target.open(ALL, { namespace: "trial" });
  const detail = await refused(claw.importRuns(bytesOf(text)), "CLAW-4064");
  assert.match(detail, /"default", this is "trial"/);
  const report = await claw.importRuns(bytesOf(text), { intoOtherNamespace: true });
  assert.equal(report.imported, 17);
  assert.equal((await claw.start(quick, 4, { idempotencyKey: "four" })).existing, true);
  assert.equal(
    (await claw.list({ limit: 100 })).every((run) => run.namespace === "trial"),
    true,
  );
});

test("named runs bring along who waits for them and whom they wait for, and nobody else", async (t) => {
  const world = new World(t, inMemory());
  const { claw, ids } = await madeExport(world);
  const [child] = (await claw.list({ workflow: "asker" })).filter((run) => run.parentRun !== "");
  for (const run of [child?.id ?? "", ids.get("family") ?? ""]) {
    const text = await textOf(claw.exportRuns({ runs: [run] }));
    const runs = [...text.matchAll(/^\{"run":\{"id":"(\w+)"/gm)].map((found) => found[1]);
    assert.deepEqual(runs, [ids.get("family"), child?.id]);
  }
  await assert.rejects(textOf(claw.exportRuns({ runs: ["run_00000000000000000000000000"] })), {
    code: "CLAW-3001",
  });
  const some = await textOf(claw.exportRuns({ workflow: "asker", status: "waiting" }));
  assert.match(
    some,
    /^\{"claw":"export","format":1,"archive":1,"store":"memory 1","namespace":"default","exportedAt":\d+,"runs":3,"payloads":"stored"\}\n/,
  );
});

test("a family with a member missing is refused", async (t) => {
  const { text, claw, ids } = await madeExport(new World(t, inMemory()));
  const [child] = (await claw.list({ workflow: "asker" })).filter((run) => run.parentRun !== "");
  await claw.stop();
  const other = await new World(t, inMemory()).open(ALL);
  for (const gone of [ids.get("family"), child?.id]) {
    const detail = await refused(other.importRuns(bytesOf(without(text, gone ?? ""))), "CLAW-4065");
    assert.match(detail, new RegExp(`cannot do without ${gone}`));
  }
});

test("encrypted values stay encrypted in an export, and are read where the key is", async (t) => {
  const ring = { current: "k1", keys: { k1: randomBytes(32) } };
  const codec = [compression(), encryption(ring)];
  const source = new World(t, inMemory());
  const first = await source.open(ALL, { codec });
  const closed = await first.start(quick, 123_456_789);
  await source.output(closed);
  const open = await first.start(asker, undefined);
  await first.signal(open.id, "first", 987_654_321);
  await source.calm();
  const big = await first.start(large, undefined);
  await source.parked(first, big.id);
  const text = await textOf(first.exportRuns());
  const plain = await textOf(first.exportRuns({}, { plain: true }));
  for (const secret of ["246913578", "123456789", "987654321"]) {
    assert.ok(!text.includes(secret), secret);
    assert.ok(plain.includes(secret), secret);
  }
  await first.stop();
  // With the key it goes on; without it the runs are held until the key is there.
  const target = new World(t, inMemory());
  const claw = await target.open(ALL, { codec });
  const report = await claw.importRuns(bytesOf(text), { resume: true });
  assert.deepEqual(report.codecs, ["aes"]);
  await claw.signal(open.id, "second", 1);
  await claw.signal(big.id, "go");
  assert.equal(await target.output(claw.run(open.id)), 987_654_322);
  assert.equal(await target.output(claw.run(big.id)), 3_000_000);
  assert.equal((await claw.find(closed.id))?.output, "246913578");
  const blind = await new World(t, inMemory()).open(ALL);
  await blind.importRuns(bytesOf(text), { resume: true });
  for (let looks = 0; looks < 200; looks++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await blind.find(open.id))?.status, "unreadable");
});

test("plain values are encrypted again in a store that encrypts, and large ones too", async (t) => {
  const source = new World(t, inMemory());
  const first = await source.open(ALL);
  const run = await first.start(large, undefined);
  const open = await first.start(asker, undefined);
  await first.signal(open.id, "first", 987_654_321);
  await source.parked(first, run.id);
  const text = await textOf(first.exportRuns());
  await first.stop();
  const disk = new MemoryDisk();
  const target = new World(t, () => memoryStore({ disk }));
  const ring = { current: "k1", keys: { k1: randomBytes(32) } };
  const claw = await target.open(ALL, { codec: encryption(ring) });
  await claw.importRuns(bytesOf(text), { resume: true });
  await target.calm();
  const stored = disk.snapshot();
  assert.ok(!stored.includes("987654321"));
  assert.ok(!stored.includes(Buffer.from("xxxxxxxxxxxxxxxxxxxxx").toString("base64")));
  await claw.signal(run.id, "go");
  await claw.signal(open.id, "second", 1);
  assert.equal(await target.output(claw.run(run.id)), 3_000_000);
  assert.equal(await target.output(claw.run(open.id)), 987_654_322);
});

test("what an operator paused stays paused, and a bug is a bug again", async (t) => {
  const source = new World(t, inMemory());
  const { typo, fixed } = typos;
  const first = await source.open([asker, typo]);
  const held = await first.start(typo, undefined);
  const paused = await first.start(asker, undefined);
  await source.calm();
  await first.pause(paused.id, "the bank is down");
  await source.shows(first, held.id, "bug");
  const text = await textOf(first.exportRuns());
  await first.stop();
  const target = new World(t, inMemory());
  const claw = await target.open([asker, fixed]);
  await claw.importRuns(bytesOf(text));
  assert.match(
    await target.reason(claw, held.id),
    /^came from another store, where it was held as bug: /,
  );
  assert.equal((await claw.importRuns(bytesOf(text), { resume: true })).resumed, 1);
  assert.equal(await target.output(claw.run(held.id)), "right");
  assert.equal(await target.reason(claw, paused.id), "the bank is down");
});

test("what a run put back moves along before what is unread, and a decision for its next generation", async (t) => {
  const source = new World(t, inMemory());
  const flow = workflow("gen", async (ctx, generation: number) => {
    if (generation === 1) {
      void ctx.receive("word");
      void ctx.approval({}, { title: "Pay?" });
      await ctx.receive("go");
      return ctx.continueAs(2);
    }
    await ctx.receive("moved");
    const words = [await ctx.receive("word"), await ctx.receive("word")];
    return [...words, (await ctx.approval({}, { title: "Pay?" })).by];
  });
  const first = await source.open([flow]);
  const { id } = await first.start(flow, 1);
  await source.soon(async () => (await first.approvals()).length === 1);
  await first.signal(id, "other");
  const yes = { by: "ada", decision: "approve" } as const;
  await Promise.all([
    first.approve(id, "approval", yes),
    first.signal(id, "go"),
    first.signal(id, "word", "a"),
    first.signal(id, "word", "b"),
  ]);
  await source.parked(first, id);
  const text = await textOf(first.exportRuns());
  await first.stop();
  const target = new World(t, inFile(t));
  const claw = await target.open([flow]);
  await claw.importRuns(bytesOf(text), { resume: true });
  await claw.signal(id, "moved");
  assert.deepEqual(await target.output(claw.run(id)), ["a", "b", "ada"]);
});
