import assert from "node:assert/strict";
import { test } from "node:test";
import type { Enqueue, TaskProgress } from "@claw/core/ports";
import { type AsideTask, joinInputs, type TaskBlock, taskIdOf } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { BEGIN_MS, openWorld } from "./world.ts";

const PLACE = { namespace: "default", queue: "q", rank: 0, name: "job" } as const;
const SCOPE = { namespace: "default", queue: "q", names: ["job"] } as const;

function block(id: number, inputs: readonly string[], fields: Partial<TaskBlock> = {}): TaskBlock {
  const text = joinInputs(inputs);
  return { ...PLACE, id, count: inputs.length, addedAt: BEGIN_MS, inputs: text, ...fields };
}

function aside(id: number, fields: Partial<AsideTask> = {}): AsideTask {
  const rest = { input: "1", output: "", progress: "", error: null };
  return {
    ...PLACE,
    ...rest,
    id,
    status: "waiting",
    attempt: 1,
    due: BEGIN_MS + 1_000,
    addedAt: BEGIN_MS,
    ...fields,
  };
}

function enqueue(blocks: readonly TaskBlock[], fields: Partial<Enqueue> = {}): Enqueue {
  const lastId = Math.max(0, ...blocks.map(({ id, count }) => id + count - 1));
  return { type: "enqueue", blocks, aside: [], lastId, dedup: null, ...fields };
}

function progress(fields: Partial<TaskProgress>): TaskProgress {
  return { type: "tasks", blocksGone: [], marks: [], asideGone: [], aside: [], ...fields };
}

