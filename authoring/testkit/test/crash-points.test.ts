import assert from "node:assert/strict";
import { test } from "node:test";
import { workflow } from "@claw/sdk";
import { type Scenario, testWorld } from "../src/index.ts";
import { Approved, label, type Order, order, shipped } from "./workflows.ts";

const OPTIONS = {
  workflows: [order, label, shipped],
  tasks: { charge: (given: Order) => ({ receipt: `receipt of ${given.id}` }) },
};

const scenario: Scenario = async (world, run) => {
  await world.advance("2d");
  await run.signal("note", "handle with care");
  await world.publish(Approved, { order: "o-1", by: "Ada" });
};

test("a crash at every point of a workflow ends as without it, and no effect gets a second key", async () => {
  await using world = await testWorld(OPTIONS);
  const points = await world.crashPoints(order, { id: "o-1", cents: 5 }, scenario);
  assert.ok(points.length > 40, `${points.length} points`);
  for (const point of points) {
    const crash = world.crashAt(point);
    await crash.expectOneKey("charge");
    for (const name of ["reserve", "charge", "print", "tell"]) await crash.expectSameKeys(name);
    const outcome = await crash.expectSameEnd();
    assert.equal(outcome.status, "completed");
    assert.deepEqual(outcome.output, outcome.undisturbed.output);
    const lives = new Set(outcome.bodies().map(({ life }) => life));
    assert.ok([...lives].every((life) => life <= 2));
  }
});

test("crash points are every commit, before and after, and every body, at its beginning and end", async () => {
  const one = workflow("one", (ctx) => ctx.run("step", () => 1));
  await using world = await testWorld({ workflows: [one] });
  const points = await world.crashPoints(one, undefined);
  assert.deepEqual(
    points.map(({ index, kind, call, description }) => `${index} ${kind} [${call}] ${description}`),
    [
      "0 before-commit [] one: starts",
      "1 after-commit [] one: starts",
      '2 in-body [step] step "step", attempt 1: its body begins',
      '3 in-body [step] step "step", attempt 1: its body has ended, its result is not recorded',
      '4 before-commit [step] one: records step "step", ends (completed)',
      '5 after-commit [step] one: records step "step", ends (completed)',
    ],
  );
  const executions: number[] = [];
  for (const point of points) {
    const { bodies } = await world.crashAt(point);
    executions.push(bodies("step").filter(({ output }) => output === 1).length);
  }
  // Only a body whose effect was done before the crash and not recorded does it again.
  assert.deepEqual(executions, [1, 1, 1, 2, 2, 1]);
});

test("an undo is crashed like any other body, and runs under one key", async () => {
  const trip = workflow("trip", async (ctx) => {
    await ctx.run("book", () => "seat 7", { undo: () => "given back" });
    await ctx.run("pay", () => Promise.reject(new Error("no money")), { retry: { attempts: 1 } });
  });
  await using world = await testWorld({ workflows: [trip] });
  const points = await world.crashPoints(trip, undefined);
  assert.ok(points.some(({ description }) => description.startsWith('undo "undo book"')));
  for (const point of points) {
    const outcome = await world.crashAt(point).expectSameEnd();
    assert.deepEqual(outcome.bodies("undo book").map(({ input }) => input)[0], "seat 7");
    await world.crashAt(point).expectOneKey("undo book");
  }
});

test("an effect that gets a new key after a crash is found and named", async () => {
  let made = 0;
  const loose = workflow("loose", (ctx) => ctx.run("pay", () => "paid", { key: ++made }));
  await using world = await testWorld({ workflows: [loose] });
  const points = await world.crashPoints(loose, undefined);
  const atEnd = points.find(({ description }) => description.includes("its body has ended"));
  assert.ok(atEnd);
  made = 0;
  await assert.rejects(world.crashAt(atEnd).expectOneKey("pay"), {
    code: "CLAW-6006",
    message: /After a crash at point 3 .* "pay" had the keys .*pay\[1\].*pay\[2\]/,
  });
});

test("a run that cannot go on after a crash has that as its end", async () => {
  let lives = 0;
  const forgetful = workflow("forgetful", async (ctx) => {
    const name = lives++ === 0 ? "first" : "other";
    await ctx.run(name, () => 1);
    await ctx.run("last", () => 2);
  });
  await using world = await testWorld({ workflows: [forgetful] });
  const points = await world.crashPoints(forgetful, undefined);
  const recorded = points.find(({ kind, call }) => kind === "after-commit" && call === "first");
  assert.ok(recorded);
  lives = 0;
  const outcome = await world.crashAt(recorded);
  assert.equal(outcome.status, "diverged");
  assert.equal(outcome.sameEnd, false);
  lives = 0;
  await assert.rejects(world.crashAt(recorded).expectSameEnd(), {
    code: "CLAW-6006",
    message: /ended as .*diverged.* instead of .*completed/,
  });
});

test("a second run that takes another way than the first is an error, and so is a foreign point", async () => {
  let plays = 0;
  const moody = workflow("moody", (ctx) => ctx.run(plays++ === 0 ? "one" : "other", () => 1));
  await using world = await testWorld({ workflows: [moody] });
  const points = await world.crashPoints(moody, undefined);
  const [begins] = points.filter(({ kind }) => kind === "in-body");
  assert.ok(begins);
  await assert.rejects(world.crashAt(begins), { code: "CLAW-6004", message: /"one".*"other"/ });
  await assert.rejects(world.crashAt({ ...begins }), { code: "CLAW-6004" });
});
