import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Assignment } from "@claw/core/ports";
import { type AnyTask, task, workflow } from "@claw/sdk";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { gate, World } from "./world.ts";

function open(t: TestContext): World {
  const disk = new MemoryDisk();
  return new World(t, () => memoryStore({ disk }));
}

test("calls of a task take the slots of its queue, over all runs, the higher priority first", async (t) => {
  const world = open(t);
  const seen: string[] = [];
  const gates: (() => void)[] = [];
  const body = async (name: string): Promise<string> => {
    seen.push(name);
    const held = gate();
    gates.push(() => held.open());
    await held.promise;
    return name;
  };
  const calm = task<string, string>("calm", { queue: "q" }, body);
  const urgent = task<string, string>("urgent", { queue: "q", priority: 5 }, body);
  const flow = workflow("flow", (ctx, name: string) =>
    ctx.all("both", [
      (inner) => inner.call(calm, `${name} calm`),
      (inner) => inner.call(urgent, `${name} urgent`),
    ]),
  );
  const claw = await world.open([flow], { queues: { q: { concurrency: 1 } } });
  const one = await claw.start(flow, "1");
  await world.soon(() => seen.length === 1);
  const two = await claw.start(flow, "2");
  await world.calm();
  assert.deepEqual(seen, ["1 calm"]);
  while (seen.length < 4) {
    const before = seen.length;
    gates.shift()?.();
    await world.soon(() => seen.length > before);
  }
  gates.shift()?.();
  assert.deepEqual(await world.output(two), ["2 calm", "2 urgent"]);
  assert.deepEqual(await world.output(one), ["1 calm", "1 urgent"]);
  assert.deepEqual(seen, ["1 calm", "1 urgent", "2 urgent", "2 calm"]);
});

test("the time of an attempt begins with its slot, and a slot of an attempt given up is free again", async (t) => {
  const world = open(t);
  const begun: number[] = [];
  const from = world.clock.now();
  const slow = task<number>("slow", { queue: "q", timeout: "10s", retry: { attempts: 1 } }, () => {
    begun.push(world.clock.now() - from);
    return new Promise(() => {});
  });
  const flow = workflow("flow", async (ctx, n: number) => {
    await ctx.call(slow, n);
  });
  const claw = await world.open([flow], { queues: { q: { concurrency: 1 } } });
  const runs = [await claw.start(flow, 1), await claw.start(flow, 2)];
  for (const run of runs) {
    const result = await world.ended(run);
    assert.equal(result.status === "failed" && result.error.code, "CLAW-2002");
  }
  assert.deepEqual(begun, [0, 10_000]);
});

test("a cancelled run gives up its place among those that wait for a slot, and the slot it has", async (t) => {
  const world = open(t);
  const seen: string[] = [];
  const hang = task<string>("hang", { queue: "q" }, (name) => {
    seen.push(name);
    return name === "last" ? undefined : new Promise(() => {});
  });
  const flow = workflow("flow", async (ctx, name: string) => {
    await ctx.call(hang, name);
  });
  const claw = await world.open([flow], { queues: { q: { concurrency: 1 } } });
  const [first, second] = [await claw.start(flow, "first"), await claw.start(flow, "second")];
  const last = await claw.start(flow, "last");
  await world.soon(() => seen.length === 1);
  await claw.cancel(second.id);
  assert.equal((await world.ended(second)).status, "cancelled");
  await claw.cancel(first.id);
  assert.equal((await world.ended(first)).status, "cancelled");
  assert.equal((await world.ended(last)).status, "completed");
  assert.deepEqual(seen, ["first", "last"]);
});