/** Standalone tasks. */
export function proveTasks(make: PlaceMaker): void {
  test("blocks of tasks come back as they were, also those whose inputs are empty", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(enqueue([block(1, ['"a"', "", '{"b":2}'])]), enqueue([block(4, [""])]));
    await world.restart();
    const { tasks } = world.store;
    assert.deepEqual(await tasks.backlog(SCOPE, 10), [1, 4]);
    const found = await tasks.blocks([1, 4, 9]);
    assert.deepEqual(
      found.map((row) => ({ ...row })),
      [block(1, ['"a"', "", '{"b":2}']), block(4, [""])].map((row) => ({ ...row, done: "" })),
    );
    const list = await tasks.list({ limit: 10 });
    assert.deepEqual(
      list.map(({ id, input, status }) => [id, input, status]),
      [
        [taskIdOf(4), "", "ready"],
        [taskIdOf(3), '{"b":2}', "ready"],
        [taskIdOf(2), "", "ready"],
        [taskIdOf(1), '"a"', "ready"],
      ],
    );
  });

  test("the backlog of a queue is in the order of ranks, then of numbers, of known names alone", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(
      enqueue([
        block(1, ["1"]),
        block(2, ["1"], { rank: 5 }),
        block(3, ["1"], { rank: -5 }),
        block(4, ["1"], { name: "other" }),
        block(5, ["1"], { queue: "r" }),
        block(6, ["1"]),
        block(7, ["1"], { namespace: "else" }),
      ]),
    );
    const { tasks } = world.store;
    assert.deepEqual(await tasks.backlog(SCOPE, 10), [3, 1, 6, 2]);
    assert.deepEqual(await tasks.backlog(SCOPE, 2), [3, 1]);
    assert.deepEqual(await tasks.backlog({ ...SCOPE, names: [] }, 10), []);
    assert.deepEqual([...(await tasks.queues("default"))].sort(), ["q", "r"]);
  });

  test("what left a block stays out of it, and a block of which nothing is left is gone", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(enqueue([block(1, ["1", "2", "3"]), block(4, ["4"])]));
    await world.commit(progress({ marks: [{ block: 1, done: "010" }], blocksGone: [4] }));
    await world.commit(progress({ marks: [{ block: 1, done: "011" }] }));
    await world.restart();
    const { tasks } = world.store;
    assert.deepEqual(
      (await tasks.blocks([1, 4])).map(({ id, done }) => [id, done]),
      [[1, "011"]],
    );
    assert.equal(await tasks.find(taskIdOf(2)), null);
    assert.equal((await tasks.find(taskIdOf(1)))?.input, "1");
    await world.commit(progress({ blocksGone: [1] }));
    assert.deepEqual(await tasks.list({ limit: 10 }), []);
    assert.deepEqual(await world.store.check(), []);
  });

  test("the greatest number ever given is known when its task is long gone, and the salt stays", async (t) => {
    const world = await openWorld(t, make);
    const { salt } = await world.store.tasks.head();
    await world.commit(enqueue([block(7, ["1", "2"])]));
    await world.commit(progress({ blocksGone: [7] }));
    await world.restart();
    assert.deepEqual(await world.store.tasks.head(), { lastId: 8, salt });
  });

  test("tasks with rows of their own are due in the order of their times, and next after them", async (t) => {
    const world = await openWorld(t, make);
    const rows = [
      aside(1),
      aside(2, { due: BEGIN_MS + 500 }),
      aside(3, { due: BEGIN_MS + 9_000 }),
      aside(4, { status: "dead", due: BEGIN_MS }),
      aside(5, { name: "other" }),
    ];
    await world.commit(enqueue([], { aside: rows, lastId: 5 }));
    const { tasks } = world.store;
    const due = await tasks.due(SCOPE, BEGIN_MS + 1_000, 10);
    assert.deepEqual(
      due.map((row) => ({ ...row })),
      [rows[1], rows[0]],
    );
    assert.equal((await tasks.due(SCOPE, BEGIN_MS + 1_000, 1)).length, 1);
    assert.equal(await tasks.nextDue(SCOPE, BEGIN_MS + 1_000), BEGIN_MS + 9_000);
    assert.equal(await tasks.nextDue(SCOPE, BEGIN_MS + 9_000), null);
  });

  test("a dead task that is redriven is due at once with its first attempt; any other is refused", async (t) => {
    const world = await openWorld(t, make);
    const error = { name: "Error", message: "no" };
    const dead = aside(3, { status: "dead", attempt: 4, error, progress: '"half"' });
    await world.commit(enqueue([block(1, ["1"])], { aside: [dead, aside(2)], lastId: 3 }));
    const redrive = (id: number, namespace = "default") =>
      ({ type: "redrive", namespace, id }) as const;
    const refused = (id: number) =>
      ({ status: "refused", why: "unknown", detail: taskIdOf(id) }) as const;
    const { items } = await world.commit(
      redrive(1),
      redrive(2),
      redrive(3, "else"),
      redrive(9),
      redrive(3),
      redrive(3),
    );
    const applied = { status: "applied", parked: false };
    assert.deepEqual(items, [refused(1), refused(2), refused(3), refused(9), applied, refused(3)]);
    const [alive] = await world.store.tasks.due(SCOPE, world.nowMs, 10);
    const expected = { ...dead, status: "waiting", attempt: 1, due: world.nowMs, error: null };
    assert.deepEqual({ ...alive }, expected);
  });

  test("a repeated enqueue with a key meets the first task and writes nothing", async (t) => {
    const world = await openWorld(t, make);
    const dedup = { scope: "default task job k", print: "p", expiresAt: BEGIN_MS + 1_000 };
    const { items } = await world.commit(
      enqueue([block(1, ["1"])], { dedup }),
      enqueue([block(2, ["1"])], { dedup }),
      enqueue([block(3, ["2"])], { dedup: { ...dedup, print: "other" } }),
    );
    assert.deepEqual(items.slice(1), [
      { status: "duplicate", run: taskIdOf(1), same: true },
      { status: "duplicate", run: taskIdOf(1), same: false },
    ]);
    assert.deepEqual(await world.store.tasks.backlog(SCOPE, 10), [1]);
  });

  test("a block with a known number is refused alone and leaves no trace", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(enqueue([block(1, ["1"])]));
    const { items } = await world.commit(
      enqueue([block(2, ["2"])]),
      enqueue([block(3, ["3"]), block(1, ["again"])]),
      enqueue([block(4, ["4"])]),
    );
    assert.deepEqual(
      items.map(({ status }) => status),
      ["applied", "refused", "applied"],
    );
    assert.deepEqual(await world.store.tasks.backlog(SCOPE, 10), [1, 2, 4]);
  });

  test("queues are counted by status, with their oldest task, each namespace on its own", async (t) => {
    const world = await openWorld(t, make);
    const rows = [
      aside(20, { addedAt: BEGIN_MS - 9 }),
      aside(21, { status: "dead", addedAt: BEGIN_MS - 5 }),
      aside(22, { status: "dead" }),
      aside(23, { status: "completed", queue: "r", addedAt: BEGIN_MS - 7 }),
      aside(24, { namespace: "else" }),
    ];
    await world.commit(enqueue([block(1, ["1", "2", "3"])], { aside: rows, lastId: 24 }));
    await world.commit(progress({ marks: [{ block: 1, done: "010" }] }));
    const none = {
      ready: 0,
      waiting: 0,
      dead: 0,
      completed: 0,
      oldestOpen: null,
      oldestDead: null,
    };
    const { tasks } = world.store;
    assert.deepEqual(await tasks.counts("default"), [
      {
        queue: "q",
        ready: 2,
        waiting: 1,
        dead: 2,
        completed: 0,
        oldestOpen: BEGIN_MS - 9,
        oldestDead: BEGIN_MS - 5,
      },
      { ...none, queue: "r", completed: 1 },
    ]);
    const [other] = await tasks.counts("else");
    assert.deepEqual(other, { ...none, queue: "q", waiting: 1, oldestOpen: BEGIN_MS });
    assert.deepEqual(await tasks.counts("nobody"), []);
  });

  test("lists are filtered and paged, newest first, and kept results end with their time", async (t) => {
    const world = await openWorld(t, make);
    const kept = aside(9, { status: "completed", output: "5", due: BEGIN_MS + 10 });
    const rows = [kept, aside(5, { status: "dead" }), aside(6)];
    await world.commit(enqueue([block(1, ["1", "2", "3"])], { aside: rows, lastId: 9 }));
    const { tasks } = world.store;
    const ids = async (query: object): Promise<string[]> =>
      (await tasks.list({ limit: 10, ...query })).map(({ id }) => id);
    const of = (...numbers: number[]): string[] => numbers.map(taskIdOf);
    assert.deepEqual(await ids({}), of(9, 6, 5, 3, 2, 1));
    assert.deepEqual(await ids({ limit: 4 }), of(9, 6, 5, 3));
    assert.deepEqual(await ids({ before: taskIdOf(3) }), of(2, 1));
    assert.deepEqual(await ids({ status: "ready" }), of(3, 2, 1));
    assert.deepEqual(await ids({ status: "dead" }), of(5));
    assert.deepEqual(await ids({ queue: "r" }), []);
    assert.deepEqual(await ids({ task: "job", namespace: "default" }), of(9, 6, 5, 3, 2, 1));
    const declined = { name: "Error", message: "no", code: "DECLINED" };
    const failed = [
      aside(10, { status: "dead", error: declined }),
      aside(11, { error: { name: "TypeError", message: "x" } }),
    ];
    await world.commit(progress({ aside: failed }));
    assert.deepEqual(await ids({ error: "DECLINED" }), of(10));
    assert.deepEqual(await ids({ error: "Error", status: "dead" }), of(10));
    assert.deepEqual(await ids({ error: "TypeError", status: "dead" }), []);
    assert.deepEqual(await ids({ error: "TypeError" }), of(11));
    await world.commit(progress({ asideGone: [10, 11] }));
    assert.equal((await tasks.find(taskIdOf(9)))?.output, "5");
    await world.store.expire(BEGIN_MS + 11, 100);
    assert.equal(await tasks.find(taskIdOf(9)), null);
    assert.deepEqual(await ids({}), of(6, 5, 3, 2, 1));
  });
}
