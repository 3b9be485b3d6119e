import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type StepContext, task } from "@claw/sdk";
import { type Fault, MemoryDisk, memoryStore } from "@claw/store-memory";
import { gate, World } from "./world.ts";

function open(t: TestContext, disk = new MemoryDisk()): World {
  return new World(t, () => memoryStore({ disk }));
}

const exact = { backoff: "fixed", initial: "10s", jitter: 0 } as const;

test("an enqueued task runs once, and nothing is left of it", async (t) => {
  const world = open(t);
  const seen: unknown[] = [];
  const note = task("note", {}, (input) => void seen.push(input));
  const claw = await world.open([], { tasks: [note] });
  const { id, existing } = await claw.enqueue(note, { a: 1 });
  assert.match(id, /^task_/);
  assert.equal(existing, false);
  await world.until(async () => (await claw.findTask(id)) === null);
  assert.deepEqual(seen, [{ a: 1 }]);
});

test("many inputs are written together, run in their order, and have an id each", async (t) => {
  const world = open(t);
  const seen: unknown[] = [];
  const note = task<number>("note", {}, (input) => void seen.push(input));
  const claw = await world.open([], { tasks: [note] });
  const before = claw.stats().commits;
  const inputs = Array.from({ length: 1_000 }, (_, at) => at);
  const ids = await claw.enqueueMany(note, inputs);
  assert.equal(claw.stats().commits, before + 1);
  assert.equal(new Set(ids).size, 1_000);
  await world.until(async () => (await claw.tasks()).length === 0);
  assert.deepEqual(seen, inputs);
  assert.deepEqual(await claw.enqueueMany(note, []), []);
});

test("a failed attempt is repeated when it is due, across stops, with the same key", async (t) => {
  const world = open(t);
  const seen: string[] = [];
  const keys = new Set<string>();
  const flaky = task("flaky", { retry: { ...exact, attempts: 4 } }, (_, step: StepContext) => {
    seen.push(`${step.attempt} ${String(step.progress)}`);
    keys.add(step.key);
    step.heartbeat(`after ${step.attempt}`);
    if (step.attempt < 3) throw new Error("not yet");
  });
  let claw = await world.open([], { tasks: [flaky] });
  const { id } = await claw.enqueue(flaky, null);
  await world.soon(async () => (await claw.findTask(id))?.status === "waiting");
  assert.equal((await claw.findTask(id))?.error?.message, "not yet");
  await claw.stop();
  world.clock.advance(4_000);
  claw = await world.open([], { tasks: [flaky] });
  await world.calm();
  assert.deepEqual(seen, ["1 undefined"]);
  world.clock.advance(6_000);
  await world.soon(() => seen.length === 2);
  await world.until(async () => (await claw.findTask(id)) === null);
  assert.deepEqual(seen, ["1 undefined", "2 after 1", "3 after 2"]);
  assert.equal(keys.size, 1);
});

test("what failed for good is a dead letter, and a redriven one gets all its attempts again", async (t) => {
  const world = open(t);
  let broken = true;
  let attempts = 0;
  const work = task("work", { retry: { ...exact, attempts: 2 } }, () => {
    attempts++;
    if (broken) throw Object.assign(new Error("broken"), { code: "BROKEN" });
  });
  const claw = await world.open([], { tasks: [work] });
  const { id } = await claw.enqueue(work, 7);
  await world.until(async () => (await claw.deadLetters()).length === 1);
  const [dead] = await claw.deadLetters({ task: "work" });
  assert.deepEqual([dead?.id, dead?.attempt, dead?.error?.code, dead?.input], [id, 2, "BROKEN", 7]);
  await claw.redrive(id);
  await world.until(async () => attempts === 4 && (await claw.deadLetters()).length === 1);
  broken = false;
  await claw.redrive(id);
  await world.until(async () => (await claw.findTask(id)) === null);
  assert.equal(attempts, 5);
  await assert.rejects(claw.redrive(id), { code: "CLAW-3015" });
  await assert.rejects(claw.redrive("run_1"), { code: "CLAW-3015" });
});

test("an error that is not retryable, and a code of notOn, are final at once", async (t) => {
  const world = open(t);
  const work = task<string>("work", { retry: { attempts: 5, notOn: ["DECLINED"] } }, (how) => {
    throw Object.assign(
      new Error(how),
      how === "code" ? { code: "DECLINED" } : { retryable: false },
    );
  });
  const claw = await world.open([], { tasks: [work] });
  await claw.enqueueMany(work, ["code", "flag"]);
  await world.soon(async () => (await claw.deadLetters()).length === 2);
  assert.deepEqual(
    (await claw.deadLetters()).map(({ attempt }) => attempt),
    [1, 1],
  );
});

test("a task with keep all leaves its result for seven days", async (t) => {
  const world = open(t);
  const square = task<number, number>("square", { keep: "all" }, (n) => n * n);
  const claw = await world.open([], { tasks: [square] });
  const { id } = await claw.enqueue(square, 3);
  await world.soon(async () => (await claw.findTask(id))?.status === "completed");
  assert.equal((await claw.findTask(id))?.output, 9);
});

