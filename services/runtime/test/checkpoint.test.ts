import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Batch } from "@claw/core/ports";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { sqliteStore } from "@claw/store-sqlite";
import { type Context, event, workflow } from "@claw/sdk";
import { gate, World } from "./world.ts";

const calls = (journal: readonly { readonly call: string }[] = []) =>
  journal.map(({ call }) => call);

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
  test(`a thousand iterations leave one entry in the journal (${kind})`, async (t) => {
    const world = open(t);
    let sum = 0;
    const flow = workflow("count", async (ctx) => {
      await ctx.run("before", () => 1);
      const total = await ctx.checkpoint("loop", { at: 0, total: 0 }, async (ctx, state) => {
        const add = await ctx.run("add", () => (sum++, state.at));
        if (state.at === 999) return { done: state.total + add };
        if (state.at === 500) await ctx.receive("on");
        return { next: { at: state.at + 1, total: state.total + add } };
      });
      await ctx.run("after", () => 1);
      return total;
    });
    const first = await world.open([flow]);
    const run = await first.start(flow, undefined);
    await world.parked(first, run.id);
    const record = await first.find(run.id);
    assert.deepEqual(calls(record?.journal), ["before", "loop", "loop/500/add"]);
    assert.equal(record?.journal.at(-1)?.seq, 1 + 500 * 2 + 1);
    await first.stop();
    const claw = await world.open([flow]);
    await claw.signal(run.id, "on");
    assert.equal(await world.output(claw.run(run.id)), 499_500);
    assert.equal(sum, 1_000);
    assert.deepEqual(calls((await claw.find(run.id))?.journal), ["before", "loop", "after"]);
  });

  test(`two checkpoints beside a branch keep what is not theirs (${kind})`, async (t) => {
    const world = open(t);
    const did: string[] = [];
    const loop = (name: string, times: number) => (ctx: Context) =>
      ctx.checkpoint(name, 0, async (ctx, at) => {
        await ctx.run("x", () => void did.push(`${name}${at}`));
        await ctx.sleep("10ms");
        return at + 1 < times ? { next: at + 1 } : { done: at };
      });
    const flow = workflow("both", async (ctx) => {
      const all = await ctx.all("side", [
        loop("a", 3),
        loop("b", 6),
        async (ctx) => {
          for (let at = 0; at < 8; at++) {
            await ctx.run("y", () => void did.push(`y${at}`));
            await ctx.sleep("7ms");
          }
        },
      ]);
      await ctx.receive("end");
      return all.slice(0, 2);
    });
    const first = await world.open([flow], { limits: { parkGraceMs: 0 } });
    const run = await first.start(flow, undefined);
    await world.until(() => did.includes("b3"));
    await first.stop();
    const second = await world.open([flow], { limits: { parkGraceMs: 0 } });
    await world.until(() => did.includes("b5") && did.includes("y7"));
    await world.until(async () => {
      const record = await second.find(run.id);
      return record?.status === "waiting" && record.due === null;
    });
    const journal = (await second.find(run.id))?.journal ?? [];
    assert.equal(calls(journal).filter((call) => /^side\[[01]\]/.test(call)).length, 2);
    assert.equal(calls(journal).filter((call) => call.includes("/y")).length, 8);
    const numbers = journal.map(({ seq }) => seq);
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
    await second.signal(run.id, "end");
    assert.deepEqual(await world.output(second.run(run.id)), [2, 5]);
    await second.stop();
    const third = await world.open([flow]);
    assert.equal((await third.find(run.id))?.status, "completed");
  });
}

test("a crash at every commit runs no recorded step of an iteration again", async (t) => {
  for (let point = 1; point < 14; point++) {
    const disk = new MemoryDisk();
    let commits = 0;
    const kind = point % 2 === 0 ? "fail" : "lost-answer";
    const beforeCommit = (batch: Batch) =>
      batch.items.length > 0 && ++commits === point ? ({ kind } as const) : null;
    const world = new World(t, () => memoryStore({ disk, faults: { beforeCommit } }));
    const did: string[] = [];
    const flow = workflow("count", async (ctx) => {
      await ctx.run("before", () => 1);
      return ctx.checkpoint("loop", 0, async (ctx, at) => {
        await ctx.run("a", () => void did.push(`a${at}`));
        await ctx.run("b", () => void did.push(`b${at}`));
        return at < 2 ? { next: at + 1 } : { done: "end" };
      });
    });
    const claw = await world.open([flow]);
    let run = claw.run("");
    for (let tries = 0; run.id === "" && tries < 9; tries++) {
      const starting = claw.start(flow, undefined, { idempotencyKey: "k" });
      let settled = false;
      starting.then(
        (handle) => ((run = handle), (settled = true)),
        () => (settled = true),
      );
      await world.until(() => settled);
      await world.until(() => claw.stats().recoveries === 0 || claw.store.incarnation > 1);
    }
    assert.equal(await world.output(run), "end", `at commit ${point}`);
    for (const one of new Set(did)) {
      const times = did.filter((other) => other === one).length;
      assert.ok(times <= 2, `${one} at commit ${point}`);
    }
    assert.ok(did.length <= 7, `${did.join()} at commit ${point}`);
    assert.deepEqual(calls((await claw.find(run.id))?.journal), ["before", "loop"]);
    await claw.stop();
  }
});

