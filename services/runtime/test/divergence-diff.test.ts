import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type Context, task, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { World } from "./world.ts";

type Code = (ctx: Context) => Promise<unknown>;
const work = task("work", {}, (n: number) => n);

/** The reason for which a run of the old code is held under the new code. */
async function reasonOf(t: TestContext, before: Code, after: Code): Promise<string[]> {
  const disk = new MemoryDisk();
  const world = new World(t, () => memoryStore({ disk }));
  const first = await world.open([workflow("flow", before)]);
  const { id } = await first.start("flow", null);
  await world.parked(first, id);
  await first.stop();
  const claw = await world.open([workflow("flow", after)]);
  await claw.signal(id, "end");
  await world.shows(claw, id, "diverged");
  return (await world.reason(claw, id)).split("\n");
}

const steps =
  (...names: string[]): Code =>
  async (ctx) => {
    for (const name of names) await ctx.run(name, () => name);
    return ctx.receive("end");
  };

test("a renamed step is told as a diff: what both have, what the journal has, what the code asks for", async (t) => {
  const reason = await reasonOf(t, steps("a", "b", "c"), steps("a", "x", "c"));
  assert.deepEqual(reason, [
    'the journal has step "b", the code asks for step x',
    "  step a",
    "- step b",
    "- step c",
    "+ step x",
  ]);
});

test("removed steps are told beside the end of the code", async (t) => {
  const reason = await reasonOf(t, steps("a", "b"), async (ctx) => ctx.run("a", () => 1));
  assert.deepEqual(reason.slice(1), ["  step a", "- step b", "+ nothing"]);
});

test("a call that declares something else is told with both fingerprints", async (t) => {
  const calls =
    (n: number): Code =>
    async (ctx) => {
      await ctx.run("a", () => 1);
      await ctx.call(work, n);
      return ctx.receive("end");
    };
  const reason = await reasonOf(t, calls(1), calls(2));
  assert.equal(reason[1], "  step a");
  assert.match(reason[2] ?? "", /^- work: step \w+$/);
  assert.match(reason[3] ?? "", /^\+ work: step \w+$/);
});

test("a long difference is cut, with the number of what is left out", async (t) => {
  const names = Array.from({ length: 20 }, (_, at) => `s${at}`);
  const reason = await reasonOf(t, steps("a", ...names), steps("a", "x"));
  assert.equal(reason.filter((line) => line.startsWith("- step")).length, 8);
  assert.ok(reason.includes("- ... 12 more"));
});
