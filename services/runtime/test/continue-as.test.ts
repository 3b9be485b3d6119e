import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { sqliteStore } from "@claw/store-sqlite";
import { event, workflow } from "@claw/sdk";
import { gate, World } from "./world.ts";

function openPlace(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

function openFile(t: TestContext): World {
  const folder = mkdtempSync(join(tmpdir(), "claw-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return new World(t, () => sqliteStore({ path: join(folder, "store.db") }));
}

for (const [kind, open] of [
  ["memory", openPlace],
  ["SQLite", openFile],
] as const) {
  test(`a run goes on under its id with a journal of its own; its result is the last one (${kind})`, async (t) => {
    const world = open(t);
    const keys: string[] = [];
    const flow = workflow("gen", async (ctx, at: number) => {
      await ctx.run("step", ({ key }) => void keys.push(key));
      if (at < 5) return ctx.continueAs(at + 1);
      await ctx.receive("end");
      return at;
    });
    const first = await world.open([flow]);
    const run = await first.start(flow, 1);
    await world.parked(first, run.id);
    await first.stop();
    const claw = await world.open([flow]);
    const again = claw.run(run.id);
    await claw.signal(run.id, "end");
    assert.equal(await world.output(again), 5);
    assert.equal(new Set(keys).size, 5);
    const record = await claw.find(run.id);
    assert.equal(record?.input, "5");
    assert.deepEqual(
      record?.journal.map(({ kind }) => kind),
      ["w", "s", "m"],
    );
    assert.deepEqual(
      record?.generations?.map(({ generation, input }) => [generation, input]),
      [1, 2, 3, 4].map((at) => [at, String(at)]),
    );
    assert.equal(record?.generations?.[0]?.journal[0]?.call, "step");
  });
}

test("unread signals move along, behind one that was taken but not seen", async (t) => {
  const world = openPlace(t);
  const flow = workflow("gen", async (ctx, seen: string[]) => {
    if (seen.length === 0) {
      void ctx.receive("word");
      await ctx.run("first", () => 1);
      return ctx.continueAs(["began"]);
    }
    const word = await ctx.receive<string>("word");
    if (word === "end") return seen;
    return ctx.continueAs([...seen, word]);
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, []);
  for (const word of ["a", "b", "c"]) await claw.signal(run.id, "word", word);
  await world.until(async () => (await claw.find(run.id))?.generations?.length === 4);
  await claw.signal(run.id, "word", "end");
  assert.deepEqual(await world.output(run), ["began", "a", "b", "c"]);
});

for (const [kind, open] of [
  ["memory", openPlace],
  ["SQLite", openFile],
] as const) {
  test(`what was taken but not seen comes before what is unread, also after a crash (${kind})`, async (t) => {
    const world = open(t);
    let lives = 0;
    const flow = workflow("gen", async (ctx, seen: string[]) => {
      if (seen.length === 0) {
        void ctx.receive("word");
        void ctx.receive("word");
        await ctx.receive("go");
        return ctx.continueAs(["began"]);
      }
      lives++;
      await ctx.run("wait", () => (lives === 1 ? new Promise<void>(() => {}) : undefined));
      const words = [...seen];
      for (let at = 0; at < 4; at++) words.push(await ctx.receive<string>("word"));
      return words;
    });
    const first = await world.open([flow]);
    const run = await first.start(flow, []);
    // Of another name, and never read: what comes back cannot get the numbers before it.
    await first.signal(run.id, "other", 0);
    const words = ["a", "b", "c", "d"];
    // In one commit: the first opens the turn in which the code goes on.
    const go = first.signal(run.id, "go");
    await Promise.all([go, ...words.map((word) => first.signal(run.id, "word", word))]);
    await world.soon(async () => (await first.find(run.id))?.generations?.length === 1);
    await world.calm();
    await first.stop();
    const claw = await world.open([flow]);
    assert.deepEqual(await world.output(claw.run(run.id)), ["began", "a", "b", "c", "d"]);
  });
}

test("what was taken but not seen comes back also if the run waits for a child before it goes on", async (t) => {
  const world = openPlace(t);
  const child = workflow("child", (ctx) => ctx.receive("end"));
  const flow = workflow("gen", async (ctx, generation: number) => {
    if (generation === 2) return [await ctx.receive("word"), (await ctx.approval({})).by];
    void ctx.receive("word");
    void ctx.approval({});
    void ctx.child(child, null, { onParentEnd: "wait" });
    await ctx.receive("go");
    return ctx.continueAs(2);
  });
  const first = await world.open([flow, child]);
  const { id } = await first.start(flow, 1);
  await world.soon(async () => (await first.approvals()).length === 1);
  await Promise.all([
    first.signal(id, "go"),
    first.signal(id, "word", "a"),
    first.approve(id, "approval", { by: "ada", decision: "approve", value: {} }),
  ]);
  // It leaves the memory and comes back, with nobody who asks for what was taken.
  await world.parked(first, id);
  await first.signal(id, "word", "b");
  await world.parked(first, id);
  await first.stop();
  const claw = await world.open([flow, child]);
  const [started] = (await claw.find(id))?.journal.filter(({ kind }) => kind === "c") ?? [];
  const { run } = JSON.parse(started?.data ?? "{}") as { run: string };
  await claw.signal(run, "end");
  assert.deepEqual(await world.output(claw.run(id)), ["a", "ada"]);
});

test("an event that an earlier generation took is not taken again, one that it did not take is", async (t) => {
  const world = openPlace(t);
  const Paid = event<{ n: number }>("paid");
  const flow = workflow("gen", async (ctx, seen: number[]) => {
    const { n } = await ctx.waitFor(Paid);
    if (n === 3) return [...seen, n];
    return ctx.continueAs([...seen, n]);
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, []);
  for (const n of [1, 2, 3]) await claw.publish({ type: "paid", data: { n } });
  assert.deepEqual(await world.output(run), [1, 2, 3]);
});

test("steps that could be undone keep a run from going on, unless it commits to them", async (t) => {
  const world = openPlace(t);
  const did: string[] = [];
  const flow = workflow("gen", async (ctx, { commit, at }: { commit: boolean; at: number }) => {
    if (at === 2) ctx.fail("late");
    await ctx.run("book", () => 1, { undo: () => void did.push("undo") });
    return ctx.continueAs({ commit, at: at + 1 }, { commit });
  });
  const claw = await world.open([flow]);
  const held = await claw.start(flow, { commit: false, at: 1 });
  await world.shows(claw, held.id, "bug");
  assert.match(await world.reason(claw, held.id), /CLAW-2032/);
  const run = await claw.start(flow, { commit: true, at: 1 });
  assert.equal((await world.ended(run)).status, "failed");
  assert.deepEqual(did, []);
});

test("an update of an earlier generation is answered again, and its id means nothing else", async (t) => {
  const world = openPlace(t);
  let taken = 0;
  const flow = workflow("gen", async (ctx, at: number) => {
    ctx.update("add", {}, (inner) => inner.run("count", () => ++taken));
    await ctx.receive("go");
    return at === 2 ? at : ctx.continueAs(at + 1);
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, 1);
  assert.equal(await claw.update(run.id, "add", 5, { id: "a" }), 1);
  await claw.signal(run.id, "go");
  await world.until(async () => (await claw.find(run.id))?.generations?.length === 1);
  assert.equal(await claw.update(run.id, "add", 5, { id: "a" }), 1);
  await assert.rejects(claw.update(run.id, "add", 6, { id: "a" }), { code: "CLAW-3003" });
  assert.equal(await claw.update(run.id, "add", 6, { id: "b" }), 2);
  await claw.signal(run.id, "go");
  await world.output(run);
  assert.equal(await claw.update(run.id, "add", 5, { id: "a" }), 1);
});

test("a step that ends when its generation has gone on is not recorded behind its last entry", async (t) => {
  const disk = new MemoryDisk();
  const [busy, quick, slow] = [gate(), gate(), gate()];
  let isBusy = false;
  const world = new World(t, () => {
    const store = memoryStore({ disk });
    return {
      ...store,
      commit: (batch) =>
        isBusy ? busy.promise.then(() => store.commit(batch)) : store.commit(batch),
    };
  });
  const flow = workflow("gen", async (ctx, at: number) => {
    if (at === 2) return at;
    await ctx.race("r", [
      (inner) => inner.run("slow", () => slow.promise, { undo: () => {} }),
      (inner) => inner.run("early", () => 1),
    ]);
    await ctx.run("quick", () => quick.promise);
    return ctx.continueAs(2, { commit: true });
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, 1);
  await world.calm();
  isBusy = true;
  // Its start is under way: what the first run decides meanwhile waits for the next commit.
  const other = claw.start(flow, 2);
  await world.calm();
  quick.open();
  await world.calm();
  slow.open();
  await world.calm();
  isBusy = false;
  busy.open();
  await other;
  assert.equal(await world.output(run), 2);
  const record = await claw.find(run.id);
  const last = record?.generations?.[0]?.journal.at(-1)?.seq ?? 0;
  assert.equal(record?.journal[0]?.seq, last + 1);
});

test("chunks of a body that ends while its generation does are not counted by the next one", async (t) => {
  const disk = new MemoryDisk();
  const [renewed, ended] = [gate(), gate()];
  let isRenewing = false;
  const store = memoryStore({ disk });
  const world = new World(t, () => {
    return {
      ...store,
      commit: (batch) => {
        const isIt = batch.items.some((one) => one.type === "transition" && one.rare?.renewal);
        if (!isIt) return store.commit(batch);
        isRenewing = true;
        return renewed.promise.then(() => store.commit(batch));
      },
    };
  });
  const flow = workflow("gen", async (ctx, at: number) => {
    if (at === 2) return ctx.stream("words").write("second");
    void ctx.run("slow", async (step) => {
      step.stream("words").write("first");
      await ended.promise;
    });
    await ctx.run("quick", () => 1);
    return ctx.continueAs(2);
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, 1);
  await world.soon(() => isRenewing);
  ended.open();
  await world.calm();
  renewed.open();
  await world.output(run);
  assert.deepEqual(await store.check(), []);
});

test("the time of a later generation begins with it", async (t) => {
  const world = openPlace(t);
  const begun = world.clock.now();
  const flow = workflow("gen", async (ctx, times: number[]) => {
    const seen = [...times, ctx.now().getTime() - begun];
    await ctx.sleep("1h");
    return seen.length === 3 ? seen : ctx.continueAs(seen);
  });
  const claw = await world.open([flow]);
  assert.deepEqual(await world.output(await claw.start(flow, [])), [0, 3_600_000, 7_200_000]);
  assert.equal(world.clock.now() - begun, 3 * 3_600_000);
});

test("a parent waits for the last generation of its child", async (t) => {
  const world = openPlace(t);
  const child = workflow("child", async (ctx, at: number) => {
    await ctx.sleep("5s");
    return at < 3 ? ctx.continueAs(at + 1) : `ended ${at}`;
  });
  const parent = workflow("parent", (ctx) => ctx.child(child, 1));
  const claw = await world.open([child, parent]);
  assert.equal(await world.output(await claw.start(parent, undefined)), "ended 3");
});

test("a lost answer to the renewing commit leaves one next generation", async (t) => {
  for (let point = 1; point < 7; point++) {
    const disk = new MemoryDisk();
    let commits = 0;
    const beforeCommit = () =>
      ++commits === point ? ({ kind: point % 2 === 0 ? "fail" : "lost-answer" } as const) : null;
    const world = new World(t, () => memoryStore({ disk, faults: { beforeCommit } }));
    const hold = gate();
    const flow = workflow("gen", async (ctx, at: number) => {
      await ctx.run("a", () => at);
      if (at < 3) return ctx.continueAs(at + 1);
      await ctx.run("hold", () => hold.promise);
      return at;
    });
    const claw = await world.open([flow]);
    const starting = claw.start(flow, 1).then(
      (handle) => handle.id,
      () => "",
    );
    let id: string | null = null;
    void starting.then((found) => (id = found));
    await world.until(() => id !== null);
    hold.open();
    const list = () => claw.list({ limit: 1 }).catch(() => null);
    await world.until(async () => (await list()) !== null);
    const found = id || (await list())?.[0]?.id;
    if (found === undefined) continue;
    await world.until(async () => (await claw.find(found).catch(() => null))?.endedAt !== null);
    await world.until(async () => (await list()) !== null);
    assert.equal(await world.output(claw.run(found)), 3, `at commit ${point}`);
    const generations = (await claw.find(found))?.generations ?? [];
    assert.deepEqual(
      generations.map(({ generation }) => generation),
      [1, 2],
    );
    await claw.stop();
  }
});

test("a cancelled run does not go on", async (t) => {
  const world = openPlace(t);
  const flow = workflow("gen", async (ctx, at: number) => {
    try {
      await ctx.sleep("1h");
    } catch {
      return ctx.continueAs(at + 1);
    }
    return at;
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, 1);
  await world.parked(claw, run.id);
  await claw.cancel(run.id, "enough");
  assert.equal((await world.ended(run)).status, "cancelled");
});
