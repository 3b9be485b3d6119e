import assert from "node:assert/strict";
import { test } from "node:test";
import { type Context, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { replayRecorded } from "../src/index.ts";
import { World } from "./world.ts";

test("a replay with other code says which runs would diverge, and runs nothing", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const flow = (...names: string[]) =>
    workflow("flow", async (ctx: Context) => {
      for (const name of names) await ctx.run(name, () => (ran.push(name), name));
      return ctx.receive("end");
    });
  const ran: string[] = [];
  const claw = await world.open([flow("a", "b")]);
  const { id } = await claw.start("flow", null);
  await world.parked(claw, id);
  const record = await claw.find(id);
  assert.ok(record !== null);
  const before = disk.snapshot();
  const verdicts = [
    await replayRecorded(record, [flow("a", "b")]),
    await replayRecorded(record, [flow("a", "b", "c")]),
    await replayRecorded(record, [flow("a", "x")]),
    await replayRecorded(record, [workflow("other", () => 1)]),
    await replayRecorded(record, [
      workflow("flow", async (ctx) => {
        for (const name of ["a", "b"]) await ctx.run(name, () => ran.push(name));
        throw new TypeError("a mistake");
      }),
    ]),
  ];
  assert.deepEqual(
    verdicts.map(({ verdict }) => verdict),
    ["agrees", "agrees", "diverged", "no_code", "bug"],
  );
  assert.match(verdicts[2]?.reason ?? "", /\n {2}step a\n- step b\n\+ step x$/);
  await world.calm();
  assert.deepEqual(ran, ["a", "b"]);
  assert.equal(disk.snapshot(), before);
});
