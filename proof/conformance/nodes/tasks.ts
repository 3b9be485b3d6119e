import assert from "node:assert/strict";
import { test } from "node:test";
import type { Enqueue, TaskScope } from "@claw/core/ports";
import { type AsideTask, joinInputs } from "@claw/core/protocol";
import { BEGIN_MS } from "../store/world.ts";
import type { SharedPlaceMaker } from "./place.ts";
import { openNodes, type TestNode, until } from "./world.ts";

const PLACE = { namespace: "default", queue: "mail", rank: 0, name: "send" };
const SCOPE: TaskScope = { namespace: "default", queue: "mail", names: ["send"] };

/** Two tasks in one block. */
function block(id: number, held = false): Enqueue {
  const inputs = joinInputs(["1", "2"]);
  const blocks = [{ ...PLACE, id, count: 2, addedAt: BEGIN_MS, inputs }];
  const item: Enqueue = { type: "enqueue", blocks, aside: [], lastId: id + 1, dedup: null };
  return held ? { ...item, held } : item;
}

function delayed(id: number, due: number): AsideTask {
  const rest = { attempt: 1, addedAt: BEGIN_MS, input: "1", output: "", progress: "", error: null };
  return { ...PLACE, ...rest, status: "waiting", id, due };
}

async function numbers(node: TestNode): Promise<number> {
  return (await node.store.tasks.head()).lastId + 1;
}

async function backlog(node: TestNode): Promise<readonly number[]> {
  return node.store.tasks.backlog(SCOPE, 10);
}

/** Standalone tasks that several nodes work on. */
export function proveTaskClaims(make: SharedPlaceMaker): void {
  test("numbers that nodes give to tasks never meet", async (t) => {
    const { a, b } = await openNodes(t, make);
    const [one, other] = [await numbers(a), await numbers(b)];
    assert.ok(Math.abs(one - other) >= 2 ** 32);
    for (const [node, id] of [[a, one] as const, [b, other] as const]) {
      assert.equal((await node.one(block(id))).status, "applied");
    }
    assert.deepEqual(new Set(await backlog(a)), new Set([one, other]));
    assert.ok((await numbers(a)) > Math.max(one, other));
    assert.deepEqual(await a.store.check(), []);
  });

  test("a block is in the hands of one node, whoever reads it at the same time", async (t) => {
    const { a, b } = await openNodes(t, make);
    const first = await numbers(a);
    for (let round = 0; round < 15; round++) {
      const id = first + round * 2;
      await a.commit(block(id));
      const read = await Promise.all(
        [a, b].map(async (node) => (await node.store.tasks.blocks([id])).length),
      );
      assert.equal(read[0] === 1, read[1] === 0, `round ${round}`);
    }
    const [own, others] = [await backlog(a), await backlog(b)];
    assert.deepEqual(
      own.filter((id) => others.includes(id)),
      [],
    );
  });

  test("who enqueues can hold what it has a slot for, the rest is anybody's, with a hint", async (t) => {
    const { a, b } = await openNodes(t, make);
    let hints = 0;
    b.shared.onHint(() => void hints++);
    const id = await numbers(a);
    await a.commit(block(id, true));
    assert.deepEqual(await b.store.tasks.blocks([id]), []);
    assert.deepEqual(await backlog(b), []);
    assert.deepEqual(await backlog(a), [id]);
    assert.equal(hints, 0);
    await a.commit(block(id + 2));
    await until(() => hints > 0, "a hint");
    assert.deepEqual(await backlog(b), [id + 2]);
    assert.equal((await b.store.tasks.blocks([id, id + 2])).length, 1);
  });

  test("what a node has in hand is anybody's after its end, with what is settled of it", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const id = await numbers(a);
    await a.commit(block(id, true));
    const progress = { type: "tasks", blocksGone: [], asideGone: [], aside: [] } as const;
    await a.commit({ ...progress, marks: [{ block: id, done: "10" }] });
    await world.place.lapse(a.incarnation);
    assert.equal(await b.shared.takeOver(), 1);
    assert.deepEqual(await backlog(b), [id]);
    assert.equal((await b.store.tasks.blocks([id]))[0]?.done, "10");
    await b.store.close();
    const c = await world.node();
    assert.equal((await c.store.tasks.blocks([id])).length, 1);
    await c.commit({ ...progress, blocksGone: [id], marks: [] });
    assert.deepEqual(await c.store.check(), []);
  });

  test("a task that is due is taken by one node, and is anybody's when it waits again", async (t) => {
    const { a, b } = await openNodes(t, make);
    const id = await numbers(a);
    const aside = [delayed(id, BEGIN_MS), delayed(id + 1, BEGIN_MS + 50)];
    await a.commit({ type: "enqueue", blocks: [], aside, lastId: id + 1, dedup: null });
    const due = async (node: TestNode, nowMs: number): Promise<readonly number[]> => {
      return (await node.store.tasks.due(SCOPE, nowMs, 10)).map((task) => task.id);
    };
    const taken = await Promise.all([due(a, BEGIN_MS), due(b, BEGIN_MS)]);
    assert.deepEqual(taken.flat(), [id]);
    const [holder, other] = taken[0].length === 1 ? [a, b] : [b, a];
    assert.deepEqual(await due(holder, BEGIN_MS), [id]);
    assert.equal(await other.store.tasks.nextDue(SCOPE, BEGIN_MS - 1), BEGIN_MS + 50);
    const again = { ...delayed(id, BEGIN_MS + 100), attempt: 2 };
    const progress = { type: "tasks", blocksGone: [], marks: [], asideGone: [] } as const;
    await holder.commit({ ...progress, aside: [again] });
    assert.deepEqual(await due(other, BEGIN_MS + 100), [id + 1, id]);
    assert.deepEqual(await due(holder, BEGIN_MS + 100), []);
  });

  test("a fenced node takes no tasks", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const id = await numbers(a);
    await a.commit(block(id));
    await world.place.lapse(a.incarnation);
    await b.shared.takeOver();
    await assert.rejects(async () => a.store.tasks.blocks([id]), { code: "CLAW-4007" });
    assert.equal((await b.store.tasks.blocks([id])).length, 1);
  });
}
