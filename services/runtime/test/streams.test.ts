import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import type { Batch } from "@claw/core/ports";
import { type StepContext, task, workflow } from "@claw/sdk";
import { type Fault, MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Chunk, RunHandle } from "../src/index.ts";
import { all, follow } from "./follow.ts";
import { gate, World } from "./world.ts";

type Place = { world: World; disk: MemoryDisk; faults: (Fault | null)[]; batches: Batch[] };

function openPlace(t: TestContext): Place {
  const disk = new MemoryDisk();
  const faults: (Fault | null)[] = [];
  const batches: Batch[] = [];
  const beforeCommit = (batch: Batch): Fault | null => {
    batches.push(batch);
    return faults.shift() ?? null;
  };
  return {
    world: new World(t, () => memoryStore({ disk, faults: { beforeCommit } })),
    disk,
    faults,
    batches,
  };
}

const values = (chunks: readonly Chunk[]): unknown[] => chunks.map(({ value }) => value);

describe("streams of workflow code", () => {
  const flow = workflow("flow", async (ctx, rounds: number) => {
    for (let n = 1; n <= rounds; n++) await ctx.stream("log").write({ n });
    await ctx.receive("on");
    void ctx.stream("log").write("last");
    return "out";
  });

  test("a reader gets each chunk once, live, and ends with the run", async (t) => {
    const { world } = openPlace(t);
    const claw = await world.open([flow]);
    const run = await claw.start(flow, 3);
    const live = follow(run.stream("log"));
    await world.soon(() => live.got.length === 3);
    assert.equal(live.done(), false);
    const there = await all(world, run.stream("log", { from: 1, follow: false }));
    assert.deepEqual(values(there), [{ n: 2 }, { n: 3 }], "what is there, without waiting");
    await claw.signal(run.id, "on");
    await world.soon(live.done);
    assert.deepEqual(values(live.got), [{ n: 1 }, { n: 2 }, { n: 3 }, "last"]);
    assert.deepEqual(
      live.got.map(({ seq, call, attempt, first }) => [seq, call, attempt, first]),
      [
        [1, "stream:log", 1, 1],
        [2, "stream:log#1", 1, 2],
        [3, "stream:log#2", 1, 3],
        [4, "stream:log#3", 1, 4],
      ],
    );
    assert.deepEqual(await all(world, run.stream("log")), live.got, "an ended run keeps them");
    assert.deepEqual(values(await all(world, run.stream("log", { from: 2 }))), [{ n: 3 }, "last"]);
    assert.deepEqual(await all(world, run.stream("log", { from: 4 })), []);
    assert.deepEqual(await all(world, run.stream("nothing")), []);
  });

  test("a replay writes no chunk again, and numbers go on after a restart", async (t) => {
    const { world } = openPlace(t);
    const first = await world.open([flow]);
    const { id } = await first.start(flow, 2);
    await world.parked(first, id);
    await first.stop();
    const claw = await world.open([flow]);
    const reader = follow(claw.run(id).stream("log", { from: 1 }));
    await claw.signal(id, "on");
    await world.soon(reader.done);
    assert.deepEqual(
      reader.got.map(({ seq, value }) => [seq, value]),
      [
        [2, { n: 2 }],
        [3, "last"],
      ],
    );
  });

  test("a closed stream ends its readers while the run goes on, and takes no more", async (t) => {
    const { world } = openPlace(t);
    const closing = workflow("closing", async (ctx) => {
      await ctx.stream("a").write(1);
      await ctx.stream("a").close();
      await ctx.stream("a").close();
      const code = await ctx
        .stream("a")
        .write(2)
        .catch((error: { code: string }) => error.code);
      await ctx.stream("b").write(code);
      await ctx.receive("on");
      return code;
    });
    const claw = await world.open([closing]);
    const run = await claw.start(closing, undefined);
    assert.deepEqual(values(await all(world, run.stream("a"))), [1]);
    const both = follow(run.streams());
    await world.soon(() => both.got.length === 2);
    assert.equal(both.done(), false);
    await world.parked(claw, run.id);
    await claw.stop();
    const again = await world.open([closing]);
    await again.signal(run.id, "on");
    assert.equal(await world.output(again.run(run.id)), "CLAW-2052", "replay says the same");
  });

  test("nobody sees a chunk before its transition is durable", async (t) => {
    const { world, faults } = openPlace(t);
    const claw = await world.open([flow]);
    const run = await claw.start(flow, 0);
    await world.parked(claw, run.id);
    const reader = follow(run.stream("log"));
    await world.calm();
    faults.push(null, { kind: "fail" });
    await claw.signal(run.id, "on");
    await world.until(reader.done);
    assert.deepEqual(values(reader.got), ["last"], "once, although its first commit failed");
    assert.equal(claw.stats().recoveries, 1);
  });

  test("a chunk whose commit was answered lost is seen once", async (t) => {
    const { world, faults } = openPlace(t);
    const claw = await world.open([flow]);
    const run = await claw.start(flow, 1);
    await world.parked(claw, run.id);
    const reader = follow(run.stream("log"));
    await world.soon(() => reader.got.length === 1);
    faults.push(null, { kind: "lost-answer" });
    await claw.signal(run.id, "on");
    await world.until(reader.done);
    assert.deepEqual(values(reader.got), [{ n: 1 }, "last"]);
  });

  test("a run that goes on as its next generation keeps its streams", async (t) => {
    const { world } = openPlace(t);
    const month = workflow("month", async (ctx, n: number): Promise<number> => {
      await ctx.stream("log").write(n);
      return n === 3 ? n : ctx.continueAs(n + 1);
    });
    const claw = await world.open([month]);
    const run = await claw.start(month, 1);
    await world.output(run);
    assert.deepEqual(
      (await all(world, run.stream("log"))).map(({ seq, value }) => [seq, value]),
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    );
  });
});

