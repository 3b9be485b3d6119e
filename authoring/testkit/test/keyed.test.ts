import assert from "node:assert/strict";
import { test } from "node:test";
import { workflow } from "@claw/sdk";
import { exportHistory, replayHistory, testWorld } from "../src/index.ts";

const meter = workflow(
  "meter",
  { key: (reading: { meter: string; count: number }) => reading.meter, initialState: 0 },
  async (ctx, { count }) => {
    const before = ctx.state.get();
    await ctx.run("tell", () => "told");
    await ctx.sleep("1h");
    ctx.state.set(before + count);
    return before + count;
  },
);

test("runs of a key go one after the other in virtual time", async () => {
  await using world = await testWorld({ workflows: [meter] });
  const first = await world.start(meter, { meter: "m", count: 1 });
  const second = await world.start(meter, { meter: "m", count: 2 });
  assert.equal((await second.state()).status, "queued");
  await world.advance("1h");
  assert.equal((await first.state()).output, 1);
  await world.advance("1h");
  assert.equal((await second.state()).output, 3);
});

test("a crash at every point of a run of a key ends as without it", async () => {
  await using world = await testWorld({ workflows: [meter] });
  const points = await world.crashPoints(meter, { meter: "m", count: 5 }, async (inner) => {
    await inner.advance("1h");
  });
  assert.ok(points.length > 8, `${points.length} points`);
  for (const point of points) {
    const crash = world.crashAt(point);
    await crash.expectSameKeys("tell");
    const outcome = await crash.expectSameEnd();
    assert.equal(outcome.output, 5);
  }
});

test("the history of a run of a key is replayed with the state that it saw", async () => {
  await using world = await testWorld({ workflows: [meter] });
  for (const count of [1, 2]) {
    const run = await world.start(meter, { meter: "m", count });
    await world.advance("1h");
    const history = exportHistory((await run.state()).record);
    const verdict = await replayHistory(history, { workflows: [meter] });
    assert.equal(verdict.ok, true, JSON.stringify(verdict));
  }
});
