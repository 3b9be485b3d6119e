import assert from "node:assert/strict";
import { test } from "node:test";
import { delivery, first, step, transition } from "../store/world.ts";
import type { SharedPlaceMaker } from "./place.ts";
import { openNodes, REPORT } from "./world.ts";

const ELSEWHERE = "elsewhere";

/** Who holds a run, and what others may do with it. */
export function proveHolding(make: SharedPlaceMaker): void {
  test("incarnations live side by side, and all nodes see who is there, oldest first", async (t) => {
    const { a, b } = await openNodes(t, make);
    assert.deepEqual([a.incarnation, b.incarnation], [1, 2]);
    const nodes = await a.shared.nodes();
    assert.deepEqual(
      nodes.map(({ incarnation, name }) => [incarnation, name]),
      [
        [1, REPORT.name],
        [2, REPORT.name],
      ],
    );
    for (const { leaseLeftMs, since } of nodes) assert.ok(leaseLeftMs > 0 && since > 0);
    assert.ok(a.shared.leaseLeftMs() > 0);
    assert.ok(Math.abs(b.shared.skewMs()) < 1_000);
    assert.ok(Number.isInteger(b.shared.skewMs()), "times are whole milliseconds");
  });

  test("opening again ends one's own incarnation before, without a recovery more, and no other", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const [own, other] = [await world.start(a), await world.start(b)];
    await a.step(own, 1);
    await a.open();
    assert.equal(a.incarnation, 3);
    await a.dueSoon(own.id);
    const [stored] = await a.shared.claim([own.id]);
    assert.deepEqual([stored?.row.recoveries, [...(stored?.journal ?? [])].length], [0, 1]);
    assert.equal((await b.step(other, 1)).status, "applied");
    assert.deepEqual(await a.shared.claim([other.id]), []);
  });

  test("a run is claimed by one node, whoever claims it at the same time", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    for (let round = 0; round < 20; round++) {
      const rows = [await world.startResting(a), await world.startResting(b)];
      const ids = rows.map(({ id }) => id);
      const [one, other] = await Promise.all([
        a.shared.claim(ids),
        b.shared.claim(ids.toReversed()),
      ]);
      const claimed = [...one, ...other].map(({ row }) => row.id);
      assert.deepEqual(claimed.sort(), ids.sort());
    }
  });

  test("claiming answers what loading answers, in the order asked, and leaves out what others hold", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const [held, one, other] = [
      await world.start(a),
      await world.startResting(a),
      await world.start(a, { hold: { kind: "bug", reason: "x" } }),
    ];
    await b.commit(delivery(one.id));
    const claimed = await b.shared.claim([other.id, held.id, one.id, "unknown"]);
    assert.deepEqual(
      claimed.map(({ row }) => [row.id, row.due, row.held]),
      [
        [other.id, null, "bug"],
        [one.id, 0, ""],
      ],
    );
    assert.equal(claimed[1]?.inbox.length, 1);
    assert.equal(await a.shared.holder(held.id), a.incarnation);
    assert.equal(await a.shared.holder(one.id), b.incarnation);
    assert.deepEqual(await b.shared.claim([one.id, held.id], "another"), []);
    // Once more, by the node that holds it.
    assert.equal(await b.claim(one.id), true);
  });

  test("what is written of a run that is not one's own is refused alone, the rest of the batch goes on", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const [own, others, resting] = [
      await world.start(b),
      await world.start(a),
      await world.startResting(a),
    ];
    const { items } = await b.commit(
      transition(others, step(others, 1)),
      transition(own, step(own, 1)),
      transition(resting, step(resting, 1)),
      delivery(own.id),
    );
    const seen = items.map((item) => (item.status === "refused" ? item.why : item.status));
    assert.deepEqual(seen, [ELSEWHERE, "applied", ELSEWHERE, "applied"]);
    assert.equal((await a.step(others, 1)).status, "applied");
    assert.equal(await b.claim(resting.id), true);
    assert.equal((await b.step(resting, 1)).status, "applied");
    assert.equal((await a.end(resting, 2)).status, "refused");
    assert.equal((await b.end(resting, 2)).status, "applied");
    assert.deepEqual(await a.store.check(), []);
  });

  test("operations on a run are refused while another node holds it, and not when it rests", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const { id: run } = await world.start(a);
    const pause = { type: "pause", run, reason: "wait" } as const;
    const release = { type: "release", run } as const;
    for (const item of [pause, release, { type: "clear", run } as const]) {
      assert.deepEqual(await b.one(item), { status: "refused", why: ELSEWHERE, detail: run });
    }
    assert.equal((await a.one(pause)).status, "applied");
    assert.equal(await b.shared.holder(run), a.incarnation);
    assert.equal((await b.one(release)).status, "refused");
    await a.shared.giveUp([run]);
    assert.equal((await b.one(release)).status, "applied");
    await b.dueSoon(run);
  });

  test("a run that was given up is whole, due at once, and anybody's", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const [row, kept] = [await world.start(a), await world.start(a)];
    await a.step(row, 1);
    await a.step(row, 2);
    await b.shared.giveUp([row.id]);
    assert.equal(await b.claim(row.id), false);
    await a.shared.giveUp([row.id]);
    assert.equal((await a.step(row, 3)).status, "refused");
    const [stored] = await b.shared.claim([row.id, kept.id]);
    assert.deepEqual([[...(stored?.journal ?? [])].length, stored?.row.recoveries], [2, 0]);
    assert.equal((await b.end(row, 3)).status, "applied");
    assert.deepEqual(await a.store.check(), []);
  });

  test("whatever a node has recorded is read by others at once", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const row = await world.start(a);
    for (let seq = 1; seq <= 80; seq++) {
      await a.step(row, seq);
      const [loaded] = await b.store.load([row.id]);
      assert.equal([...(loaded?.journal ?? [])].length, seq);
      assert.equal([...((await b.store.find(row.id))?.journal ?? [])].length, seq);
    }
    assert.deepEqual(await b.store.check(), []);
  });

  test("a node that closes gives back at once what it holds", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const [row, paused] = [await world.start(a), await world.start(a)];
    await a.step(row, 1);
    await a.commit({ type: "pause", run: paused.id, reason: "" });
    await a.store.close();
    await b.dueSoon(row.id);
    const [stored] = await b.shared.claim([row.id, paused.id]);
    assert.deepEqual([stored?.row.recoveries, [...(stored?.journal ?? [])].length], [0, 1]);
    const nodes = await b.shared.nodes();
    assert.deepEqual(
      nodes.map(({ incarnation }) => incarnation),
      [b.incarnation],
    );
  });

  test("only definitions that a node hosts are due for it, and nobody's are found", async (t) => {
    const { world, a } = await openNodes(t, make);
    const row = world.row({ workflow: "unknown" });
    await a.commit(first(row, { park: { due: 1, waits: 0, inboxSeen: 0 } }));
    const known = await world.start(a, { park: { due: 1, waits: 0, inboxSeen: 0 } });
    await a.shared.claim([known.id]);
    await a.shared.giveUp([known.id]);
    assert.ok(!(await a.due()).includes(row.id));
    assert.deepEqual(await a.shared.unhosted(2, 10), [row.id]);
  });
}
