import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test, type TestContext } from "node:test";
import type { PayloadCodec } from "@claw/core/ports";
import { type StepContext, task } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { compression, encryption } from "../src/index.ts";
import { World } from "./world.ts";

const SECRET = "the heron stands at noon";
const KEYS = { k: randomBytes(32), o: randomBytes(32) };
const KEY = encryption({ current: "k", keys: { k: KEYS.k } });
const OTHER = encryption({ current: "o", keys: { o: KEYS.o } });
const BOTH = encryption({ current: "o", keys: KEYS });
const soon = { backoff: "fixed", initial: "1ms", jitter: 0 } as const;

function open(t: TestContext): { disk: MemoryDisk; world: World } {
  const disk = new MemoryDisk();
  return { disk, world: new World(t, () => memoryStore({ disk })) };
}

/** Fails once, saying its progress, then gives its input back; or fails for good. */
const echo = task<{ word: string; fail?: boolean }>(
  "echo",
  { keep: "all", retry: { ...soon, attempts: 2 } },
  (input, step: StepContext) => {
    const seen = step.progress;
    step.heartbeat({ at: input.word });
    if (step.attempt === 1 || input.fail === true) {
      throw Object.assign(new Error(`no ${input.word}`), { code: "NOT_YET" });
    }
    return { input, seen };
  },
);

