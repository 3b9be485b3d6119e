import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { workflow } from "@claw/sdk";
import { World } from "./world.ts";

const ask = workflow("ask", async (ctx) => ctx.receive("answer"));
const typo = workflow("typo", () => {
  throw new TypeError("no");
});
const nap = workflow("nap", async (ctx) => {
  await ctx.sleep("1h");
});

test("approvals of another namespace are neither listed nor decided", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const may = workflow("may", (ctx) => ctx.approval({ type: "object" }));
  const theirs = await world.open([may], { namespace: "theirs" });
  const { id } = await theirs.start(may, undefined);
  await world.parked(theirs, id);
  await theirs.stop();

  const ours = await world.open([may], { namespace: "ours" });
  assert.deepEqual(await ours.approvals(), []);
  assert.deepEqual(await ours.approvals({ run: id }), []);
  const decision = { decision: "approve", by: "ada", value: {} } as const;
  await assert.rejects(ours.approve(id, "approval", decision), { code: "CLAW-3001" });
  await ours.stop();
});

test("a runtime neither sees nor touches the runs of another namespace", async (t) => {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const workflows = [ask, typo, nap];
  const theirs = await world.open(workflows, { namespace: "theirs" });
  const runs = [
    await theirs.start(ask, undefined),
    await theirs.start(nap, undefined),
    await theirs.start(typo, undefined),
  ].map(({ id }) => id);
  const [asking = "", , held = ""] = runs;
  await world.parked(theirs, asking);
  await world.shows(theirs, held, "bug");
  await theirs.stop();
  const before = runs.map((id) => JSON.stringify(disk.runs.get(id)));

  const ours = await world.open(workflows, { namespace: "ours" });
  assert.deepEqual(await ours.list(), []);
  assert.deepEqual(await ours.list({ namespace: "theirs" }), []);
  for (const id of runs) {
    assert.equal(await ours.find(id), null);
    await assert.rejects(ours.signal(id, "answer", 1), { code: "CLAW-3001" });
    await assert.rejects(ours.signal(id, "answer", 1, { id: "s" }), { code: "CLAW-3001" });
    await assert.rejects(ours.cancel(id), { code: "CLAW-3001" });
    await assert.rejects(ours.release(id), { code: "CLAW-3001" });
    await assert.rejects(ours.run(id).ended(), { code: "CLAW-3001" });
  }
  world.clock.advance(2 * 3_600_000);
  await world.calm();
  assert.equal(ours.stats().active, 0);
  const mine = await ours.start(ask, undefined);
  assert.deepEqual(
    (await ours.list()).map(({ id }) => id),
    [mine.id],
  );
  await ours.stop();
  assert.deepEqual(
    runs.map((id) => JSON.stringify(disk.runs.get(id))),
    before,
  );

  const again = await world.open(workflows, { namespace: "theirs" });
  await again.signal(asking, "answer", 7);
  assert.equal(await world.output(again.run(asking)), 7);
  await again.stop();
});
