import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { encryption, openRuntime } from "../src/index.ts";
import { World } from "./world.ts";

const MIB = 1024 * 1024;
const SMALL = { limits: { inlineBytesMax: 100 } };

function places(t: TestContext): { disk: MemoryDisk; world: World } {
  const disk = new MemoryDisk();
  return { disk, world: new World(t, () => memoryStore({ disk })) };
}

const echo = workflow("echo", async (ctx, text: string) => {
  const twice = await ctx.run("twice", () => text + text);
  await ctx.receive("go");
  return twice + text;
});

describe("large payloads", () => {
  test("input, step result and output of 50 MB work and outlive a restart", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "claw-large-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "large.db");
    const copy = workflow("copy", async (ctx, text: string) => {
      const same = await ctx.run("same", () => text);
      await ctx.receive("go");
      return same;
    });
    const text = "x".repeat(50 * MIB);
    const first = await openRuntime({ store: sqliteStore({ path }), workflows: [copy] });
    const run = await first.start(copy, text);
    await first.flush();
    await first.stop();
    const second = await openRuntime({ store: sqliteStore({ path }), workflows: [copy] });
    t.after(() => second.stop());
    await second.signal(run.id, "go");
    assert.ok((await second.run(run.id).result()) === text);
    const reader = sqliteReader({ path });
    t.after(() => reader.close());
    const stored = await reader.find(run.id);
    assert.ok((stored?.input.length ?? 0) < 200, "its row refers to a blob");
    assert.ok((stored?.journal[0]?.data.length ?? 0) < 200, "its journal refers to a blob");
    assert.deepEqual(await second.run(run.id).ended(), { status: "completed", output: text });
  });

  test("a value over the hard limit is refused", async (t) => {
    const { world } = places(t);
    const claw = await world.open([echo]);
    await assert.rejects(claw.start(echo, "x".repeat(64 * MIB)), { code: "CLAW-1006" });
  });

  test("a journal of many large values is read value by value, each in its turn", async (t) => {
    const { disk, world } = places(t);
    const lengths: number[] = [];
    const many = workflow("many", async (ctx) => {
      for (let at = 0; at < 20; at++) {
        lengths.push((await ctx.run("make", () => String(at).repeat(2_000))).length);
      }
      await ctx.receive("go");
    });
    const first = await world.open([many], SMALL);
    const run = await first.start(many, null);
    await world.parked(first, run.id);
    await first.stop();
    const live = lengths.splice(0);
    const kept = disk.journal.of(run.id).map(({ entries }) => entries);
    assert.ok(kept.join("").length < 20 * 200, "the journal holds references");
    const second = await world.open([many], SMALL);
    await second.signal(run.id, "go");
    await world.output(second.run(run.id));
    assert.deepEqual(lengths, live);
  });

  test("large values go through the codec first", async (t) => {
    const { disk, world } = places(t);
    const codec = encryption({ current: "k", keys: { k: randomBytes(32) } });
    const claw = await world.open([echo], { ...SMALL, codec });
    const run = await claw.start(echo, "heron ".repeat(50));
    await world.parked(claw, run.id);
    await claw.signal(run.id, "go");
    assert.equal(await world.output(run), "heron ".repeat(150));
    assert.ok(disk.blobs.size >= 3);
    for (const [, base64] of disk.blobs.entries()) {
      assert.ok(!Buffer.from(base64, "base64").includes("heron"));
    }
  });

  test("a run whose large value is gone is held and says so", async (t) => {
    const { disk, world } = places(t);
    const first = await world.open([echo], SMALL);
    const run = await first.start(echo, "x".repeat(60));
    await world.parked(first, run.id);
    await first.stop();
    for (const [key] of disk.blobs.entries()) disk.blobs.delete(key);
    const second = await world.open([echo], SMALL);
    await second.signal(run.id, "go");
    await world.shows(second, run.id, "unreadable");
    assert.match(await world.reason(second, run.id), /^CLAW-4011: .*is not there/);
  });

  test("large signals, children and undone values arrive whole", async (t) => {
    const { world } = places(t);
    const big = "y".repeat(5_000);
    const undone: string[] = [];
    const child = workflow("child", (_, text: string) => text);
    const parent = workflow("parent", async (ctx) => {
      await ctx.run("made", () => big, { undo: (value) => void undone.push(value) });
      const signal = await ctx.receive<string>("word");
      const below = await ctx.child(child, signal);
      return ctx.fail(String(below.length));
    });
    const first = await world.open([parent, child], SMALL);
    const run = await first.start(parent, null);
    await world.parked(first, run.id);
    await first.stop();
    const second = await world.open([parent, child], SMALL);
    await second.signal(run.id, "word", big);
    const result = await world.ended(second.run(run.id));
    assert.equal(result.status === "compensated" && result.error.message, "5000");
    assert.deepEqual(undone, [big]);
  });

  test("a fork has large values of its own", async (t) => {
    const { disk, world } = places(t);
    const two = workflow("two", async (ctx) => {
      const big = await ctx.run("big", () => "z".repeat(500));
      return (await ctx.run("length", () => big.length)) + big.length;
    });
    const claw = await world.open([two], SMALL);
    const run = await claw.start(two, null);
    assert.equal(await world.output(run), 1_000);
    const fork = await claw.fork(run.id, { from: "length" });
    assert.equal(await world.output(claw.run(fork.id)), 1_000);
    const owners = new Set(disk.blobs.entries().map(([key]) => key.split("/")[0]));
    assert.deepEqual(owners, new Set([run.id, fork.id]));
  });
});
