import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceMaker } from "./place.ts";
import { delivery, finish, openWorld, transition } from "./world.ts";

/** Runs of several namespaces in one store. */
export function proveNamespaces(make: PlaceMaker): void {
  test("due, nextDue and held tell of the runs of one namespace alone", async (t) => {
    const world = await openWorld(t, make);
    const { store, nowMs } = world;
    const hold = { kind: "bug" as const, reason: "r" };
    for (const namespace of ["default", "other"]) {
      const at = namespace === "other" ? 5 : 9;
      await world.start(
        { park: { due: nowMs - at, waits: 0, inboxSeen: 0 } },
        world.row({ namespace }),
      );
      await world.start(
        { park: { due: nowMs + at, waits: 0, inboxSeen: 0 } },
        world.row({ namespace }),
      );
      await world.start({ hold }, world.row({ namespace }));
    }
    const namespaceOf = async (ids: readonly string[]): Promise<(string | undefined)[]> =>
      Promise.all(ids.map(async (id) => (await store.find(id))?.namespace));
    for (const namespace of ["default", "other"]) {
      const due = await store.due(nowMs, 10, false, namespace);
      assert.deepEqual(await namespaceOf(due), [namespace]);
      const held = await store.held(["bug"], 10, namespace);
      assert.deepEqual(await namespaceOf(held), [namespace]);
    }
    assert.equal(await store.nextDue(nowMs, "default"), nowMs + 9);
    assert.equal(await store.nextDue(nowMs, "other"), nowMs + 5);
    assert.equal(await store.nextDue(nowMs, "third"), null);
    assert.deepEqual(await store.due(nowMs, 10, true, "third"), []);
  });

  test("a message from another namespace finds no run and leaves no trace, open or closed", async (t) => {
    const world = await openWorld(t, make);
    const open = await world.startResting();
    const closed = await world.start();
    await world.commit(transition(closed, { finish: finish(closed) }));
    const dedup = { scope: "other\u001fsignal\u001fx", print: "p", expiresAt: world.nowMs + 10 };
    const { items, delivered } = await world.store.commit({
      ...world.batch([delivery(open.id, { dedup }), delivery(closed.id)]),
      namespace: "other",
    });
    assert.deepEqual(
      items.map((item) => item.status === "refused" && item.why),
      ["unknown", "unknown"],
    );
    assert.deepEqual(delivered, []);
    assert.equal(await world.store.findDedup(dedup.scope), null);
    assert.deepEqual((await world.load(open.id))?.inbox, []);
    const own = await world.store.commit({
      ...world.batch([delivery(open.id)]),
      namespace: "default",
    });
    assert.equal(own.delivered.length, 1);
  });

  test("an operator of another namespace finds no run to release or to pause", async (t) => {
    const world = await openWorld(t, make);
    const held = await world.start({ hold: { kind: "bug", reason: "r" } });
    const resting = await world.startResting();
    const orders = [
      { type: "release", run: held.id },
      { type: "pause", run: resting.id, reason: "r" },
    ] as const;
    const { items } = await world.store.commit({ ...world.batch(orders), namespace: "other" });
    assert.deepEqual(
      items.map((item) => item.status === "refused" && item.why),
      ["unknown", "unknown"],
    );
    assert.equal((await world.load(held.id))?.row.held, "bug");
    assert.equal((await world.load(resting.id))?.row.held, "");
    await world.store.commit({ ...world.batch(orders), namespace: "default" });
    assert.equal((await world.load(held.id))?.row.held, "");
    assert.equal((await world.load(resting.id))?.row.held, "paused");
  });
}