test("the same idempotency key gives the same task, done or not; another input is a conflict", async (t) => {
  const world = open(t);
  let runs = 0;
  const work = task("work", {}, () => void runs++);
  const claw = await world.open([], { tasks: [work] });
  const [one, two] = await Promise.all([
    claw.enqueue(work, 1, { idempotencyKey: "k" }),
    claw.enqueue(work, 1, { idempotencyKey: "k" }),
  ]);
  assert.deepEqual([one.existing, two.existing, two.id], [false, true, one.id]);
  await world.soon(async () => (await claw.findTask(one.id)) === null);
  assert.equal((await claw.enqueue(work, 1, { idempotencyKey: "k" })).id, one.id);
  await assert.rejects(claw.enqueue(work, 2, { idempotencyKey: "k" }), { code: "CLAW-3003" });
  assert.equal(runs, 1);
});

test("a delayed task starts when its delay is over, also after a stop", async (t) => {
  const world = open(t);
  let runs = 0;
  const work = task("work", {}, () => void runs++);
  let claw = await world.open([], { tasks: [work] });
  await claw.enqueue(work, 1, { delay: "1m" });
  await claw.enqueueMany(work, [1, 2], { delay: "2m" });
  world.clock.advance(59_000);
  await world.calm();
  assert.equal(runs, 0);
  world.clock.advance(1_000);
  await world.soon(() => runs === 1);
  await claw.stop();
  claw = await world.open([], { tasks: [work] });
  world.clock.advance(60_000);
  await world.soon(() => runs === 3);
  await world.soon(async () => (await claw.tasks()).length === 0);
});

test("of tasks that wait for a slot the higher priority is first, then the oldest", async (t) => {
  const world = open(t);
  const seen: string[] = [];
  const held = gate();
  const work = task<string>("work", { queue: "q" }, async (name) => {
    seen.push(name);
    await held.promise;
  });
  const claw = await world.open([], { tasks: [work], queues: { q: { concurrency: 1 } } });
  await claw.enqueue(work, "first");
  await claw.enqueueMany(work, ["b", "c"]);
  await claw.enqueueMany(work, ["low"], { priority: -5 });
  await claw.enqueue(work, "urgent", { priority: 10 });
  assert.deepEqual(seen, ["first"]);
  held.open();
  await world.soon(() => seen.length === 5);
  assert.deepEqual(seen, ["first", "urgent", "b", "c", "low"]);
});

test("at most so many attempts of a queue are under way as it has slots, and none with 0", async (t) => {
  const world = open(t);
  const gates: (() => void)[] = [];
  let most = 0;
  let now = 0;
  const work = task("work", {}, async () => {
    most = Math.max(most, ++now);
    const held = gate();
    gates.push(() => held.open());
    await held.promise;
    now--;
  });
  const queues = { narrow: { concurrency: 3 }, off: { concurrency: 0 } };
  const claw = await world.open([], { tasks: [work], queues });
  await claw.enqueueMany(work, Array.from({ length: 10 }), { queue: "narrow" });
  await claw.enqueueMany(work, [1, 2], { queue: "off" });
  for (let done = 0; done < 10; done++) {
    await world.soon(() => gates.length > 0);
    gates.shift()?.();
  }
  await world.soon(async () => (await claw.tasks({ queue: "narrow" })).length === 0);
  assert.equal(most, 3);
  assert.equal((await claw.tasks({ queue: "off", status: "ready" })).length, 2);
});

test("an attempt without a heartbeat is given up and repeated; one that beats goes on", async (t) => {
  const world = open(t);
  const errors: unknown[] = [];
  const work = task("work", { heartbeat: "10s", retry: { ...exact, attempts: 2 } }, (_, step) => {
    if (step.attempt === 2) return undefined;
    step.signal.addEventListener("abort", () => errors.push(step.signal.reason));
    return new Promise(() => {});
  });
  const beating = gate();
  let beat = (): void => {};
  const calm = task("calm", { heartbeat: "10s", retry: { attempts: 1 } }, async (_, step) => {
    beat = () => step.heartbeat();
    await beating.promise;
  });
  const claw = await world.open([], { tasks: [work, calm] });
  await claw.enqueue(calm, null);
  await world.soon(() => claw.stats().bodies === 1);
  for (let at = 0; at < 5; at++) {
    world.clock.advance(9_000);
    beat();
  }
  beating.open();
  await world.soon(async () => (await claw.tasks()).length === 0);
  const { id } = await claw.enqueue(work, null);
  world.clock.advance(10_000);
  await world.soon(async () => (await claw.findTask(id))?.error?.code === "CLAW-2019");
  await world.until(async () => (await claw.findTask(id)) === null);
  assert.equal((errors[0] as { code?: string }).code, "CLAW-2019");
});

test("an attempt that runs out of time is given up, and its late answer counts for nothing", async (t) => {
  const world = open(t);
  const late = gate<string>();
  const work = task(
    "work",
    { timeout: "5s", keep: "all", retry: { attempts: 1 } },
    () => late.promise,
  );
  const claw = await world.open([], { tasks: [work] });
  const { id } = await claw.enqueue(work, null);
  world.clock.advance(5_000);
  await world.soon(async () => (await claw.findTask(id))?.status === "dead");
  late.open("late");
  await world.calm();
  assert.equal((await claw.findTask(id))?.error?.code, "CLAW-2002");
});

