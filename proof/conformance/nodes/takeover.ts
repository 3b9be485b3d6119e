import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@claw/core/protocol";
import { delivery, first, step, transition } from "../store/world.ts";
import type { SharedPlaceMaker } from "./place.ts";
import { openNodes, until } from "./world.ts";

/** The end of a node that did not give anything back. */
export function proveTakeover(make: SharedPlaceMaker): void {
  test("nothing is taken from a node whose lease is not over", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const row = await world.start(a);
    assert.equal(await b.shared.takeOver(), 0);
    assert.equal((await a.step(row, 1)).status, "applied");
  });

  test("what a node held whose lease is over goes on elsewhere, with one recovery more", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const [row, resting, other] = [
      await world.start(a),
      await world.startResting(a),
      await world.start(b),
    ];
    await a.step(row, 1);
    await a.step(row, 2);
    await world.place.lapse(a.incarnation);
    assert.equal(await b.shared.takeOver(), 1);
    assert.equal(await b.shared.takeOver(), 0);
    await b.dueSoon(row.id);
    const [stored] = await b.shared.claim([row.id]);
    assert.deepEqual([stored?.row.recoveries, [...(stored?.journal ?? [])].length], [1, 2]);
    assert.equal((await b.store.load([resting.id]))[0]?.row.recoveries, 0);
    assert.equal((await b.step(other, 1)).status, "applied");
    assert.deepEqual(await b.store.check(), []);
  });

  test("a node that was ended writes nothing any more, whatever it sends", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const [row, resting] = [await world.start(a), await world.startResting(a)];
    await world.place.lapse(a.incarnation);
    await b.shared.takeOver();
    assert.equal(await b.claim(row.id), true);
    const fenced = { code: "CLAW-4007" };
    await assert.rejects(a.step(row, 1), fenced);
    await assert.rejects(a.commit(first(world.row())), fenced);
    await assert.rejects(a.commit(delivery(row.id)), fenced);
    await assert.rejects(async () => a.shared.claim([resting.id]), fenced);
    assert.equal([...((await b.store.find(row.id))?.journal ?? [])].length, 0);
    assert.equal((await b.shared.inbox([row.id])).length, 0);
    await until(() => a.shared.leaseLeftMs() <= 0, "the node knows that its lease is over");
    await a.open();
    assert.equal((await a.commit(first(world.row()))).items[0]?.status, "applied");
  });

  test("two nodes take over once", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const c = await world.node();
    const row = await world.start(a);
    await world.place.lapse(a.incarnation);
    const ended = await Promise.all([b.shared.takeOver(), c.shared.takeOver()]);
    assert.equal(ended[0] + ended[1], 1);
    assert.equal((await b.store.load([row.id]))[0]?.row.recoveries, 1);
  });

  test("a run that ends node after node is quarantined", async (t) => {
    const { world, b } = await openNodes(t, make);
    const row = await world.startResting(b);
    for (let n = 0; n <= limits.RECOVERIES_MAX; n++) {
      const node = await world.node();
      assert.equal(await node.claim(row.id), true, `life ${n}`);
      await world.place.lapse(node.incarnation);
      assert.equal(await b.shared.takeOver(), 1);
    }
    assert.deepEqual(await b.store.held(["quarantined"], 10), [row.id]);
    assert.deepEqual(await b.due(), []);
  });

  test("a suspect is looked for by nodes that host it", async (t) => {
    const { world, b } = await openNodes(t, make);
    const row = await world.startResting(b);
    for (let n = 0; n < limits.SUSPECT_RECOVERIES; n++) {
      const node = await world.node();
      await node.claim(row.id);
      await world.place.lapse(node.incarnation);
      await b.shared.takeOver();
    }
    assert.deepEqual(await b.due(), []);
    await until(async () => (await b.store.suspects(10)).length === 1, "the suspect is named");
    await b.claim(row.id);
    assert.deepEqual(await b.store.suspects(10), []);
  });

  test("what was held back by a node that ended stays held back, and is anybody's", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const row = await world.start(a);
    await a.commit({ type: "pause", run: row.id, reason: "x" });
    await world.place.lapse(a.incarnation);
    await b.shared.takeOver();
    assert.equal(await b.claim(row.id), true);
    const hold = { kind: "bug", reason: "y" } as const;
    assert.equal((await b.one(transition(row, { ...step(row, 1), hold }))).status, "applied");
    assert.equal(await b.shared.holder(row.id), null);
    // Who was paused by a person stays paused, whatever holds it besides.
    assert.deepEqual(await b.store.held(["paused"], 10), [row.id]);
  });
}
