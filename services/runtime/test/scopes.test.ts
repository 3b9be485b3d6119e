import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type Context, type StepContext, workflow } from "@claw/sdk";
import { isCancelled, isClawError } from "@claw/core/protocol";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { gate, World } from "./world.ts";

function open(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

const once = { retry: { attempts: 1 } } as const;
const fails = (name: string) => (): never => {
  throw new Error(name);
};

test("all gives results in order and closes its siblings at the first failure by sequence", async (t) => {
  const world = open(t);
  const slow = gate();
  const seen: string[] = [];
  const flow = workflow("flow", async (ctx) => {
    const good = await ctx.all("good", [
      (c) => c.run("a", () => slow.promise.then(() => "slow")),
      (c) => c.run("a", () => "quick"),
      () => "plain",
    ]);
    let signal: AbortSignal | null = null;
    try {
      await ctx.all("bad", [
        async (c) => {
          try {
            await c.run("long", (step: StepContext) => {
              signal = step.signal;
              return new Promise(() => {});
            });
          } catch (error) {
            seen.push(`closed ${isClawError(error, "CLAW-2010")}`);
            await c.run("late", () => seen.push("must not run")).catch(() => seen.push("refused"));
            throw new Error("a later failure", { cause: error });
          }
        },
        (c) => c.run("first", fails("first"), once),
        (c) => c.run("second", fails("second"), once),
      ]);
    } catch (error) {
      seen.push(`threw ${(error as Error).message}`);
    }
    const aborted = (): boolean => signal?.aborted ?? false;
    await ctx.run("end", () => seen.push(`aborted ${aborted()}`));
    return good;
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  await world.calm();
  slow.open();
  assert.deepEqual(await world.output(run), ["slow", "quick", "plain"]);
  // The siblings have ended before all throws.
  assert.deepEqual(seen, ["closed true", "refused", "threw first", "aborted true"]);
});

test("race closes the losers in the winner's turn, and their late results are refused", async (t) => {
  const world = open(t);
  const lost = gate<string>();
  const seen: string[] = [];
  const flow = workflow("flow", async (ctx) => {
    const won = await ctx.race("r", [
      async (c) => {
        try {
          return await c.run("slow", () => lost.promise);
        } catch (error) {
          seen.push(`loser ${isClawError(error, "CLAW-2010")}`);
          return c.run("after", () => seen.push("must not run"));
        }
      },
      (c) => c.run("quick", () => "quick"),
    ]);
    seen.push(`won ${won}`);
    await ctx.receive("go");
    return won;
  });
  let claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  await world.parked(claw, run.id);
  lost.open("late");
  await world.calm();
  assert.deepEqual(
    (await claw.find(run.id))?.journal.map((entry) => entry.call),
    ["r[1]/quick"],
  );
  const live = seen.splice(0);
  await claw.stop();
  claw = await world.open([flow]);
  await claw.signal(run.id, "go");
  assert.equal(await world.output(claw.run(run.id)), "quick");
  assert.deepEqual(seen, live);
  assert.deepEqual(live, ["loser true", "won quick"]);
});

test("a race that a failure wins throws it, and a race or all of nothing is what it says", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx, what: string) => {
    if (what === "fail") {
      const quick = (c: Context) => c.run("x", fails("lost"), once);
      return await ctx.race("r", [(c) => c.receive("never"), quick]);
    }
    if (what === "none") return [await ctx.all("a", []), await ctx.map("m", [], () => 1)];
    return await ctx.race("r", []);
  });
  const claw = await world.open([flow]);
  await assert.rejects(world.output(await claw.start(flow, "fail")), /lost/);
  assert.deepEqual(await world.output(await claw.start(flow, "none")), [[], []]);
  const empty = await claw.start(flow, "race");
  await world.shows(claw, empty.id, "bug");
});

test("map keeps to its concurrency, gives results in order and begins nothing after a failure", async (t) => {
  const world = open(t);
  let running = 0;
  let most = 0;
  const begun: number[] = [];
  const flow = workflow("flow", async (ctx, failAt: number) => {
    const items = Array.from({ length: 20 }, (_, at) => at);
    const one = (c: Context, item: number) =>
      c.run(
        "work",
        async () => {
          begun.push(item);
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          if (item === failAt) throw new Error(`item ${item}`);
          return item * item;
        },
        once,
      );
    return await ctx.map("each", items, one, { concurrency: 3, key: (item) => `i${item}` });
  });
  const claw = await world.open([flow]);
  const squares = await world.output(await claw.start(flow, -1));
  assert.deepEqual(
    squares,
    Array.from({ length: 20 }, (_, at) => at * at),
  );
  assert.equal(most, 3);
  begun.length = 0;
  await assert.rejects(world.output(await claw.start(flow, 4)), /item 4/);
  assert.ok(begun.length <= 8, `${begun.length} begun`);
});

test("a map with a key twice, a bad concurrency or no function is held as a mistake", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx, what: number) => {
    if (what === 0) await ctx.map("m", [1, 1], () => 1, { key: (item) => item });
    if (what === 1) await ctx.map("m", [1, 1], () => 1, { concurrency: 0 });
    if (what === 2) await ctx.map("m", [1, 1], { concurrency: 1.5 }, () => 1);
    if (what === 3) await ctx.map("m", [1], "no function" as never);
    if (what === 4) await ctx.all("a", "no list" as never);
    if (what === 5) await ctx.scope("s", undefined as never);
  });
  const claw = await world.open([flow]);
  for (let what = 0; what < 6; what++) {
    const run = await claw.start(flow, what);
    await world.shows(claw, run.id, "bug");
  }
});

