import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as pass } from "node:timers/promises";
import { event, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { World } from "./world.ts";

const Moved = event<{ item: number; step: number }>("stock.moved");

test("an event that came in time is taken although the node was down past the timeout", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const both = workflow("both", (ctx) =>
    ctx.map("wait", [1, 2], (inner) => inner.waitFor(Moved, { match: { item: 7 }, timeout: "1h" })),
  );
  const first = await world.open([both]);
  const run = await first.start(both, undefined);
  await world.parked(first, run.id);
  await first.stop();

  // A node without the code takes the events in; both waits get the first, nobody waits for the second.
  const messages = await world.open([]);
  for (const step of [1, 2]) await messages.publish({ type: Moved.type, data: { item: 7, step } });
  await messages.stop();
  world.clock.advance(2 * 3_600_000);

  const second = await world.open([both]);
  const taken = await world.output(second.run<{ ok: boolean; value: { step: number } }[]>(run.id));
  assert.deepEqual(
    taken.map((one) => (one.ok ? one.value.step : "timeout")),
    [1, 2],
  );
});

test("an event that is still owed to waiting runs is taken although their time has run out meanwhile", async (t) => {
  const disk = new MemoryDisk();
  disk.spreadRows = 1;
  let isDying = true;
  const world = new World(t, () => {
    disk.ownerDied();
    const store = memoryStore({ disk });
    const never = new Promise<never>(() => {});
    return {
      ...store,
      commit: async (batch) => {
        if (!batch.items.some(({ type }) => type === "spread")) return store.commit(batch);
        // The first process ends between the commit of the event and the next one, which goes on with it.
        if (isDying) return never;
        // What is due comes up while it is written.
        await pass();
        world.clock.advance(0);
        return store.commit(batch);
      },
    };
  });
  const waits = workflow("waits", (ctx) =>
    ctx.waitFor(Moved, { match: { item: 7 }, timeout: "1h" }),
  );
  const first = await world.open([waits]);
  const runs = await Promise.all(Array.from({ length: 60 }, () => first.start(waits, undefined)));
  for (const run of runs) await world.parked(first, run.id);
  await first.publish({ type: Moved.type, data: { item: 7, step: 1 } });
  isDying = false;
  world.clock.advance(2 * 3_600_000);

  const second = await world.open([waits]);
  const taken = [];
  for (const { id } of runs) {
    const end = await world.output(second.run<{ ok: boolean }>(id));
    taken.push(end.ok ? "taken" : "timeout");
  }
  assert.deepEqual(taken, new Array<string>(60).fill("taken"));
});
