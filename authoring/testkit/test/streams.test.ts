import assert from "node:assert/strict";
import { test } from "node:test";
import { workflow } from "@claw/sdk";
import { testWorld } from "../src/index.ts";

const answer = workflow("answer", async (ctx) => {
  await ctx.stream("log").write("asked");
  const text = await ctx.run(
    "model",
    (step) => {
      step.stream("tokens").write(`${step.attempt}a`);
      step.stream("tokens").write(`${step.attempt}b`);
      if (step.attempt === 1) throw new Error("the line broke");
      return "ab";
    },
    { retry: { initial: "1s" } },
  );
  await ctx.sleep("1h");
  await ctx.stream("log").write("answered");
  return text;
});

test("streams are read as they stand, while time stands still", async () => {
  await using world = await testWorld({ workflows: [answer] });
  const run = await world.start(answer, undefined);
  assert.deepEqual(
    (await run.chunks("tokens")).map(({ value }) => value),
    ["1a", "1b"],
  );
  await world.advance("1s");
  const tokens = await run.chunks<string>("tokens");
  assert.deepEqual(
    tokens.map(({ value, attempt, first }) => [value, attempt, first]),
    [
      ["1a", 1, 2],
      ["1b", 1, 2],
      ["2a", 2, 4],
      ["2b", 2, 4],
    ],
  );
  await run.result();
  assert.deepEqual(
    (await run.chunks("log")).map(({ value }) => value),
    ["asked", "answered"],
  );
  assert.deepEqual(await run.chunks("nothing"), []);
});

test("a run that writes to streams ends the same after a crash at any point", async () => {
  await using world = await testWorld({ workflows: [answer] });
  const points = await world.crashPoints(answer, undefined);
  assert.ok(points.length > 3);
  for (const point of points) await world.crashAt(point).expectSameEnd();
});