test("names in scopes of their own do not meet, and a keyed call keeps its identity when others move", async (t) => {
  const world = open(t);
  const bodies: string[] = [];
  const code = (order: readonly string[]) =>
    workflow("flow", async (ctx) => {
      const work = (c: Context, key: string) => c.run("work", () => bodies.push(key), { key });
      await Promise.all(order.map((key) => work(ctx, key)));
      await ctx.scope("s", (c) => work(c, "a"));
      await ctx.receive("go");
      return "done";
    });
  let claw = await world.open([code(["a", "b", "c"])]);
  const run = await claw.start("flow", null);
  await world.parked(claw, run.id);
  await claw.stop();
  claw = await world.open([code(["c", "a", "b"])]);
  await claw.signal(run.id, "go");
  assert.equal(await world.output(claw.run(run.id)), "done");
  assert.deepEqual(bodies, ["a", "b", "c", "a"]);
});

test("on cancel open calls throw, a shielded scope goes on, and the run ends as cancelled", async (t) => {
  const world = open(t);
  const held = gate<string>();
  const seen: string[] = [];
  const flow = workflow("flow", async (ctx) => {
    const shielded = ctx.scope(
      "cleanup",
      async (c) => {
        seen.push(await c.run("held", () => held.promise));
        seen.push(await c.run("more", () => "more"));
        await c.sleep("1h");
        return "cleaned";
      },
      { shield: true },
    );
    try {
      await ctx.receive("never");
    } catch (error) {
      seen.push(`cancelled ${isCancelled(error)} ${ctx.signal.aborted}`);
      await ctx.run("later", () => "must not run").catch(() => seen.push("refused"));
      seen.push(await shielded);
      throw error;
    }
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  await world.calm();
  await claw.cancel(run.id, "not needed");
  await world.calm();
  held.open("held");
  const ended = await world.ended(run);
  assert.equal(ended.status, "cancelled");
  assert.match(ended.status === "cancelled" ? ended.error.message : "", /not needed/);
  // At rest for the hour, and from the start again after it.
  assert.deepEqual(seen.slice(0, 4), ["cancelled true true", "refused", "held", "more"]);
  assert.deepEqual(seen.slice(4), ["cancelled true true", "refused", "held", "more", "cleaned"]);
});

test("a cancel reaches a run at every kind of wait, in memory and at rest, and after a stop", async (t) => {
  const world = open(t);
  const child = workflow("attached", async (ctx) => await ctx.receive("never"));
  const event = { kind: "event", type: "never", schema: undefined } as const;
  const waits: Record<string, (ctx: Context) => Promise<unknown>> = {
    step: (ctx) => ctx.run("body", () => new Promise(() => {})),
    retry: (ctx) => ctx.run("body", fails("x"), { retry: { initial: "1h", max: "1h" } }),
    sleep: (ctx) => ctx.sleep("1d"),
    nap: (ctx) => ctx.sleep("900ms"),
    until: (ctx) => ctx.until(ctx.now().getTime() + 9e9),
    receive: (ctx) => ctx.receive("never"),
    waitFor: (ctx) => ctx.waitFor(event, { timeout: "1d" }),
    child: (ctx) => ctx.child(child, null),
    all: (ctx) => ctx.all("all", [(c) => c.receive("a"), (c) => c.sleep("1d")]),
    race: (ctx) => ctx.race("race", [(c) => c.receive("a"), (c) => c.sleep("1d")]),
  };
  const flows = Object.entries(waits).map(([name, body]) => workflow(name, (ctx) => body(ctx)));
  for (const reopened of [false, true]) {
    let claw = await world.open([...flows, child]);
    const ids: string[] = [];
    for (const flow of flows) ids.push((await claw.start(flow, null)).id);
    await world.calm();
    if (reopened) {
      await claw.stop();
      claw = await world.open([...flows, child]);
    }
    for (const id of ids) await claw.cancel(id, "all of you");
    for (const id of ids) await world.shows(claw, id, "cancelled");
    assert.equal(claw.stats().active, 0);
    const open = (await claw.list({ workflow: "attached" })).filter((run) => run.endedAt === null);
    assert.deepEqual(open, []);
    await claw.stop();
  }
});

test("a run that ends although it was cancelled ends as its code says", async (t) => {
  const world = open(t);
  const flow = workflow("flow", async (ctx) => {
    await ctx.receive("never").catch(() => null);
    return "saved";
  });
  const claw = await world.open([flow]);
  const run = await claw.start(flow, null);
  await world.parked(claw, run.id);
  await Promise.all([claw.cancel(run.id, "a"), claw.cancel(run.id, "b")]);
  assert.equal(await world.output(run), "saved");
  assert.deepEqual(
    (await claw.find(run.id))?.journal.map((entry) => entry.kind),
    ["k"],
  );
});

test("calls that are open at the end are abandoned: bodies aborted, late results refused", async (t) => {
  const world = open(t);
  const never = gate();
  let signal: AbortSignal | null = null;
  const child = workflow("child", async (ctx) => await ctx.receive("never"));
  const flow = workflow("flow", async (ctx) => {
    void ctx.run("forgotten", (step) => {
      signal = step.signal;
      return never.promise;
    });
    void ctx.child(child, null);
    void ctx.receive("word");
    await ctx.run("quick", () => 1);
    return "done";
  });
  const claw = await world.open([flow, child]);
  const run = await claw.start(flow, null);
  assert.equal(await world.output(run), "done");
  const record = await claw.find(run.id);
  assert.deepEqual(record?.abandoned, ["forgotten", "child:child", "signal:word"]);
  assert.equal((signal as AbortSignal | null)?.aborted, true);
  never.open();
  await world.calm();
  assert.equal((await claw.find(run.id))?.journal.length, record?.journal.length);
  const [open1] = await claw.list({ workflow: "child" });
  assert.equal(open1?.status, "cancelled");
});