describe("streams of bodies", () => {
  test("10,000 small chunks are few transactions and come in order", async (t) => {
    const { world, batches } = openPlace(t);
    const open = gate();
    const flow = workflow("flow", (ctx) =>
      ctx.run("say", async (step) => {
        for (let n = 0; n < 10_000; n++) step.stream("tokens").write(`token ${n} `);
        await open.promise;
      }),
    );
    const claw = await world.open([flow]);
    const run = await claw.start(flow, undefined);
    const live = follow(run.stream<string>("tokens"));
    await world.until(() => live.got.length === 10_000);
    assert.ok(batches.length < 10, `${batches.length} commits`);
    open.open();
    await world.soon(live.done);
    assert.equal(
      live.got.map(({ value }) => value).join(""),
      [...Array(10_000).keys()].map((n) => `token ${n} `).join(""),
    );
    assert.deepEqual(await all(world, run.stream("tokens", { from: 9_999 })), live.got.slice(-1));
  });

  test("a chunk comes while its body is at work, within 50 ms, and the rest with its end", async (t) => {
    const { world } = openPlace(t);
    const [first, second] = [gate(), gate()];
    const talk = task("talk", {}, async (_input: null, step) => {
      step.stream("out").write("a");
      await first.promise;
      step.stream("out").write("b");
      await second.promise;
      step.stream("out").write("c");
    });
    const flow = workflow("flow", (ctx) => ctx.call(talk, null));
    const claw = await world.open([flow]);
    const run = await claw.start(flow, undefined);
    const live = follow(run.stream("out"));
    await world.calm();
    assert.deepEqual(values(live.got), []);
    world.clock.advance(50);
    await world.soon(() => live.got.length === 1);
    first.open();
    await world.calm();
    second.open();
    await world.soon(live.done);
    assert.deepEqual(values(live.got), ["a", "b", "c"]);
    assert.deepEqual(
      [...new Set(live.got.map(({ call, first: from }) => `${call} ${from}`))],
      ["talk 1"],
    );
  });

  test("a second attempt and a start after a crash keep earlier chunks and have another `first`", async (t) => {
    const { world } = openPlace(t);
    let starts = 0;
    const hang = gate();
    const flow = workflow("flow", (ctx) =>
      ctx.run(
        "say",
        async (step) => {
          starts++;
          step.stream("out").write(`${starts}a`);
          step.stream("out").write(`${starts}b`);
          if (starts === 1) throw new Error("not yet");
          if (starts === 2) await hang.promise;
        },
        { retry: { initial: "10ms" } },
      ),
    );
    const claw = await world.open([flow]);
    const run = await claw.start(flow, undefined);
    const live = follow(run.stream("out"));
    await world.until(() => live.got.length === 4);
    await claw.stop();
    await world.soon(live.done);
    assert.equal((live.error() as (Error & { code: string }) | null)?.code, "CLAW-3005");
    const again = await world.open([flow]);
    await world.output(again.run(run.id));
    const got = await all(world, again.run(run.id).stream("out"));
    assert.deepEqual(
      got.map(({ value, attempt, first, seq }) => [value, attempt, first, seq]),
      [
        ["1a", 1, 1, 1],
        ["1b", 1, 1, 2],
        ["2a", 2, 3, 3],
        ["2b", 2, 3, 4],
        ["3a", 2, 5, 5],
        ["3b", 2, 5, 6],
      ],
    );
  });

  test("what a body writes after it was given up is dropped", async (t) => {
    const { world } = openPlace(t);
    const kept: StepContext[] = [];
    const flow = workflow("flow", async (ctx) => {
      await ctx.race("first", [
        (inner) => inner.sleep("1s"),
        (inner) =>
          inner.run("slow", (step) => {
            kept.push(step);
            step.stream("out").write("seen");
            return new Promise(() => {});
          }),
      ]);
      await ctx.receive("on");
    });
    const claw = await world.open([flow]);
    const run = await claw.start(flow, undefined);
    await world.parked(claw, run.id);
    kept[0]?.stream("out").write("late");
    await claw.signal(run.id, "on");
    await world.output(run);
    assert.deepEqual(values(await all(world, run.stream("out"))), ["seen"]);
  });
});

