import assert from "node:assert/strict";
import { test } from "node:test";
import { delivery, finish, first, message, published, transition, wait } from "../store/world.ts";
import type { SharedPlaceMaker } from "./place.ts";
import { openNodes, type TestNode, until } from "./world.ts";

const NOTHING = { runs: [], errands: [], replies: [] };

function counted(node: TestNode): () => number {
  let hints = 0;
  node.shared.onHint(() => void hints++);
  return () => hints;
}

/** What nodes leave for each other. */
export function provePost(make: SharedPlaceMaker): void {
  test("who writes to a run that another node holds leaves a note for that one, once, and a hint", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const hints = counted(a);
    const [row, own] = [await world.start(a), await world.start(b)];
    const told = transition(own, { messages: [message(row.id, { from: own.id })] });
    const { delivered } = await b.commit(delivery(row.id), delivery(own.id), told);
    assert.ok(delivered.some(({ to }) => to === own.id));
    for (const one of delivered) assert.deepEqual(Object.keys(one).sort(), KEYS);
    await until(() => hints() > 0, "a hint");
    assert.deepEqual((await a.shared.collect()).runs, [row.id]);
    assert.deepEqual(await a.shared.collect(), NOTHING);
    assert.deepEqual(await b.shared.collect(), NOTHING);
    const inbox = await a.shared.inbox([row.id, own.id]);
    assert.deepEqual(
      inbox.map(({ to, seq }) => [to, seq]),
      [
        [row.id, 1],
        [row.id, 2],
        [own.id, 1],
      ],
    );
  });

  test("a message to a run at rest is for the node that brought it: it is due, and nobody gets a note", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const row = await world.startResting(a);
    const { delivered } = await b.commit(delivery(row.id));
    assert.deepEqual(
      delivered.map(({ to }) => to),
      [row.id],
    );
    assert.deepEqual(await a.shared.collect(), NOTHING);
    assert.equal(await b.claim(row.id), true);
  });

  test("an event for runs of several nodes reaches each of them", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const waits = [wait("w", { order: 1 })];
    const rows = [
      await world.start(a, { waits }),
      await world.start(b, { waits }),
      await world.startResting(a, { waits }),
    ];
    const { event, starts, namespace } = published(1, "e", { order: 1 });
    const { delivered } = await b.commit({ type: "publication", event, starts, namespace });
    // What is another's may be left out.
    const told = new Set(delivered.map(({ to }) => to).filter((to) => to !== rows[0]?.id));
    assert.deepEqual(told, new Set([rows[1]?.id, rows[2]?.id]));
    assert.deepEqual((await a.shared.collect()).runs, [rows[0]?.id]);
  });

  test("a node that watches runs gets a note when they change and when they end, and none afterwards", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const [one, other] = [await world.start(a), await world.start(a)];
    await b.shared.watch([one.id, other.id], true);
    await a.step(one, 1);
    assert.deepEqual((await b.shared.collect()).runs, [one.id]);
    await a.end(one, 2);
    await a.end(other);
    assert.deepEqual([...(await b.shared.collect()).runs].sort(), [one.id, other.id].sort());
    const third = await world.start(a);
    await b.shared.watch([third.id], true);
    await b.shared.watch([third.id], false);
    await a.end(third);
    assert.deepEqual(await b.shared.collect(), NOTHING);
  });

  test("what ends while somebody begins to watch it is seen: by the note, or by looking afterwards", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    for (let round = 0; round < 30; round++) {
      const row = await world.start(a);
      const ending = a.end(row);
      await b.shared.watch([row.id], true);
      const found = await b.store.find(row.id);
      await ending;
      const { runs } = await b.shared.collect();
      assert.ok(typeof found?.endedAt === "number" || runs.includes(row.id), `round ${round}`);
    }
  });

  test("an errand reaches who holds the run, its answer whoever asked", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const [row, resting] = [await world.start(a), await world.startResting(a)];
    const hints = counted(b);
    const sent = await b.shared.send({ id: "1", run: row.id, body: '{"ask":1}' });
    assert.equal(sent.status, "applied");
    const refused = { status: "refused", why: "unknown", detail: resting.id };
    assert.deepEqual(await b.shared.send({ id: "2", run: resting.id, body: "1" }), refused);
    const { errands } = await a.shared.collect();
    assert.deepEqual(errands, [{ id: "1", from: b.incarnation, run: row.id, body: '{"ask":1}' }]);
    await a.shared.reply(b.incarnation, { id: "1", body: '"yes"' });
    await until(() => hints() > 0, "a hint");
    assert.deepEqual((await b.shared.collect()).replies, [{ id: "1", body: '"yes"' }]);
    assert.deepEqual(await b.shared.collect(), NOTHING);
    await a.shared.reply(99, { id: "1", body: '"nobody"' });
  });

  test("post for a node that was ended is gone with it", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const row = await world.start(a);
    await b.commit(delivery(row.id));
    await b.shared.send({ id: "1", run: row.id, body: "1" });
    await world.place.lapse(a.incarnation);
    await b.shared.takeOver();
    const [stored] = await b.shared.claim([row.id]);
    assert.equal(stored?.inbox.length, 1);
    await a.open();
    assert.deepEqual(await a.shared.collect(), NOTHING);
  });

  test("the end of a child reaches its parent on another node", async (t) => {
    const { world, a, b } = await openNodes(t, make);
    const parent = await world.start(a);
    const child = world.row({ parentRun: parent.id, parentCall: "c" });
    await a.commit(transition(parent, { starts: [{ row: child, due: 1 }] }));
    assert.equal(await b.claim(child.id), true);
    const told = message(parent.id, { kind: "child", name: "c", from: child.id, data: "1" });
    await b.commit(transition(child, { messages: [told], finish: finish(child) }));
    assert.deepEqual((await a.shared.collect()).runs, [parent.id]);
    assert.equal((await a.commit(first(world.row()))).items[0]?.status, "applied");
  });
}

const KEYS = ["data", "from", "kind", "name", "seq", "to"];
