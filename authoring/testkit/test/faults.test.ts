import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { workflow } from "@claw/sdk";
import { testWorld } from "../src/index.ts";

const three = workflow("three", async (ctx) => {
  const a = await ctx.run("a", () => 1);
  await ctx.sleep("1h");
  const b = await ctx.run("b", () => a + 1);
  return ctx.run("c", () => b + 1);
});

for (const kind of ["fail", "lost-answer"] as const) {
  test(`a run survives ${kind} of any one of its commits`, async () => {
    for (let nth = 1; ; nth++) {
      await using world = await testWorld({ workflows: [three] });
      const fault = world.failCommit(nth, kind);
      const run = await world.start(three, undefined);
      assert.equal(await run.result(), 3);
      for (const name of ["a", "b", "c"]) {
        assert.equal(new Set(world.bodies(name).map(({ key }) => key)).size, 1);
      }
      if (fault.fired) continue;
      assert.ok(nth > 4, `only ${nth} commits`);
      break;
    }
  });
}

test("a commit is chosen by what it writes; a lost answer does not repeat a body, a failure does", async () => {
  const bodies = async (kind: "fail" | "lost-answer"): Promise<number> => {
    await using world = await testWorld({ workflows: [three] });
    const fault = world.failCommit(({ calls }) => calls.includes("b"), kind);
    await (await world.start(three, undefined)).result();
    assert.equal(fault.fired, true);
    return world.bodies("b").length;
  };
  assert.equal(await bodies("lost-answer"), 1);
  assert.equal(await bodies("fail"), 2);
});

test("a crash abandons the body under way, which runs again under the same key and attempt", async () => {
  const gates: (() => void)[] = [];
  const slow = workflow("slow", (ctx) =>
    ctx.run("wait", () => new Promise<string>((resolve) => gates.push(() => resolve("done")))),
  );
  await using world = await testWorld({ workflows: [slow] });
  const run = await world.start(slow, undefined);
  assert.equal(world.bodies("wait")[0]?.status, "under way");
  await world.crash();
  gates[0]?.();
  await world.settle();
  assert.equal((await run.state()).status, "running");
  gates[1]?.();
  assert.equal(await run.result(), "done");
  const views = world.bodies("wait").map(({ key, attempt, life, status }) => ({
    key,
    attempt,
    life,
    status,
  }));
  assert.deepEqual(views, [
    { key: `${run.id}/wait`, attempt: 1, life: 1, status: "abandoned" },
    { key: `${run.id}/wait`, attempt: 1, life: 2, status: "completed" },
  ]);
});

test("a stop in order aborts bodies; a crash tells them nothing", async () => {
  const aborted: number[] = [];
  const slow = workflow("slow", (ctx) =>
    ctx.run("wait", (step) => {
      const number = aborted.push(0) - 1;
      step.signal.addEventListener("abort", () => (aborted[number] = 1));
      return new Promise(() => {});
    }),
  );
  await using world = await testWorld({ workflows: [slow] });
  await world.start(slow, undefined);
  await world.crash();
  await world.restart();
  assert.deepEqual(aborted, [0, 1, 0]);
});

test("new code after a restart that diverges from the journal holds the run, with both sides named", async () => {
  const renamed = workflow("three", async (ctx) => {
    const a = await ctx.run("alpha", () => 1);
    await ctx.sleep("1h");
    return a;
  });
  await using world = await testWorld({ workflows: [three] });
  const run = await world.start(three, undefined);
  await world.restart({ workflows: [renamed] });
  await world.advance("1h");
  const { status, reason } = await run.state();
  assert.equal(status, "diverged");
  const [sentence] = reason.split("\n");
  assert.equal(sentence, 'the journal has step "a", the code asks for step alpha');
  await assert.rejects(run.result(), { code: "CLAW-2005" });
  await world.crash({ workflows: [three] });
  assert.equal(await run.result(), 3);
  assert.equal(world.bodies("alpha").length, 0);
});

test("a body that awaits a real timer is waited for", async () => {
  const real = workflow("real", (ctx) =>
    ctx.run("pause", () => new Promise<string>((resolve) => setTimeout(resolve, 40, "woken"))),
  );
  await using world = await testWorld({ workflows: [real] });
  const run = await world.start(real, undefined);
  const { status, endedAt, startedAt } = await run.state();
  assert.equal(status, "completed");
  assert.equal(endedAt, startedAt);
});

test("a body that never ends is named in a coded error; its own timeout still works", async () => {
  const hangs = workflow("hangs", (ctx, timeout: string) =>
    ctx.run("hang", () => new Promise(() => {}), {
      retry: { attempts: 2 },
      ...(timeout === "" ? {} : { timeout }),
    }),
  );
  await using world = await testWorld({ workflows: [hangs], realWaitMs: 50 });
  const forever = await world.start(hangs, "");
  await assert.rejects(forever.result(), { code: "CLAW-6003", message: /"hang" \(hang\)/ });
  const bounded = await world.start(hangs, "20m");
  await assert.rejects(bounded.result(), { code: "CLAW-2002" });
  assert.equal(world.bodies("hang").length, 3);
});

test("a world that was stopped takes nothing more, and may be stopped again", async () => {
  const world = await testWorld({ workflows: [three] });
  const run = await world.start(three, undefined);
  await world.stop();
  await world.stop();
  await assert.rejects(run.state(), { code: "CLAW-3005" });
  await assert.rejects(world.start(three, undefined), { code: "CLAW-3005" });
});

test("a world that nobody stops does not keep its process alive", () => {
  const index = join(import.meta.dirname, "..", "src", "index.ts");
  const code = `
    import { testWorld } from ${JSON.stringify(index)};
    await testWorld({ workflows: [] });
    console.log("opened");`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: join(import.meta.dirname, ".."),
    timeout: 20_000,
    encoding: "utf8",
  });
  assert.equal(child.stdout, "opened\n");
  assert.equal(child.status, 0);
});