test("a task that runs again to learn what must be undone takes a slot and has its time", async (t) => {
  const world = open(t);
  const seen: string[] = [];
  const work = task<string, string>("work", { queue: "q" }, (name, step) => {
    seen.push(`${name} ${step.attempt}`);
    const isFirst = seen.filter((one) => one.startsWith(name)).length === 1;
    return isFirst ? new Promise(() => {}) : "paid";
  });
  const flow = workflow("flow", async (ctx) => {
    await ctx.race("r", [
      (inner) =>
        inner.call(work, "flow", {
          timeout: "1h",
          uncertain: "rerun",
          undo: (value) => void seen.push(`undo ${value}`),
        }),
      (inner) => inner.receive("stop"),
    ]);
    ctx.fail("stopped");
  });
  const other = workflow("other", (ctx) => ctx.call(work, "other", { timeout: "10s" }));
  const claw = await world.open([flow, other], { queues: { q: { concurrency: 1 } } });
  const run = await claw.start(flow, null);
  await world.soon(() => seen.length === 1);
  await claw.start(other, null);
  await claw.signal(run.id, "stop");
  assert.equal((await world.ended(run)).status, "compensated");
  assert.deepEqual(seen, ["flow 1", "other 1", "flow 1", "undo paid"]);
});

test("a call that a durable end overtakes while it waits for a slot does not begin", async (t) => {
  const world = open(t);
  const seen: string[] = [];
  const work = task<string>("work", { queue: "q" }, (name) => {
    seen.push(name);
    return new Promise(() => {});
  });
  const flow = workflow("flow", (ctx, name: string) =>
    ctx.race("r", [
      (inner) => inner.call(work, name, { undo: () => {} }),
      (inner) => inner.receive("stop"),
    ]),
  );
  const claw = await world.open([flow], { queues: { q: { concurrency: 1 } } });
  const first = await claw.start(flow, "first");
  const second = await claw.start(flow, "second");
  await world.calm();
  // Both ends ride in one commit; the first of them gives its slot on.
  await Promise.all([claw.signal(first.id, "stop"), claw.signal(second.id, "stop")]);
  await Promise.all([world.ended(first), world.ended(second)]);
  assert.deepEqual(seen, ["first"]);
});

test("calls and standalone tasks share the slots of a queue and take turns", async (t) => {
  const world = open(t);
  const seen: string[] = [];
  const gates: (() => void)[] = [];
  const work = task<string>("work", { queue: "q" }, async (name) => {
    seen.push(name);
    const held = gate();
    gates.push(() => held.open());
    await held.promise;
  });
  const flow = workflow("flow", async (ctx) => {
    await ctx.map("calls", ["call 1", "call 2"], (inner, name) => inner.call(work, name));
  });
  const claw = await world.open([flow], { tasks: [work], queues: { q: { concurrency: 1 } } });
  await claw.enqueueMany(work, ["task 0", "task 1", "task 2"]);
  const run = await claw.start(flow, null);
  await world.calm();
  for (let at = 1; at < 5; at++) {
    gates.shift()?.();
    await world.soon(() => seen.length > at);
  }
  gates.shift()?.();
  await world.ended(run);
  assert.deepEqual(seen, ["task 0", "call 1", "task 1", "call 2", "task 2"]);
});

test("a step without a heartbeat is given up and repeated with what it said last", async (t) => {
  const world = open(t);
  const seen: unknown[] = [];
  const flow = workflow("flow", (ctx) =>
    ctx.run(
      "body",
      (step) => {
        seen.push(step.progress);
        step.heartbeat({ row: 7 });
        return step.attempt === 1 ? new Promise(() => {}) : "done";
      },
      { heartbeat: "5s", retry: { initial: "100ms", jitter: 0 } },
    ),
  );
  const claw = await world.open([flow]);
  assert.equal(await world.output(await claw.start(flow, null)), "done");
  assert.deepEqual(seen, [undefined, { row: 7 }]);
});

test("another executor runs tasks and calls, and is given key, attempt and input", async (t) => {
  const world = open(t);
  const given: string[] = [];
  const executor = {
    execute: ({ task: { name }, input, step }: Assignment<AnyTask>): unknown => {
      given.push(`${name} ${String(input)} ${step.attempt}`);
      return "from elsewhere";
    },
  };
  const work = task<number, string>("work", { keep: "all" }, () => "here");
  const flow = workflow("flow", (ctx) => ctx.call(work, 1));
  const claw = await world.open([flow], { tasks: [work], executor });
  assert.equal(await world.output(await claw.start(flow, null)), "from elsewhere");
  const { id } = await claw.enqueue(work, 2);
  await world.soon(async () => (await claw.findTask(id))?.output === "from elsewhere");
  assert.deepEqual(given, ["work 1 1", "work 2 1"]);
});
