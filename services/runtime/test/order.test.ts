import assert from "node:assert/strict";
import { setImmediate as pass } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import { type AnyWorkflow, type Context, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { World } from "./world.ts";

type Op =
  | { readonly op: "step" | "fail" | "sleep" | "receive" | "child"; readonly n: number }
  | { readonly op: "all" | "race" | "map"; readonly branches: readonly (readonly Op[])[] };

const { block } = fc.letrec<{ block: readonly Op[] }>((tie) => ({
  block: fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ op: fc.constant("step" as const), n: fc.nat(6) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          op: fc.constantFrom(
            "fail" as const,
            "sleep" as const,
            "receive" as const,
            "child" as const,
          ),
          n: fc.nat(3),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          op: fc.constantFrom("all" as const, "race" as const, "map" as const),
          branches: fc.array(tie("block"), { minLength: 1, maxLength: 3 }),
        }),
      },
    ),
    { maxLength: 4 },
  ),
}));

/** What one life of the code saw, in order. */
type Seen = string[];

async function interpret(
  ctx: Context,
  ops: readonly Op[],
  seen: Seen,
  path: string,
): Promise<string> {
  let last = path;
  for (const [at, op] of ops.entries()) {
    try {
      last = await one(ctx, op, seen, `${path}.${at}`);
    } catch (error) {
      last = (error as Error).message;
    }
    seen.push(`${path}.${at} ${last} ${ctx.now().getTime()} ${ctx.random()}`);
  }
  return last;
}

async function one(ctx: Context, op: Op, seen: Seen, path: string): Promise<string> {
  switch (op.op) {
    case "step":
      return ctx.run("step", async () => {
        for (let at = 0; at < op.n; at++) await pass();
        return path;
      });
    case "fail":
      return ctx.run(
        "fail",
        async ({ attempt }) => {
          for (let at = 0; at < op.n; at++) await pass();
          throw new Error(`${path} attempt ${attempt}`);
        },
        { retry: { attempts: 1 + (op.n % 2), initial: "10ms" } },
      );
    case "sleep":
      await ctx.sleep(op.n * 700);
      return "slept";
    case "receive":
      return String((await ctx.receive(`s${op.n}`, { timeout: "1m" })).ok);
    case "child":
      return ctx.child(CHILD, op.n);
    case "map": {
      const each = ctx.map(
        "map",
        op.branches,
        (c, ops, at) => interpret(c, ops, seen, `${path}m${at}`),
        {
          concurrency: 2,
        },
      );
      return (await each).join();
    }
    default: {
      const branches = op.branches.map(
        (ops, at) => (c: Context) => interpret(c, ops, seen, `${path}${op.op[0]}${at}`),
      );
      const answer = op.op === "all" ? ctx.all("all", branches) : ctx.race("race", branches);
      return String(await answer);
    }
  }
}

const CHILD = workflow("child", async (ctx, n: number) => {
  for (let at = 0; at < n; at++) await ctx.run("s", () => at);
  return `child ${n}`;
});

function flow(ops: readonly Op[], lives: Seen[]): AnyWorkflow {
  return workflow("flow", async (ctx) => {
    const seen: Seen = [];
    lives.push(seen);
    await interpret(ctx, ops, seen, "");
    return seen.length;
  });
}

/** Each life saw what those before had seen, and maybe more. */
function assertPrefixes(lives: readonly Seen[]): void {
  let longest: Seen = [];
  for (const seen of lives) {
    const length = Math.min(seen.length, longest.length);
    assert.deepEqual(seen.slice(0, length), longest.slice(0, length));
    if (seen.length > longest.length) longest = seen;
  }
}

test("whatever runs at once and wherever a life ends, the next one sees the same up to there", async (t) => {
  const crashes = fc.array(fc.nat(40), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      block,
      crashes,
      fc.array(fc.nat(3), { maxLength: 4 }),
      async (ops, ends, words) => {
        const disk = new MemoryDisk();
        const world = new World(t, () => memoryStore({ disk }));
        let lives: Seen[] = [];
        let claw = await world.open([flow(ops, lives), CHILD]);
        const known: Seen[] = [];
        const { id } = await claw.start("flow", null);
        for (const [at, passes] of ends.entries()) {
          for (let turn = 0; turn < passes; turn++) {
            await pass();
            if (turn % 7 === 0) world.clock.step();
          }
          const word = words[at];
          if (word !== undefined) await claw.signal(id, `s${word}`).catch(() => null);
          // Every other life is cut off by the next, which takes its store away: what such a life saw
          // need not have been durable, so only what it left in the store counts.
          if (at % 2 === 0) {
            await claw.stop();
            known.push(...lives);
          }
          lives = [];
          claw = await world.open([flow(ops, lives), CHILD]);
        }
        await world.output(claw.run(id));
        assertPrefixes([...known, ...lives]);
        const record = await claw.find(id);
        const calls = (record?.journal ?? []).filter((entry) => !"rc".includes(entry.kind));
        assert.equal(
          new Set(calls.map((entry) => entry.call)).size,
          calls.length,
          "one end a call",
        );
        await claw.stop();
      },
    ),
    { numRuns: 150 },
  );
});

test("steps that end in any order are delivered by the order of their entries, live and again", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const orders: string[][] = [];
  const racing = workflow("racing", async (ctx) => {
    const order: string[] = [];
    orders.push(order);
    const names = Array.from({ length: 50 }, (_, at) => `s${at}`);
    const body = (name: string) => async (): Promise<void> => {
      for (let at = Number(name.slice(1)) * 7; at % 11 > 0; at++) await pass();
    };
    await ctx.map("m", names, (c, name) => c.run(name, body(name)).then(() => order.push(name)));
    await ctx.receive("go");
    return order;
  });
  let claw = await world.open([racing]);
  const { id } = await claw.start(racing, null);
  await world.parked(claw, id);
  await claw.stop();
  claw = await world.open([racing]);
  await claw.signal(id, "go");
  const output = await world.output(claw.run(id));
  const journal = (await claw.find(id))?.journal ?? [];
  const recorded = journal
    .filter((entry) => entry.kind === "s")
    .map((entry) => entry.call.split("/")[1]);
  assert.deepEqual(output, recorded);
  assert.deepEqual(orders, [output, output]);
  assert.notDeepEqual(output, [...(output as string[])].sort());
});
