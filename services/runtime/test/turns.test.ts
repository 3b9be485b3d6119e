import assert from "node:assert/strict";
import { test } from "node:test";
import { type Context, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { PhasedTurns } from "../src/system.ts";
import { World } from "./world.ts";

const STEPS = 400;

// Settled by nothing but microtasks and nextTicks, in turn, so many times.
async function chain(links: number): Promise<void> {
  for (let at = 0; at < links; at++) {
    await new Promise<void>((settled) => {
      if (at % 2 === 0) process.nextTick(settled);
      else queueMicrotask(settled);
    });
  }
}

test("chains of the author's own promises are drained before a turn is closed, live and at replay", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const lives: string[][] = [];
  const chained = workflow("chained", async (ctx: Context) => {
    const seen: string[] = [];
    lives.push(seen);
    for (let at = 0; at < STEPS; at++) {
      const value = await ctx.run("step", () => at);
      await chain((at * 7) % 61);
      // Outside of its turn this would be refused.
      seen.push(`${value} ${ctx.now().getTime()} ${ctx.random()}`);
    }
    await ctx.receive("go");
    return seen.length;
  });
  const first = await world.open([chained]);
  const { id } = await first.start(chained, undefined);
  await world.until(() => first.stats().active === 0);
  await first.stop();
  const second = await world.open([chained]);
  await second.signal(id, "go");
  assert.equal(await world.output(second.run(id)), STEPS);
  assert.equal(lives.length, 2);
  assert.deepEqual(lives[1], lives[0]);
});

// Gives so many turns, and tells how many one pass of the event loop got at most.
function mostInOnePass(turns: PhasedTurns, count: number): Promise<number> {
  return new Promise((resolve) => {
    let left = count;
    let inPass = 0;
    let most = 0;
    const pass = (): void => {
      most = Math.max(most, inPass);
      inPass = 0;
      if (left > 0) setImmediate(pass);
      else resolve(most);
    };
    const deliver = (): void => {
      inPass++;
      left--;
    };
    const close = (): void => {
      if (left === 0) return;
      if (turns.follow(close)) deliver();
      else turns.next(deliver, close);
    };
    setImmediate(pass);
    turns.next(deliver, close);
  });
}

test("turns that follow one another share a pass of the loop, up to a bound", async () => {
  const most = await mostInOnePass(new PhasedTurns(() => 0), 20_000);
  assert.ok(most > 100 && most <= 256, `${most} turns in one pass`);
});

test("long turns leave the loop to others when their time is over", async () => {
  let now = 0;
  const most = await mostInOnePass(new PhasedTurns(() => (now += 0.4)), 200);
  assert.ok(most <= 6, `${most} turns in one pass`);
});

test("turns asked for beside one another are given one by one, in order, each closed before the next", async () => {
  const turns = new PhasedTurns(() => 0);
  const given: string[] = [];
  await new Promise<void>((resolve) => {
    for (let at = 0; at < 9; at++) {
      turns.next(
        () => given.push(`open ${at}`),
        () => {
          given.push(`close ${at}`);
          if (at === 0) turns.next(() => given.push("open 9"), resolve);
        },
      );
    }
  });
  const expected = Array.from({ length: 9 }, (_, at) => [`open ${at}`, `close ${at}`]).flat();
  assert.deepEqual(given, [...expected, "open 9"]);
});
