import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test, type TestContext } from "node:test";
import { event, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import type { PayloadCodec } from "@claw/core/ports";
import { type Claw, compression, encryption } from "../src/index.ts";
import { gate, World } from "./world.ts";

const SECRET = "the heron stands at noon";
const KEYS = { old: randomBytes(32), new: randomBytes(32) };
const OLD = encryption({ current: "old", keys: { old: KEYS.old } });
const BOTH = encryption({ current: "new", keys: KEYS });
const NEW = encryption({ current: "new", keys: { new: KEYS.new } });
const CANCELLED = workflow("cancelled", async (ctx) => ctx.receive("never"));

const child = workflow("child", (_, word: string) => ({ word }));
const talkative = workflow("talkative", async (ctx, input: { word: string }) => {
  const said = await ctx.run("say", () => ({ said: input.word }));
  const failed = await ctx
    .run(
      "fail",
      () => {
        throw Object.assign(new Error(`no ${SECRET}`), { details: { word: SECRET } });
      },
      { retry: { attempts: 2, initial: "1ms" } },
    )
    .catch((error: unknown) => (error as { details: { word: string } }).details.word);
  const below = await ctx.child(child, said.said);
  const signal = await ctx.receive("word");
  return { said: said.said, failed, below: below.word, signal };
});

function places(t: TestContext): { disk: MemoryDisk; world: World } {
  const disk = new MemoryDisk();
  return { disk, world: new World(t, () => memoryStore({ disk })) };
}

async function talk(world: World, claw: Claw): Promise<unknown> {
  const run = await claw.start(talkative, { word: SECRET });
  await world.parked(claw, run.id);
  await claw.signal(run.id, "word", SECRET);
  return world.output(run);
}

const ALL_SAID = { said: SECRET, failed: SECRET, below: SECRET, signal: SECRET };

describe("codecs", () => {
  test("nothing that a run stores as a payload is readable without the key", async (t) => {
    const { disk, world } = places(t);
    const claw = await world.open([talkative, child], { codec: OLD });
    const run = await claw.start(talkative, { word: SECRET });
    await world.parked(claw, run.id);
    assert.ok(!disk.snapshot().includes("heron"), "while it waits");
    await claw.signal(run.id, "word", SECRET);
    assert.deepEqual(await world.output(run), ALL_SAID);
    assert.ok(!disk.snapshot().includes("heron"), "when it has ended");
    assert.ok(!JSON.stringify(world.lines).includes(KEYS.old.toString("base64")));
  });

  test("a run goes on in another process, and its journal is given decoded", async (t) => {
    const { world } = places(t);
    const first = await world.open([talkative, child], { codec: [compression(), OLD] });
    const run = await first.start(talkative, { word: SECRET });
    await world.parked(first, run.id);
    await first.stop();
    const second = await world.open([talkative, child], { codec: [compression(), OLD] });
    await second.signal(run.id, "word", SECRET);
    assert.deepEqual(await world.output(second.run(run.id)), ALL_SAID);
    const record = await second.find(run.id);
    assert.equal(record?.input, JSON.stringify({ word: SECRET }));
    assert.equal(record?.journal[0]?.data, JSON.stringify({ said: SECRET }));
  });

  test("plain runs stay readable after a codec is switched on, and after it is switched off", async (t) => {
    const { world } = places(t);
    const plain = await world.open([talkative, child]);
    const run = await plain.start(talkative, { word: SECRET });
    await world.parked(plain, run.id);
    await plain.stop();
    const packed = await world.open([talkative, child], { codec: compression({ fromBytes: 0 }) });
    const other = await packed.start(talkative, { word: SECRET });
    await world.parked(packed, other.id);
    await packed.signal(run.id, "word", SECRET);
    assert.deepEqual(await world.output(packed.run(run.id)), ALL_SAID);
    await packed.stop();
    const again = await world.open([talkative, child]);
    await again.signal(other.id, "word", SECRET);
    assert.deepEqual(await world.output(again.run(other.id)), ALL_SAID);
  });

  test("keys rotate: a ring with both keys reads the old and writes the new", async (t) => {
    const { disk, world } = places(t);
    const before = await world.open([talkative, child], { codec: OLD });
    const run = await before.start(talkative, { word: SECRET });
    await world.parked(before, run.id);
    await before.stop();
    const rotated = await world.open([talkative, child], { codec: BOTH });
    await rotated.signal(run.id, "word", SECRET);
    assert.deepEqual(await world.output(rotated.run(run.id)), ALL_SAID);
    const next = await rotated.start(talkative, { word: SECRET });
    await world.parked(rotated, next.id);
    await rotated.stop();
    const after = await world.open([talkative, child], { codec: NEW });
    await after.signal(next.id, "word", SECRET);
    assert.deepEqual(await world.output(after.run(next.id)), ALL_SAID);
    assert.ok(!disk.snapshot().includes("heron"));
  });

  test("a run whose key is missing is held, others go on, and the key brings it back", async (t) => {
    const { world } = places(t);
    const first = await world.open([talkative, child], { codec: OLD });
    const run = await first.start(talkative, { word: SECRET });
    await world.parked(first, run.id);
    await first.stop();
    const second = await world.open([talkative, child], { codec: NEW });
    await second.signal(run.id, "word", SECRET);
    await world.shows(second, run.id, "unreadable");
    assert.match(await world.reason(second, run.id), /^CLAW-4011: The key ring has no key "old"/);
    assert.deepEqual(await talk(world, second), ALL_SAID);
    await second.stop();
    const third = await world.open([talkative, child], { codec: BOTH });
    assert.deepEqual(await world.output(third.run(run.id)), ALL_SAID);
  });

  test("a value that was put into the place of another one is refused", async (t) => {
    const { disk, world } = places(t);
    const first = await world.open([CANCELLED], { codec: OLD });
    const [one, two] = [await first.start(CANCELLED, 1), await first.start(CANCELLED, 2)];
    await world.parked(first, one.id);
    await world.parked(first, two.id);
    await first.stop();
    const [a, b] = [disk.runs.get(one.id), disk.runs.get(two.id)];
    assert.ok(a !== undefined && b !== undefined);
    disk.runs.set(one.id, { ...a, input: b.input });
    const second = await world.open([CANCELLED], { codec: OLD });
    await second.signal(one.id, "any");
    await world.shows(second, one.id, "unreadable");
    assert.match(await world.reason(second, one.id), /CLAW-4011/);
    await second.cancel(one.id);
    assert.equal((await world.ended(second.run(one.id))).status, "cancelled");
  });

  test("the error that ended a run is decoded in lists and results", async (t) => {
    const { disk, world } = places(t);
    const failing = workflow("failing", (ctx) => ctx.fail(SECRET, { word: SECRET }));
    const claw = await world.open([failing], { codec: OLD });
    const result = await world.ended(await claw.start(failing, null));
    assert.equal(result.status === "failed" && result.error.message, SECRET);
    const [line] = await claw.list();
    assert.equal(line?.reason, `CLAW-2009: ${SECRET}`);
    assert.ok(!disk.snapshot().includes("heron"));
    await claw.stop();
    const blind = await world.open([failing]);
    assert.equal((await blind.list())[0]?.reason, "CLAW-2009: <encrypted>");
  });

  test("slow codecs do not change the order in which a run sees its items", async (t) => {
    const { world } = places(t);
    const seen: string[] = [];
    const three = workflow("three", async (ctx) => {
      await ctx.all("all", [
        async (inner) => void seen.push(await inner.run("a", () => "a")),
        async (inner) => void seen.push(await inner.run("b", () => "b".repeat(50))),
        async (inner) => void seen.push(await inner.run("c", () => "c")),
      ]);
      await ctx.receive("go");
    });
    const options = { codec: slow(), limits: { inlineBytesMax: 20 } };
    const first = await world.open([three], options);
    const run = await first.start(three, null);
    await world.parked(first, run.id);
    await first.stop();
    const live = seen.splice(0);
    const second = await world.open([three], options);
    await second.signal(run.id, "go");
    await world.output(second.run(run.id));
    assert.deepEqual(seen, live);
  });

  test("a codec that cannot encode fails its run and no other", async (t) => {
    const { world } = places(t);
    const refusing: PayloadCodec = {
      name: "refusing",
      encode: (bytes) => {
        if (Buffer.from(bytes).includes("bad")) throw new Error(`secret ${SECRET}`);
        return null;
      },
      decode: (bytes) => bytes,
    };
    const echo = workflow("echo", (ctx, word: string) => ctx.run("say", () => `${word}!`));
    const claw = await world.open([echo], { codec: refusing });
    await assert.rejects(claw.start(echo, "bad"), { code: "CLAW-4009" });
    assert.equal(await world.output(await claw.start(echo, "good")), "good!");
    assert.ok(!JSON.stringify(world.lines).includes(SECRET));
  });

  test("events are logged as they are, because they are matched by content; a run's copy is encoded", async (t) => {
    const { disk, world } = places(t);
    const Told = event("told");
    const waiting = workflow("waiting", async (ctx) => ctx.waitFor(Told, { match: { of: 1 } }));
    const claw = await world.open([waiting], { codec: OLD });
    const run = await claw.start(waiting, null);
    await world.parked(claw, run.id);
    await claw.publish({ type: "told", data: { of: 1, word: SECRET } });
    assert.deepEqual(await world.output(run), { of: 1, word: SECRET });
    assert.ok(!disk.closed.get(run.id)?.journal?.includes("heron"));
    assert.ok(disk.snapshot().includes("heron"));
  });

  test("a run that goes on as its next generation is decoded in every generation", async (t) => {
    const { disk, world } = places(t);
    const again = workflow("again", async (ctx, word: string) => {
      await ctx.run("say", () => word);
      if (word.length < 60) return ctx.continueAs(word + SECRET);
      await ctx.receive("go");
      return word;
    });
    const first = await world.open([again], { codec: OLD, limits: { inlineBytesMax: 40 } });
    const run = await first.start(again, SECRET);
    await world.parked(first, run.id);
    await first.stop();
    const second = await world.open([again], { codec: OLD, limits: { inlineBytesMax: 40 } });
    await second.signal(run.id, "go");
    assert.equal(await world.output(second.run(run.id)), SECRET.repeat(3));
    const record = await second.find(run.id);
    assert.deepEqual(
      record?.generations?.map(({ input }) => input),
      [SECRET, SECRET + SECRET].map((word) => JSON.stringify(word)),
    );
    assert.ok(!disk.snapshot().includes("heron"));
  });

  test("what a run took in an earlier life and puts back is decoded by its next generation", async (t) => {
    const { disk, world } = places(t);
    const hold = gate();
    let lives = 0;
    // In its second life the step answers late: by then the word is recorded, and lies behind it.
    const again = workflow("again", { foreignAwait: "warn" }, async (ctx, generation: number) => {
      if (generation === 2) return [await ctx.receive("word"), await ctx.receive("word")];
      lives++;
      void ctx.receive("word");
      await ctx.receive("go");
      if (lives === 1) await hold.promise;
      return ctx.continueAs(2);
    });
    for (const limits of [{}, { inlineBytesMax: 40 }]) {
      lives = 0;
      const first = await world.open([again], { codec: OLD, limits });
      const run = await first.start(again, 1);
      await world.calm();
      await Promise.all([first.signal(run.id, "go"), first.signal(run.id, "word", SECRET)]);
      await world.calm();
      await first.stop();
      const second = await world.open([again], { codec: OLD, limits });
      await second.signal(run.id, "word", "next");
      assert.deepEqual(await world.output(second.run(run.id)), [SECRET, "next"]);
      assert.ok(!disk.snapshot().includes("heron"));
      await second.stop();
    }
  });

  test("codecs and key rings that are none are refused by name, without the key", () => {
    assert.throws(() => encryption({ current: "a", keys: {} }), { code: "CLAW-1001" });
    const short = randomBytes(16).toString("base64");
    assert.throws(
      () => encryption({ current: "a", keys: { a: short } }),
      (error: Error) => !error.message.includes(short),
    );
    assert.throws(() => compression({ algorithm: "lz" as "gzip" }), { code: "CLAW-1001" });
  });
});

function slow(): PayloadCodec {
  let calls = 0;
  return {
    name: "slow",
    encode: (bytes) => Promise.resolve(bytes),
    decode: async (bytes) => {
      // The first one takes longest.
      for (let passes = 20 - Math.min(calls++, 19); passes > 0; passes--) await Promise.resolve();
      return bytes;
    },
  };
}