describe("payloads of standalone tasks", () => {
  test("inputs, progress, results and errors are sealed in the store and plain for the code", async (t) => {
    const { disk, world } = open(t);
    const codec = [compression({ fromBytes: 8 }), KEY];
    const claw = await world.open([], {
      tasks: [echo],
      codec,
      queues: { default: { concurrency: 0 } },
    });
    const { id } = await claw.enqueue(echo, { word: SECRET });
    const [late] = await claw.enqueueMany(echo, [{ word: SECRET, fail: true }], { delay: "1s" });
    assert.ok(!disk.snapshot().includes("heron"), "while they wait");
    assert.deepEqual((await claw.findTask(id))?.input, { word: SECRET });
    await claw.stop();
    const next = await world.open([], { tasks: [echo], codec });
    await world.until(async () => (await next.findTask(id))?.status === "completed");
    await world.until(async () => (await next.deadLetters()).length === 1);
    assert.ok(!disk.snapshot().includes("heron"), "when they have ended");
    const done = await next.findTask(id);
    assert.deepEqual(done?.output, { input: { word: SECRET }, seen: { at: SECRET } });
    const [dead] = await next.deadLetters({ error: "NOT_YET" });
    assert.deepEqual([dead?.id, dead?.input], [late, { word: SECRET, fail: true }]);
    assert.equal(dead?.error?.message, `no ${SECRET}`);
    assert.match(dead?.error?.stack ?? "", /task-payloads/);
  });

  test("a task that needs a key which is not there is a dead letter, and is redriven with the key", async (t) => {
    const { world } = open(t);
    const held = { default: { concurrency: 0 } };
    const first = await world.open([], { tasks: [echo], codec: KEY, queues: held });
    const { id } = await first.enqueue(echo, { word: SECRET });
    await first.stop();
    const without = await world.open([], { tasks: [echo], codec: OTHER });
    await world.until(async () => (await without.deadLetters()).length === 1);
    const [dead] = await without.deadLetters({ error: "CLAW-4011" });
    assert.deepEqual([dead?.id, dead?.unreadable, dead?.input], [id, true, "<encrypted>"]);
    await without.stop();
    const both = await world.open([], { tasks: [echo], codec: BOTH });
    assert.equal((await both.redriveAll({ error: "CLAW-4011" })).count, 1);
    await world.until(async () => (await both.findTask(id))?.status === "completed");
    assert.deepEqual((await both.findTask(id))?.input, { word: SECRET });
  });

  test("what was enqueued plainly is done after a codec is switched on, and sealed when it is written again", async (t) => {
    const { disk, world } = open(t);
    const plain = await world.open([], { tasks: [echo], queues: { default: { concurrency: 0 } } });
    const { id } = await plain.enqueue(echo, { word: SECRET });
    await plain.stop();
    const claw = await world.open([], { tasks: [echo], codec: KEY });
    await world.until(async () => (await claw.findTask(id))?.status === "completed");
    assert.ok(!disk.snapshot().includes("heron"));
  });

  test("a value that was copied to another task is refused", async (t) => {
    const { disk, world } = open(t);
    const held = { default: { concurrency: 0 } };
    const claw = await world.open([], { tasks: [echo], codec: KEY, queues: held });
    const mine = await claw.enqueue(echo, { word: "mine" }, { delay: "1s" });
    const yours = await claw.enqueue(echo, { word: "yours" }, { delay: "1s" });
    const [one, two] = [...disk.taskAside.entries()];
    assert.ok(one !== undefined && two !== undefined);
    disk.taskAside.set(two[0], { ...two[1], input: one[1].input });
    assert.deepEqual((await claw.findTask(mine.id))?.input, { word: "mine" });
    assert.equal((await claw.findTask(yours.id))?.unreadable, true);
  });

  test("a codec that cannot encode one input refuses that one alone, and a result becomes a dead letter", async (t) => {
    const { world } = open(t);
    const picky: PayloadCodec = {
      name: "picky",
      encode: (bytes) => {
        if (Buffer.from(bytes).includes("poison")) throw new Error(SECRET);
        return bytes.toReversed();
      },
      decode: (bytes) => bytes.toReversed(),
    };
    const brew = task<string, string>("brew", { keep: "all" }, (what) =>
      what === "toad" ? "poison" : what,
    );
    const claw = await world.open([], { tasks: [brew], codec: picky });
    const asked = ["tea", "poison", "toad"].map((what) => claw.enqueue(brew, what));
    const [tea, poison, toad] = await Promise.allSettled(asked);
    assert.equal(poison?.status, "rejected");
    assert.equal((poison.reason as { code: string }).code, "CLAW-4009");
    assert.ok(tea?.status === "fulfilled" && toad?.status === "fulfilled");
    await world.until(async () => (await claw.deadLetters()).length === 1);
    const [dead] = await claw.deadLetters();
    assert.deepEqual(
      [dead?.id, dead?.error?.code, dead?.input],
      [toad.value.id, "CLAW-4009", "toad"],
    );
    await world.until(async () => (await claw.findTask(tea.value.id))?.status === "completed");
    assert.equal((await claw.findTask(tea.value.id))?.output, "tea");
  });

  test("large values stand apart, are read for their attempt, and go with their task", async (t) => {
    const { disk, world } = open(t);
    const word = "x".repeat(3_000);
    const small = { inlineBytesMax: 1_000, dedupWindowMs: 1 };
    const seen: number[] = [];
    const once = task<{ word: string }>(
      "once",
      { retry: { ...soon, attempts: 3 } },
      (input, step: StepContext) => {
        seen.push(input.word.length);
        step.heartbeat(input.word);
        if (step.attempt < 3) throw new Error("not yet");
      },
    );
    const claw = await world.open([], { tasks: [echo, once], limits: small });
    const { id } = await claw.enqueue(echo, { word });
    await world.until(async () => (await claw.findTask(id))?.status === "completed");
    assert.ok(
      [...disk.taskAside.values()].every(({ input, output }) => input.length + output.length < 500),
    );
    assert.deepEqual((await claw.findTask(id))?.output, { input: { word }, seen: { at: word } });
    const kept = [...disk.blobs.entries()].length;
    const [first] = await claw.enqueueMany(once, [{ word }]);
    await world.until(async () => (await claw.findTask(String(first))) === null);
    assert.deepEqual(seen, [3_000, 3_000, 3_000]);
    assert.equal([...disk.blobs.entries()].length, kept, "nothing of it is left");
    world.clock.advance(8 * 24 * 60 * 60 * 1_000);
    await world.until(async () => (await claw.findTask(id)) === null);
    assert.equal([...disk.blobs.entries()].length, 0);
  });
});