describe("bounds and bad input", () => {
  const limits = { streamChunkBytesMax: 20, streamChunksMax: 3, streamBytesMax: 40 };
  const flow = workflow("flow", async (ctx, chunks: unknown[]) => {
    for (const chunk of chunks) await ctx.stream("a").write(chunk);
  });
  const say = workflow("say", async (ctx, chunks: unknown[]) => {
    await ctx.run("say", (step) => {
      for (const chunk of chunks) step.stream("a").write(chunk);
    });
  });

  test("each bound is a coded error, from code and from bodies, and what came before it stays", async (t) => {
    const { world } = openPlace(t);
    const claw = await world.open([flow, say], { limits });
    const cases: [unknown[], string, number][] = [
      [["x".repeat(19)], "CLAW-1051", 0],
      [[1, 2, 3, 4], "CLAW-2051", 3],
      [["x".repeat(18), "x".repeat(18), 1], "CLAW-2051", 2],
      [[undefined, null, 0], "", 3],
    ];
    for (const [chunks, code, count] of cases) {
      for (const one of [flow, say]) {
        const given = one === flow ? flow : say;
        const run: RunHandle = await claw.start(given, chunks);
        const end = await world.ended(run);
        const got = await all(world, run.stream("a"));
        const what = `${one.name} ${code} ${String(chunks.length)}`;
        assert.equal(end.status === "completed" ? "" : end.error.code, code, what);
        assert.equal(got.length, count, what);
      }
    }
  });

  test("a run has at most 100 streams", async (t) => {
    const { world } = openPlace(t);
    const many = workflow("many", async (ctx) => {
      for (let n = 0; n <= 100; n++) await ctx.stream(`s${n}`).write(n);
    });
    const claw = await world.open([many]);
    const end = await world.ended(await claw.start(many, undefined));
    assert.equal(end.status === "completed" ? "" : end.error.code, "CLAW-2051");
  });

  test("names and cursors that are none are refused", async (t) => {
    const { world } = openPlace(t);
    const names = workflow("names", async (ctx, name: string) => ctx.stream(name).write(1));
    const claw = await world.open([names, flow]);
    for (const name of ["", "a/b", "x".repeat(201), "a[0]"]) {
      const run = await claw.start(names, name);
      await world.shows(claw, run.id, "bug");
      assert.match(await world.reason(claw, run.id), /CLAW-1008/);
      assert.throws(() => claw.run("run_x").stream(name), { code: "CLAW-1008" });
    }
    const run = await claw.start(flow, [1, 2]);
    await world.output(run);
    for (const from of [-1, 0.5, Number.NaN, 2 ** 60, "2" as never]) {
      assert.throws(() => run.stream("a", { from }), { code: "CLAW-3051" });
    }
    await assert.rejects(all(world, run.stream("a", { from: 3 })), { code: "CLAW-3051" });
    await assert.rejects(all(world, claw.run("run_x").stream("a")), { code: "CLAW-3001" });
  });

  test("a task that stands alone has no streams", async (t) => {
    const { world } = openPlace(t);
    const codes: unknown[] = [];
    const alone = task("alone", {}, (_: null, step) => {
      try {
        step.stream("a");
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    });
    const claw = await world.open([], { tasks: [alone] });
    await claw.enqueue(alone, null);
    await world.until(() => codes.length > 0);
    assert.deepEqual(codes, ["CLAW-2053"]);
  });

  test("a reader that stops is forgotten, and one that is slow misses nothing", async (t) => {
    const { world } = openPlace(t);
    const loud = workflow("loud", async (ctx) => {
      await ctx.receive("on");
      for (let n = 0; n < 3_000; n++) await ctx.stream("a").write(n);
    });
    const claw = await world.open([loud]);
    const run = await claw.start(loud, undefined);
    const slow = run.stream<number>("a");
    const first = slow.next();
    const left = run.stream("a");
    const never = left.next();
    await world.calm();
    await left.return?.();
    assert.deepEqual(await never, { done: true, value: undefined });
    await claw.signal(run.id, "on");
    await world.output(run);
    assert.equal((await first).value?.value, 0);
    const rest = await all(world, slow);
    assert.deepEqual(values(rest), [...Array(3_000).keys()].slice(1));
  });

  test("a reader that is slow holds few large chunks in memory, and gets all of them", async (t) => {
    const { world } = openPlace(t);
    const large = workflow("large", async (ctx) => {
      await ctx.receive("on");
      for (let n = 0; n < 6; n++) await ctx.stream("a").write(String(n).repeat(1024 * 1024));
    });
    const claw = await world.open([large]);
    const run = await claw.start(large, undefined);
    const slow = run.stream<string>("a");
    const first = slow.next();
    await world.calm();
    await claw.signal(run.id, "on");
    await world.output(run);
    assert.equal((await first).value?.value[0], "0");
    const rest = await all(world, slow);
    assert.equal(rest.map(({ value }) => value[0]).join(""), "12345");
  });

  test("a store of several namespaces shows the streams of its own runs alone", async (t) => {
    const disk = new MemoryDisk();
    const world = new World(t, () => memoryStore({ disk }));
    const one = await world.open([flow], { namespace: "one" });
    const run = await one.start(flow, [1]);
    await world.output(run);
    await one.stop();
    const two = await world.open([flow], { namespace: "two" });
    await assert.rejects(all(world, two.run(run.id).stream("a")), { code: "CLAW-3001" });
    await assert.rejects(all(world, two.run(run.id).events()), { code: "CLAW-3001" });
  });
});
