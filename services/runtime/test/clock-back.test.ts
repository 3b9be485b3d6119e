import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Clock } from "@claw/core/ports";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { event, workflow } from "@claw/sdk";
import { World } from "./world.ts";

const HOUR = 3_600_000;

/** The clock of a world, and how far the system's time was set away from it. */
class SetClock implements Clock {
  readonly #world: World;
  skewMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  now(): number {
    return this.#world.clock.now() + this.skewMs;
  }

  after(delayMs: number, fire: () => void): () => void {
    return this.#world.clock.after(delayMs, fire);
  }
}

function openPlace(t: TestContext): { world: World; clock: SetClock; disk: MemoryDisk } {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  return { world, clock: new SetClock(world), disk };
}

const Paid = event("paid");
const sleeper = workflow("sleeper", async (ctx) => {
  const from = ctx.now().getTime();
  await ctx.sleep("10m");
  return ctx.now().getTime() - from;
});
const busy = workflow("busy", async (ctx) => {
  for (let at = 0; at < 5; at++) {
    await ctx.receive("go");
    await ctx.run("s", () => at);
  }
  return ctx.waitFor(Paid);
});

for (const restart of [false, true]) {
  const when = restart ? "across a restart" : "while a node runs";
  test(`a clock set back by an hour ${when} makes sleeps longer and nothing shorter, and loses none`, async (t) => {
    const { world, clock } = openPlace(t);
    let claw = await world.open([sleeper], { clock });
    const run = await claw.start(sleeper, undefined);
    await world.parked(claw, run.id);
    if (restart) await claw.stop();
    clock.skewMs = -HOUR;
    if (restart) claw = await world.open([sleeper], { clock });
    world.clock.advance(10 * 60_000);
    await world.calm();
    assert.equal((await claw.find(run.id))?.endedAt, null, "ten minutes of the clock are not over");
    world.clock.advance(HOUR);
    await world.calm();
    assert.ok(Number(await world.output(claw.run(run.id))) >= 600_000);
  });

  test(`a clock set back by an hour ${when}: journals never go back in time, and messages keep their order`, async (t) => {
    const { world, clock } = openPlace(t);
    let claw = await world.open([busy], { clock });
    const run = await claw.start(busy, undefined);
    for (let at = 0; at < 5; at++) {
      await claw.signal(run.id, "go", at);
      await world.calm();
      if (restart && at === 2) await claw.stop();
      if (at === 2) clock.skewMs = -HOUR;
      if (restart && at === 2) claw = await world.open([busy], { clock });
    }
    await claw.publish({ type: "paid", data: 7 });
    assert.equal(await world.output(claw.run(run.id)), 7);
    const record = await claw.find(run.id);
    const times = record?.journal.map(({ at }) => at) ?? [];
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    assert.ok((record?.endedAt ?? 0) >= (times.at(-1) ?? 1));
  });
}

test("ids of runs stay unique, and their keys remembered, when the clock goes back", async (t) => {
  const { world, clock } = openPlace(t);
  const claw = await world.open([busy], { clock });
  const first = await claw.start(busy, 1, { idempotencyKey: "k" });
  const ids = new Set<string>();
  for (let at = 0; at < 200; at++) {
    clock.skewMs = at % 2 === 0 ? -HOUR : 0;
    ids.add((await claw.start(busy, at)).id);
  }
  assert.equal(ids.size, 200);
  clock.skewMs = -HOUR;
  assert.equal((await claw.start(busy, 1, { idempotencyKey: "k" })).id, first.id);
});

test("retention keeps for longer, never for less, when the clock goes back", async (t) => {
  const { world, clock } = openPlace(t);
  const quick = workflow("quick", () => 1);
  const claw = await world.open([quick], { clock, retention: { completed: "1h" } });
  const run = await claw.start(quick, undefined);
  await world.output(run);
  clock.skewMs = -2 * HOUR;
  assert.deepEqual((await claw.sweep()).runs, {});
  world.clock.advance(2 * HOUR);
  assert.deepEqual((await claw.sweep()).runs, {});
  world.clock.advance(2 * HOUR);
  assert.deepEqual((await claw.sweep()).runs, { completed: 1 });
});

test("a run that began before the clock went back still sees the event that comes afterwards", async (t) => {
  const { world, clock } = openPlace(t);
  const late = workflow("late", async (ctx) => {
    await ctx.receive("look");
    return ctx.waitFor(Paid);
  });
  const claw = await world.open([late], { clock });
  const run = await claw.start(late, undefined);
  clock.skewMs = -HOUR;
  await claw.publish({ type: "paid", data: 7 });
  await claw.signal(run.id, "look");
  assert.equal(await world.output(run), 7);
});
