import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Store } from "@claw/core/ports";
import { type AnyTask, type StepContext, type Task, task } from "@claw/sdk";
import { MemoryDisk, memoryStore, type SharedMemory } from "@claw/store-memory";
import type { Claw, RuntimeOptions } from "../src/index.ts";
import { gate, World } from "./world.ts";

const LEASE_MS = 3_000;

/** Nodes on one disk that all do the same tasks. */
class TaskNodes {
  readonly world: World;
  readonly disk = new MemoryDisk();
  /** Nodes whose leases are not renewed. */
  readonly silent = new Set<string>();

  constructor(t: TestContext) {
    this.world = new World(t, () => memoryStore({ disk: this.disk }));
  }

  async node(name: string, tasks: AnyTask[], options: Partial<RuntimeOptions> = {}): Promise<Claw> {
    return this.world.open([], { store: this.#store(name), node: { name }, tasks, ...options });
  }

  #store(name: string): Store {
    const { clock } = this.world;
    const shared: SharedMemory = {
      leaseMs: LEASE_MS,
      now: () => clock.now(),
      monotonic: () => clock.now(),
      skewMs: () => 0,
      after: (delayMs, fire) => clock.after(delayMs, fire),
      moves: () => !this.silent.has(name),
      hint: (deliver) => void clock.after(0, deliver),
    };
    return memoryStore({ disk: this.disk, shared });
  }
}

test("tasks of several nodes are done once each, wherever they were enqueued", async (t) => {
  const nodes = new TaskNodes(t);
  const done: number[] = [];
  const work = task<number>("work", {}, (input) => void done.push(input));
  const [one, two] = [await nodes.node("one", [work]), await nodes.node("two", [work])];
  const inputs = Array.from({ length: 300 }, (_, n) => n);
  const ids = await Promise.all([
    one.enqueueMany(work, inputs.slice(0, 150)),
    two.enqueueMany(work, inputs.slice(150)),
    ...inputs.slice(0, 20).map(async (n) => [(await one.enqueue(work, 1_000 + n)).id]),
  ]);
  assert.equal(new Set(ids.flat()).size, 320);
  await nodes.world.until(async () => (await two.tasks()).length === 0, "all tasks");
  const wanted = [...inputs, ...inputs.slice(0, 20).map((n) => 1_000 + n)];
  assert.deepEqual(
    done.toSorted((a, b) => a - b),
    wanted,
  );
});

test("what a node enqueues and has no slots for is done by another", async (t) => {
  const nodes = new TaskNodes(t);
  const work = task("work", {}, () => {});
  const queues = { default: { concurrency: 0 } };
  const giver = await nodes.node("giver", [work], { queues });
  await nodes.node("worker", [work]);
  await giver.enqueueMany(work, [1, 2, 3]);
  const { id } = await giver.enqueue(work, 4, { delay: "1m" });
  const isEmpty = async (): Promise<boolean> =>
    (await giver.tasks({ status: "ready" })).length === 0;
  await nodes.world.until(isEmpty, "those that are ready");
  await nodes.world.until(async () => (await giver.findTask(id)) === null, "the delayed one");
});

test("tasks in the hands of a node that ended are done by another, those that were done are not", async (t) => {
  const nodes = new TaskNodes(t);
  const held = gate();
  const begun: string[] = [];
  const make = (name: string): Task<number> =>
    task<number>("work", {}, async (input) => {
      begun.push(`${name} ${input}`);
      const isFirst = begun.filter((one) => one.endsWith(` ${input}`)).length === 1;
      if (isFirst && input > 1) await held.promise;
    });
  const work = make("one");
  const one = await nodes.node("one", [work]);
  await one.enqueueMany(work, [1, 2, 3]);
  await nodes.world.until(async () => (await one.tasks()).length === 2, "the first one");
  const two = await nodes.node("two", [make("two")]);
  const from = nodes.world.clock.now();
  nodes.silent.add("one");
  await nodes.world.until(async () => (await two.tasks()).length === 0, "the others");
  assert.ok(nodes.world.clock.now() - from <= 2 * LEASE_MS);
  assert.deepEqual(begun.slice(0, 3), ["one 1", "one 2", "one 3"]);
  // By the other one, or by the first in its next life.
  assert.deepEqual(
    begun
      .slice(3)
      .map((one) => one.slice(4))
      .toSorted(),
    ["2", "3"],
  );
  held.open();
});

test("a task that failed waits in the store, and one node tries it again", async (t) => {
  const nodes = new TaskNodes(t);
  const attempts: number[] = [];
  const retry = { backoff: "fixed", initial: "1s", jitter: 0, attempts: 5 } as const;
  const work = task("work", { retry }, (_, step: StepContext) => {
    attempts.push(step.attempt);
    if (step.attempt < 4) throw new Error("again");
  });
  const one = await nodes.node("one", [work]);
  await nodes.node("two", [work]);
  await one.enqueue(work, null);
  await nodes.world.until(async () => (await one.tasks()).length === 0, "the task");
  assert.deepEqual(attempts, [1, 2, 3, 4]);
});