test("tasks that were taken are found again after a crash, and completed ones never run again", async (t) => {
  const disk = new MemoryDisk();
  const world = open(t, disk);
  const ends: string[] = [];
  let stuck = true;
  const work = task<number>("work", { queue: "q" }, (n) => {
    if (n % 2 === 1 && stuck) return new Promise(() => {});
    ends.push(`${n}`);
    return undefined;
  });
  const first = await world.open([], { tasks: [work] });
  await first.enqueueMany(work, [0, 1, 2, 3, 4, 5]);
  await world.soon(async () => (await first.tasks()).length === 3);
  stuck = false;
  disk.ownerDied();
  const second = await world.open([], { tasks: [work] });
  await world.soon(async () => (await second.tasks()).length === 0);
  assert.deepEqual(ends, ["0", "2", "4", "1", "3", "5"]);
});

test("a task without code here waits for a process that has it", async (t) => {
  const world = open(t);
  const seen: string[] = [];
  const one = task("one", {}, () => void seen.push("one"));
  const two = task("two", {}, () => void seen.push("two"));
  let claw = await world.open([], { tasks: [one, two], queues: { default: { concurrency: 0 } } });
  await claw.enqueue(one, null);
  await claw.enqueue(two, null);
  await claw.stop();
  claw = await world.open([], { tasks: [two] });
  await world.soon(() => seen.length === 1);
  await assert.rejects(claw.enqueue(one, null), { code: "CLAW-1003" });
  await assert.rejects(claw.enqueue("one", null), { code: "CLAW-1003" });
  await claw.stop();
  claw = await world.open([], { tasks: [one] });
  await world.soon(() => seen.length === 2);
  assert.deepEqual(seen, ["two", "one"]);
});

test("when the outcome of a commit is not known, what it held runs again, and clients are told", async (t) => {
  const disk = new MemoryDisk();
  let fault: Fault | null = null;
  const beforeCommit = (): Fault | null => {
    const now = fault;
    fault = null;
    return now;
  };
  const world = new World(t, () => memoryStore({ disk, faults: { beforeCommit } }));
  const seen: number[] = [];
  const work = task<number>("work", {}, (n) => {
    seen.push(n);
    if (seen.length === 1) fault = { kind: "fail" };
  });
  const claw = await world.open([], { tasks: [work] });
  await claw.enqueue(work, 1);
  await world.until(() => seen.length === 2);
  await world.until(async () => claw.stats().recoveries === 1);
  await world.until(() =>
    claw.tasks().then(
      ({ length }) => length === 0,
      () => false,
    ),
  );
  fault = { kind: "lost-answer" };
  await assert.rejects(claw.enqueue(work, 2), { code: "CLAW-4006" });
  await world.until(() => seen.length === 3);
  assert.deepEqual(seen, [1, 1, 2]);
});

test("a backlog that is greater than the memory of a queue is worked off whole and in order", async (t) => {
  const world = open(t);
  const seen: number[] = [];
  const work = task<number>("work", { queue: "q" }, (n) => void seen.push(n));
  let claw = await world.open([], { tasks: [work], queues: { q: { concurrency: 0 } } });
  const inputs = Array.from({ length: 20_000 }, (_, at) => at);
  await claw.enqueueMany(work, inputs);
  await claw.stop();
  claw = await world.open([], { tasks: [work], queues: { q: { concurrency: 1 } } });
  const [urgent] = await claw.enqueueMany(work, [-1], { priority: 1 });
  await world.soon(async () => (await claw.tasks({ limit: 1 })).length === 0);
  assert.ok(urgent !== undefined);
  assert.deepEqual(
    seen.filter((n) => n >= 0),
    inputs,
  );
});

test("wrong definitions and options are refused with their codes", async (t) => {
  const world = open(t);
  const work = task("work", {}, () => undefined);
  const other = task("work", {}, () => undefined);
  await assert.rejects(world.open([], { tasks: [work, other] }), { code: "CLAW-1002" });
  const queues = { q: { concurrency: -1 } };
  await assert.rejects(world.open([], { queues }), { code: "CLAW-1001" });
  assert.throws(() => task("t", { priority: 1.5 }, () => 1), { code: "CLAW-1001" });
  assert.throws(() => task("t", { queue: "a/b" }, () => 1), { code: "CLAW-1008" });
  const claw = await world.open([], { tasks: [work] });
  await assert.rejects(claw.enqueue(work, 1, { priority: 5_000 }), { code: "CLAW-1001" });
  await assert.rejects(
    claw.enqueue(work, () => 1),
    { code: "CLAW-1005" },
  );
  await assert.rejects(claw.enqueue(work, 1, { idempotencyKey: "" }), { code: "CLAW-1008" });
  await assert.rejects(claw.enqueue(work, 1, { delay: "soon" }), { code: "CLAW-1007" });
});
