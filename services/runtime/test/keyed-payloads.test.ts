import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { workflow } from "@claw/sdk";
import { encryption, replayRecorded } from "../src/index.ts";
import { World } from "./world.ts";

function open(t: TestContext): { world: World; disk: MemoryDisk } {
  const disk = new MemoryDisk();
  return { disk, world: new World(t, () => memoryStore({ disk })) };
}

const words = workflow("words", { key: (room: string) => room, initialState: "" }, async (ctx) => {
  const before = ctx.state.get();
  await ctx.sleep("1h");
  ctx.state.set(`${before}secret `);
  return before;
});

const codec = encryption({ current: "k1", keys: { k1: Buffer.alloc(32, 7) } });

test("with a codec no state of a key stands in the store as it is, and it is handed on all the same", async (t) => {
  const { world, disk } = open(t);
  const claw = await world.open([words], { codec });
  const first = await claw.start(words, "a");
  const second = await claw.start(words, "a");
  assert.equal(await world.output(first), "");
  assert.equal(await world.output(second), "secret ");
  assert.equal((await claw.state(words, "a")).state, "secret secret ");
  assert.ok(!disk.snapshot().includes("secret"));
  const blind = await world.open([words]);
  await assert.rejects(blind.state(words, "a"), { code: "CLAW-4011" });
});

test("a state that cannot be decoded holds the run that has its key", async (t) => {
  const { world } = open(t);
  const claw = await world.open([words], { codec });
  await world.output(await claw.start(words, "a"));
  const blind = await world.open([words]);
  const run = await blind.start(words, "a");
  await world.shows(blind, run.id, "unreadable");
});

test("a large state stands apart, and only the newest one stays", async (t) => {
  const { world, disk } = open(t);
  const big = workflow("big", { key: () => "k", initialState: "" }, async (ctx, letter: string) => {
    const before = ctx.state.get();
    ctx.state.set(letter.repeat(2_000));
    return before.length;
  });
  const claw = await world.open([big], { limits: { inlineBytesMax: 1_000 } });
  assert.equal(await world.output(await claw.start(big, "a")), 0);
  assert.equal(await world.output(await claw.start(big, "b")), 2_000);
  assert.equal((await claw.state(big, "k")).state, "b".repeat(2_000));
  const ofKey = disk.blobs.entries().filter(([name]) => name.startsWith("key_"));
  assert.equal(ofKey.length, 1);
});

test("what does not match the schema of the state is refused where it is set", async (t) => {
  const { world } = open(t);
  const numbers = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        typeof value === "number" ? { value } : { issues: [{ message: "is no number" }] },
    },
  } as const;
  const counter = workflow("counter", { key: () => "k", state: numbers, initialState: 1 }, (ctx) =>
    ctx.state.set("one" as never),
  );
  const claw = await world.open([counter]);
  const end = await world.ended(await claw.start(counter, undefined));
  assert.equal(end.status === "failed" && end.error.code, "CLAW-1004");
  assert.throws(
    () =>
      workflow("wrong", { key: () => "k", state: numbers, initialState: "x" as never }, () => 1),
    { code: "CLAW-1001" },
  );
  assert.throws(() => workflow("keyless", { initialState: 1 }, () => 1), { code: "CLAW-1001" });
});

test("a run of a key is replayed with other code as its journal saw the state", async (t) => {
  const { world } = open(t);
  const claw = await world.open([words]);
  await world.output(await claw.start(words, "a"));
  const run = await claw.start(words, "a");
  await world.parked(claw, run.id);
  const record = await claw.find(run.id);
  assert.ok(record !== null);
  assert.equal((await replayRecorded(record, [words])).verdict, "agrees");
  const stateless = workflow("words", { key: (room: string) => room }, (ctx) => ctx.sleep("1h"));
  assert.equal((await replayRecorded(record, [stateless])).verdict, "diverged");
});
