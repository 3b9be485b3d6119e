import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { World } from "./world.ts";

test("a run that cannot be read does not keep the others from going on", async (t) => {
  const disk = new MemoryDisk();
  let damaged = "";
  const stores = (): Store => {
    const store = memoryStore({ disk });
    const load: Store["load"] = (ids) => {
      if (ids.includes(damaged)) throw new ClawError("CLAW-4002", "its journal is damaged");
      return store.load(ids);
    };
    return { ...store, load };
  };
  const world = new World(t, stores);
  const nap = workflow("nap", async (ctx) => {
    await ctx.sleep("1h");
    return "rested";
  });
  const first = await world.open([nap]);
  const bad = await first.start(nap, undefined);
  const good = await first.start(nap, undefined);
  await world.parked(first, good.id);
  await world.parked(first, bad.id);
  await first.stop();
  damaged = bad.id;
  const second = await world.open([nap]);
  assert.equal(await world.output(second.run<string>(good.id)), "rested");
  assert.equal((await second.find(bad.id))?.status, "waiting");
  const told = world.lines.find((line) => line.message === "run cannot be read");
  assert.equal(told?.fields["run"], bad.id);
});
