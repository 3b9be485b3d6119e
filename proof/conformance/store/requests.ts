import assert from "node:assert/strict";
import { test } from "node:test";
import type { Dedup } from "@claw/core/ports";
import type { PlaceMaker } from "./place.ts";
import { BEGIN_MS, delivery, finish, first, message, openWorld, transition } from "./world.ts";

const DEDUP: Dedup = { scope: "default start order k1", print: "p1", expiresAt: BEGIN_MS + 1_000 };

/** Idempotency keys. */
export function proveRequests(make: PlaceMaker): void {
  test("a repeated start meets the first run and writes nothing", async (t) => {
    const world = await openWorld(t, make);
    const one = await world.start({ dedup: DEDUP });
    const [two, three, child] = [world.row(), world.row(), world.row()];
    const { items, started } = await world.commit(
      first(two, { dedup: DEDUP, starts: [{ row: child, due: 0 }] }),
      first(three, { dedup: { ...DEDUP, print: "other" } }),
    );
    assert.deepEqual(items, [
      { status: "duplicate", run: one.id, same: true },
      { status: "duplicate", run: one.id, same: false },
    ]);
    assert.deepEqual(started, []);
    assert.deepEqual(await world.store.load([two.id, three.id, child.id]), []);
    assert.deepEqual(await world.store.findDedup(DEDUP.scope), { run: one.id, print: "p1" });
    assert.equal(await world.store.findDedup("else"), null);
  });

  test("a repetition in the same batch meets the first one", async (t) => {
    const world = await openWorld(t, make);
    const [one, two] = [world.row(), world.row()];
    const { items } = await world.commit(
      first(one, { dedup: DEDUP }),
      first(two, { dedup: DEDUP }),
    );
    assert.deepEqual(items[1], { status: "duplicate", run: one.id, same: true });
  });

  test("the key is remembered after the run has ended", async (t) => {
    const world = await openWorld(t, make);
    const one = await world.start({ dedup: DEDUP });
    await world.commit(transition(one, { finish: finish(one) }));
    const { items } = await world.commit(first(world.row(), { dedup: DEDUP }));
    assert.deepEqual(items, [{ status: "duplicate", run: one.id, same: true }]);
  });

  test("an expired key counts no more, even before it is removed", async (t) => {
    const world = await openWorld(t, make);
    await world.start({ dedup: DEDUP });
    world.nowMs = DEDUP.expiresAt;
    const two = world.row();
    const { items } = await world.commit(
      first(two, { dedup: { ...DEDUP, expiresAt: 2 * BEGIN_MS } }),
    );
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    assert.deepEqual(await world.store.findDedup(DEDUP.scope), { run: two.id, print: "p1" });
  });

  test("a repeated message is delivered once", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const signal = delivery(row.id, { dedup: DEDUP });
    const { items, delivered } = await world.commit(signal, signal);
    assert.deepEqual(items, [
      { status: "applied", parked: false },
      { status: "duplicate", run: "", same: true },
    ]);
    assert.equal(delivered.length, 1);
  });

  test("a refused message may be sent again under its key", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const signal = delivery(row.id, { message: message(row.id), dedup: DEDUP });
    const { items } = await world.commit(signal, first(row), signal);
    assert.deepEqual(
      items.map(({ status }) => status),
      ["refused", "applied", "applied"],
    );
  });

  test("expired keys are removed, at most as many as asked for", async (t) => {
    const world = await openWorld(t, make);
    for (const n of [1, 2, 3, 4]) {
      const dedup = { scope: `s${n}`, print: "p", expiresAt: BEGIN_MS + n };
      await world.start({ dedup });
    }
    assert.equal(await world.store.expire(BEGIN_MS + 4, 2), 2);
    assert.equal(await world.store.expire(BEGIN_MS + 4, 2), 1);
    assert.equal(await world.store.expire(BEGIN_MS + 4, 2), 0);
    assert.equal((await world.store.findDedup("s4"))?.print, "p");
  });
}
