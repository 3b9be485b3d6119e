import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { sqliteStore } from "@claw/store-sqlite";
import { ClawError, event, workflow } from "@claw/sdk";
import type { Claw } from "../src/index.ts";
import { gate, World } from "./world.ts";

interface Place {
  readonly world: World;
  /** The process is gone: without closing its store, where the store allows it. */
  crash(claw: Claw): Promise<void>;
}

function openMemory(t: TestContext): Place {
  const disk = new MemoryDisk();
  const crash = async (): Promise<void> => disk.ownerDied();
  return { world: new World(t, () => memoryStore({ disk })), crash };
}

function openFile(t: TestContext): Place {
  const folder = mkdtempSync(join(tmpdir(), "claw-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const world = new World(t, () => sqliteStore({ path: join(folder, "store.db") }));
  return { world, crash: (claw) => claw.stop() };
}

interface Add {
  readonly account: string;
  readonly amount: number;
}

const account = workflow(
  "account",
  { key: (add: Add) => add.account, initialState: { sum: 0, runs: 0 } },
  async (ctx, { amount }) => {
    const { sum, runs } = ctx.state.get();
    await ctx.run("book", () => amount);
    ctx.state.set({ sum: sum + amount, runs: runs + 1 });
    return ctx.state.get().sum;
  },
);

describe("runs of a key, in memory", () => proveKeys(openMemory));
describe("runs of a key, in SQLite", () => proveKeys(openFile));

function proveKeys(open: (t: TestContext) => Place): void {
  test("runs of a key hand on its state, one after the other", async (t) => {
    const { world } = open(t);
    const claw = await world.open([account]);
    const runs = await Promise.all(
      [1, 2, 3, 4].map((amount) => claw.start(account, { account: "a", amount })),
    );
    const other = await claw.start(account, { account: "b", amount: 10 });
    const sums = [];
    for (const run of runs) sums.push(await world.output(run));
    assert.deepEqual(sums, [1, 3, 6, 10]);
    assert.equal(await world.output(other), 10);
    const view = await claw.state(account, "a");
    assert.deepEqual(view.state, { sum: 10, runs: 4 });
    assert.deepEqual([view.head, view.waiting, view.next], [null, 0, []]);
  });

  test("a key that nothing is known of has its initial state", async (t) => {
    const { world } = open(t);
    const claw = await world.open([account]);
    assert.deepEqual((await claw.state("account", "new")).state, { sum: 0, runs: 0 });
  });

  test("the others wait behind the run that has the key, and show behind which one", async (t) => {
    const { world } = open(t);
    const held = gate();
    const slow = workflow("slow", { key: (key: string) => key }, (ctx) =>
      ctx.run("wait", () => held.promise),
    );
    const claw = await world.open([slow]);
    const first = await claw.start(slow, "k");
    const second = await claw.start(slow, "k");
    const third = await claw.start(slow, "k");
    await world.shows(claw, first.id, "running");
    const record = await claw.find(third.id);
    assert.equal(record?.status, "queued");
    assert.deepEqual(record?.queue, { key: "k", seq: 3, place: "waiting", behind: second.id });
    assert.equal((await claw.find(second.id))?.queue?.behind, first.id);
    const view = await claw.state(slow, "k");
    assert.deepEqual([view.head, view.waiting, view.next], [first.id, 2, [second.id, third.id]]);
    held.open();
    await world.output(third);
  });

  test("a full mailbox refuses a start and says when to try again", async (t) => {
    const { world } = open(t);
    const held = gate();
    const slow = workflow("slow", { key: (key: string) => key, mailbox: { max: 1 } }, (ctx) =>
      ctx.run("wait", () => held.promise),
    );
    const claw = await world.open([slow]);
    await claw.start(slow, "k");
    const waiting = await claw.start(slow, "k", { idempotencyKey: "1" });
    const again = await claw.start(slow, "k", { idempotencyKey: "1" });
    assert.equal(again.id, waiting.id);
    await assert.rejects(claw.start(slow, "k", { idempotencyKey: "2" }), (error: ClawError) => {
      assert.equal(error.code, "CLAW-2041");
      assert.ok(Number(error.details["retryAfterMs"]) >= 100);
      return true;
    });
    held.open();
    await world.output(waiting);
    // What was refused left no trace: the same request is taken now.
    const later = await claw.start(slow, "k", { idempotencyKey: "2" });
    assert.equal(later.existing, false);
    await world.output(later);
  });

  test("the same idempotency key for another key starts another run", async (t) => {
    const { world } = open(t);
    const claw = await world.open([account]);
    const a = await claw.start(account, { account: "a", amount: 1 }, { idempotencyKey: "1" });
    const b = await claw.start(account, { account: "b", amount: 1 }, { idempotencyKey: "1" });
    assert.notEqual(a.id, b.id);
  });

  test("what a run saw of the state is the same after a crash, although it has set it since", async (t) => {
    const place = open(t);
    const { world } = place;
    const seen: number[] = [];
    const counter = workflow("counter", { key: () => "k", initialState: 7 }, async (ctx) => {
      const before = ctx.state.get();
      seen.push(before);
      ctx.state.set(before + 1);
      await ctx.sleep("1h");
      return [before, ctx.state.get()];
    });
    const claw = await world.open([counter]);
    const run = await claw.start(counter, undefined);
    await world.parked(claw, run.id);
    assert.equal((await claw.state(counter, "k")).state, 8);
    await place.crash(claw);
    const next = await world.open([counter]);
    assert.deepEqual(await world.output(next.run<[number, number]>(run.id)), [7, 8]);
    assert.ok(seen.length > 1 && seen.every((one) => one === 7), String(seen));
  });

  test("continueAs keeps the key and the state", async (t) => {
    const { world } = open(t);
    const order: string[] = [];
    const loop = workflow(
      "loop",
      { key: () => "k", initialState: 0 },
      async (ctx, left: number): Promise<number> => {
        ctx.state.set(ctx.state.get() + 1);
        await ctx.run("turn", () => order.push(ctx.info.id));
        return left === 0 ? ctx.state.get() : ctx.continueAs(left - 1);
      },
    );
    const claw = await world.open([loop]);
    const first = await claw.start(loop, 2);
    const second = await claw.start(loop, 0);
    assert.equal(await world.output(first), 3);
    assert.equal(await world.output(second), 4);
    assert.deepEqual(order, [first.id, first.id, first.id, second.id]);
  });

  test("a checkpoint forgets its iterations, but not the state that they set", async (t) => {
    const place = open(t);
    const { world } = place;
    const looped = workflow("looped", { key: () => "k", initialState: 0 }, async (ctx) => {
      const before = ctx.state.get();
      await ctx.checkpoint("loop", 0, async (inner, n) => {
        inner.state.set(inner.state.get() + 1);
        await inner.sleep("1h");
        return n === 3 ? { done: n } : { next: n + 1 };
      });
      return [before, ctx.state.get()];
    });
    const claw = await world.open([looped]);
    const run = await claw.start(looped, undefined);
    await world.until(async () => (await claw.state(looped, "k")).state === 3);
    await place.crash(claw);
    const next = await world.open([looped]);
    assert.deepEqual(await world.output(next.run(run.id)), [0, 4]);
  });

  test("a waiting run that is cancelled or terminated leaves the queue, and its code never runs", async (t) => {
    const { world } = open(t);
    const held = gate();
    const began: string[] = [];
    const slow = workflow("slow", { key: () => "k" }, (ctx) => {
      began.push(ctx.info.id);
      return ctx.run("wait", () => held.promise);
    });
    const claw = await world.open([slow]);
    const runs = [];
    for (let at = 0; at < 4; at++) runs.push(await claw.start(slow, undefined));
    const [first, second, third, fourth] = runs;
    await claw.cancel(String(second?.id));
    await claw.terminate(String(third?.id));
    assert.equal(second && (await world.ended(second)).status, "cancelled");
    assert.equal(third && (await world.ended(third)).status, "terminated");
    assert.equal((await claw.state(slow, "k")).waiting, 1);
    held.open();
    if (fourth !== undefined) await world.output(fourth);
    assert.deepEqual(began, [first?.id, fourth?.id]);
  });

  test("a held head blocks its key until it is released", async (t) => {
    const { world } = open(t);
    const claw = await world.open([account]);
    const gateRun = await claw.start(account, { account: "a", amount: 1 });
    await claw.pause(gateRun.id);
    const second = await claw.start(account, { account: "a", amount: 2 });
    await world.calm();
    assert.equal((await claw.find(second.id))?.status, "queued");
    await claw.resume(gateRun.id);
    assert.equal(await world.output(second), 3);
  });

  test("with skip the next run goes on, and the held one comes next when it is released", async (t) => {
    const { world } = open(t);
    const gates = [gate(), gate(), gate()];
    const ends: number[] = [];
    const skipping = workflow(
      "skipping",
      { key: () => "k", onHeldHead: "skip", initialState: [] as number[] },
      async (ctx, n: number) => {
        await ctx.run("wait", () => gates[n]?.promise);
        ctx.state.set([...ctx.state.get(), n]);
        ends.push(n);
      },
    );
    const claw = await world.open([skipping]);
    const runs = [];
    for (let n = 0; n < 3; n++) runs.push(await claw.start(skipping, n));
    await world.shows(claw, String(runs[0]?.id), "running");
    await claw.pause(String(runs[0]?.id));
    gates[0]?.open();
    await world.shows(claw, String(runs[1]?.id), "running");
    await claw.resume(String(runs[0]?.id));
    assert.equal((await claw.find(String(runs[0]?.id)))?.status, "queued");
    gates[1]?.open();
    gates[2]?.open();
    for (const run of runs) await world.output(run);
    assert.deepEqual(ends, [1, 0, 2]);
    assert.deepEqual((await claw.state(skipping, "k")).state, [1, 0, 2]);
  });

  test("what a run has set that is let past before it was written is set again when it has its key", async (t) => {
    const { world } = open(t);
    let claw: Claw | null = null;
    let pauses = 1;
    const skipping = workflow(
      "skipping",
      { key: () => "k", onHeldHead: "skip", initialState: [] as number[] },
      async (ctx, n: number) => {
        await ctx.receive("go");
        ctx.state.set([...ctx.state.get(), n]);
        // Asked for in the turn that sets the state: the pause is written before it.
        if (n === 0 && pauses-- > 0) void claw?.pause(ctx.info.id);
        await ctx.run("after", () => n);
      },
    );
    claw = await world.open([skipping]);
    const first = await claw.start(skipping, 0);
    const second = await claw.start(skipping, 1);
    await claw.signal(first.id, "go");
    await claw.signal(second.id, "go");
    await world.output(second);
    assert.deepEqual((await claw.state(skipping, "k")).state, [1]);
    assert.equal((await claw.find(first.id))?.status, "paused");
    await claw.resume(first.id);
    await world.output(first);
    assert.deepEqual((await claw.state(skipping, "k")).state, [1, 0]);
  });

  test("a run that others were let past must read the state again before it sets it", async (t) => {
    const { world } = open(t);
    const gates = [gate(), gate()];
    const codes: string[] = [];
    const skipping = workflow(
      "skipping",
      { key: () => "k", onHeldHead: "skip", initialState: 0 },
      async (ctx, n: number) => {
        const before = ctx.state.get();
        await ctx.run("wait", () => gates[n]?.promise);
        try {
          ctx.state.set(before + 1);
        } catch (error) {
          codes.push((error as ClawError).code);
          ctx.state.set(ctx.state.get() + 1);
        }
        await ctx.sleep("1h");
        return ctx.state.get();
      },
    );
    const claw = await world.open([skipping]);
    const first = await claw.start(skipping, 0);
    const second = await claw.start(skipping, 1);
    await world.shows(claw, first.id, "running");
    await claw.pause(first.id);
    gates[0]?.open();
    gates[1]?.open();
    assert.equal(await world.output(second), 1);
    await claw.resume(first.id);
    assert.equal(await world.output(first), 2);
    assert.ok(codes.length > 0 && codes.every((code) => code === "CLAW-2043"), String(codes));
  });

  test("an attached child that would wait for the key of its ancestor fails with a code", async (t) => {
    const { world } = open(t);
    const inner = workflow(
      "same",
      { key: () => "k" },
      async (ctx, depth: number): Promise<string> => {
        if (depth === 0) return "never";
        try {
          return await ctx.child(middle, depth);
        } catch (error) {
          return (error as ClawError).code;
        }
      },
    );
    const middle = workflow(
      "middle",
      async (ctx, depth: number): Promise<string> => ctx.child(inner, depth - 1),
    );
    const claw = await world.open([inner, middle]);
    assert.equal(await world.output(await claw.start(inner, 1)), "CLAW-2042");
  });

  test("a child and a detached run meet the full mailbox as a failed call", async (t) => {
    const { world } = open(t);
    const held = gate();
    const slow = workflow("slow", { key: () => "k", mailbox: { max: 0 } }, (ctx) =>
      ctx.run("wait", () => held.promise),
    );
    const parent = workflow("parent", async (ctx) => {
      const codes: string[] = [];
      for (const way of ["child", "start"] as const) {
        try {
          await ctx[way](slow, undefined);
          codes.push("started");
        } catch (error) {
          codes.push((error as ClawError).code);
        }
      }
      return codes;
    });
    const claw = await world.open([slow, parent]);
    const first = await claw.start(slow, undefined);
    const run = await claw.start(parent, undefined);
    assert.deepEqual(await world.output(run), ["CLAW-2041", "CLAW-2041"]);
    held.open();
    await world.output(first);
    const later = await claw.start(parent, undefined);
    assert.deepEqual(await world.output(later), ["started", "started"]);
  });

  test("an event counts a trigger whose mailbox is full as refused", async (t) => {
    const { world } = open(t);
    const Came = event<{ id: string }>("came");
    const held = gate();
    const onCame = workflow(
      "on-came",
      { on: Came, key: (data: { id: string }) => data.id, mailbox: { max: 0 } },
      (ctx) => ctx.run("wait", () => held.promise),
    );
    const claw = await world.open([onCame]);
    const first = await claw.publish({ type: "came", data: { id: "k" } });
    assert.equal(first.started.length, 1);
    const second = await claw.publish({ type: "came", data: { id: "k" } });
    assert.deepEqual(second.started, []);
    assert.equal(second.refused[0]?.workflow, "on-came");
    assert.match(String(second.refused[0]?.reason), /full/);
    held.open();
  });

  test("a run of a key is not forked", async (t) => {
    const { world } = open(t);
    const claw = await world.open([account]);
    const run = await claw.start(account, { account: "a", amount: 1 });
    await world.output(run);
    await assert.rejects(claw.fork(run.id, { from: "book#0" }), { code: "CLAW-2045" });
  });

  test("only a run with a key has a state", async (t) => {
    const { world } = open(t);
    const plain = workflow("plain", (ctx) => ctx.state.get());
    const claw = await world.open([plain]);
    const run = await claw.start(plain, undefined);
    await world.shows(claw, run.id, "bug");
    assert.match(await world.reason(claw, run.id), /CLAW-2044|has no key/);
  });
}
