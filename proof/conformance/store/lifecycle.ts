import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceMaker } from "./place.ts";
import { delivery, first, openWorld, step, transition } from "./world.ts";

/** Opening, closing, incarnations. */
export function proveLifecycle(make: PlaceMaker): void {
  test("an open store says what it is and what a commit guarantees", async (t) => {
    const { info } = await openWorld(t, make);
    assert.equal(info?.incarnation, 1);
    assert.ok((info?.schemaVersion ?? 0) >= 1);
    for (const word of [info?.kind, info?.location, info?.durability]) assert.ok(word);
  });

  test("everything is there after the store was closed and opened again", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(transition(row, step(row, 1)), delivery(row.id));
    const before = await world.load(row.id);
    await world.restart();
    assert.equal(world.info?.incarnation, 2);
    const after = await world.load(row.id);
    assert.deepEqual({ ...after, row: null }, { ...before, row: null });
    assert.deepEqual([...(after?.journal ?? [])], [...(before?.journal ?? [])]);
  });

  test("runs that an ended process held are due at once with the next open, before all others", async (t) => {
    const world = await openWorld(t, make);
    const parked = await world.start({ park: { due: world.nowMs, waits: 0, inboxSeen: 0 } });
    const [a, b] = [await world.start(), await world.start()];
    const held = await world.start({ hold: { kind: "bug", reason: "x" } });
    assert.deepEqual(await world.due(), [parked.id]);
    await world.restart();
    const active = await world.start();
    const due = await world.store.due(world.nowMs, 10, true);
    assert.deepEqual(due, [a.id, b.id, parked.id]);
    assert.deepEqual(await world.store.due(world.nowMs, 2, true), [a.id, b.id]);
    assert.deepEqual(await world.store.held(["bug"], 10), [held.id]);
    assert.equal((await world.load(active.id))?.row.due, 0);
  });

  test("an open store can be opened again: a new incarnation that finds everything", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.open();
    assert.equal(world.info?.incarnation, 2);
    assert.deepEqual(await world.due(), [row.id]);
  });

  test("a batch of an ended incarnation is refused whole", async (t) => {
    const world = await openWorld(t, make);
    const ended = world.info?.incarnation ?? 0;
    await world.open();
    const row = world.row();
    for (const incarnation of [ended, ended + 2]) {
      await assert.rejects(async () => world.store.commit(world.batch([first(row)], incarnation)), {
        code: "CLAW-4007",
      });
    }
    await world.open();
    assert.deepEqual(await world.store.load([row.id]), []);
  });

  test("closing twice does no harm, and a closed store does nothing", async (t) => {
    const world = await openWorld(t, make);
    await world.store.close();
    await world.store.close();
    await assert.rejects(async () => world.commit(first(world.row())), { code: "CLAW-4006" });
    await assert.rejects(async () => world.store.list({ limit: 1 }), { code: "CLAW-4006" });
    await world.open();
    assert.equal(world.info?.incarnation, 2);
  });

  test("an empty batch is answered", async (t) => {
    const world = await openWorld(t, make);
    assert.deepEqual(await world.commit(), { items: [], delivered: [], started: [], woken: [] });
  });
}