test("an iteration with an open call, or an undo, is held with its name", async (t) => {
  const world = openPlace(t);
  const left = workflow("left", (ctx) =>
    ctx.checkpoint("loop", 0, async (ctx) => {
      void ctx.sleep("1h");
      await ctx.run("x", () => 1);
      return { next: 1 };
    }),
  );
  const undone = workflow("undone", (ctx) =>
    ctx.checkpoint("loop", 0, async (ctx) => {
      await ctx.run("x", () => 1, { undo: () => {} });
      return { done: 1 };
    }),
  );
  const claw = await world.open([left, undone]);
  for (const [flow, what] of [
    [left, "loop/0/sleep"],
    [undone, "loop/0/x"],
  ] as const) {
    const run = await claw.start(flow, undefined);
    await world.shows(claw, run.id, "bug");
    assert.match(await world.reason(claw, run.id), /CLAW-2031/);
    assert.ok((await world.reason(claw, run.id)).includes(what));
  }
});

test("an event that a removed iteration took is not taken again after a restart", async (t) => {
  const world = openPlace(t);
  const Paid = event<{ n: number }>("paid");
  const flow = workflow("listen", (ctx) =>
    ctx.checkpoint("loop", [] as number[], async (ctx, seen) => {
      const { n } = await ctx.waitFor(Paid);
      return n === 9 ? { done: seen } : { next: [...seen, n] };
    }),
  );
  const first = await world.open([flow]);
  const run = await first.start(flow, undefined);
  await first.publish({ type: "paid", data: { n: 1 } });
  await first.publish({ type: "paid", data: { n: 2 } });
  await world.until(
    async () => (await first.find(run.id))?.journal.at(-1)?.data.includes("[1,2]") === true,
  );
  await world.parked(first, run.id);
  await first.stop();
  const claw = await world.open([flow]);
  await claw.publish({ type: "paid", data: { n: 3 } });
  await claw.publish({ type: "paid", data: { n: 9 } });
  assert.deepEqual(await world.output(claw.run(run.id)), [1, 2, 3]);
});

test("keys of steps differ between iterations and checkpoints nest", async (t) => {
  const world = openPlace(t);
  const keys: string[] = [];
  const flow = workflow("nest", (ctx) =>
    ctx.checkpoint("outer", 0, async (ctx, at) => {
      const inner = await ctx.checkpoint("inner", 0, async (ctx, count) => {
        await ctx.run("x", ({ key }) => void keys.push(key));
        return count === 2 ? { done: count } : { next: count + 1 };
      });
      return at === 2 ? { done: inner } : { next: at + 1 };
    }),
  );
  const claw = await world.open([flow]);
  const run = await claw.start(flow, undefined);
  assert.equal(await world.output(run), 2);
  assert.equal(new Set(keys).size, 9);
  assert.deepEqual(calls((await claw.find(run.id))?.journal), ["outer"]);
});

test("an iteration that fails fails the checkpoint, and code may catch it", async (t) => {
  const world = openPlace(t);
  const hold = gate();
  const flow = workflow("fails", async (ctx) => {
    try {
      await ctx.checkpoint("loop", 0, async (ctx, at) => {
        if (at === 2)
          await ctx.run("bad", () => Promise.reject(new Error("no")), { retry: { attempts: 1 } });
        return { next: at + 1 };
      });
    } catch (error) {
      await ctx.run("hold", () => hold.promise);
      return (error as Error).message;
    }
    return "never";
  });
  const first = await world.open([flow]);
  const run = await first.start(flow, undefined);
  await world.until(async () => (await first.find(run.id))?.journal.length === 2);
  await first.stop();
  const claw = await world.open([flow]);
  hold.open();
  assert.equal(await world.output(claw.run(run.id)), "no");
});
