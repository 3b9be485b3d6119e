import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { delivery, openWorld, step, transition } from "./world.ts";

/** Pause, release, and the blame of runs that end their process. */
export function proveOperations(make: PlaceMaker): void {
  test("a paused run is not due, keeps its messages, and is due at once when it is released", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.startResting();
    const { items } = await world.commit({ type: "pause", run: row.id, reason: "look" });
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    await world.commit(delivery(row.id));
    assert.deepEqual(await world.due(), []);
    assert.deepEqual(await world.store.held(["paused"], 10), [row.id]);
    const [line] = await world.store.list({ status: "paused", limit: 10 });
    assert.deepEqual([line?.id, line?.status, line?.reason], [row.id, "paused", "look"]);
    await world.commit({ type: "release", run: row.id, from: ["paused"] });
    assert.deepEqual(await world.due(), [row.id]);
    assert.equal((await world.load(row.id))?.inbox.length, 1);
    assert.deepEqual(await world.store.check(), []);
  });

  test("pause and release are refused in other states, with the hold that stands in the way", async (t) => {
    const world = await openWorld(t, make);
    const held = await world.start({ hold: { kind: "bug", reason: "x" } });
    const open = await world.start();
    const answer = await world.commit(
      { type: "pause", run: held.id, reason: "" },
      { type: "release", run: held.id, from: ["paused"] },
      { type: "release", run: open.id, from: ["paused"] },
      { type: "pause", run: "run_none", reason: "" },
    );
    assert.deepEqual(answer.items, [
      { status: "refused", why: "state", detail: "bug" },
      { status: "refused", why: "state", detail: "bug" },
      { status: "refused", why: "state", detail: "" },
      { status: "refused", why: "unknown", detail: "run_none" },
    ]);
    assert.equal((await world.load(held.id))?.row.heldReason, "x");
  });

  test("a run in memory that is paused can still store what was under way, and ends so", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit({ type: "pause", run: row.id, reason: "" });
    await world.commit(transition(row, step(row, 1)));
    const stored = await world.load(row.id);
    assert.deepEqual([stored?.row.held, stored?.journal.length], ["paused", 1]);
  });

  test("a paused run stays paused, whatever holds it besides: what is stored of it tells that when it is resumed", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit({ type: "pause", run: row.id, reason: "look" });
    const hold = { kind: "bug", reason: "x" } as const;
    const { items } = await world.commit(transition(row, { ...step(row, 1), hold }));
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    const stored = await world.load(row.id);
    const { held, heldReason, due, seq } = stored?.row ?? {};
    assert.deepEqual([held, heldReason, due, seq], ["paused", "look", null, 1]);
    await world.commit({ type: "release", run: row.id, from: ["paused"] });
    assert.deepEqual(await world.due(), [row.id]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a store that was closed blames nobody, and says so", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.restart();
    assert.equal((await world.load(row.id))?.row.recoveries, 0);
    assert.ok(world.info?.afterCrash !== true);
  });

  test("an owner that opens its own store again blames nobody", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    for (let life = 0; life <= limits.RECOVERIES_MAX + 1; life++) await world.open();
    assert.deepEqual(await world.due(), [row.id]);
    assert.equal((await world.load(row.id))?.row.recoveries, 0);
  });

  test("a run that is taken is held by this process; held and unknown ones stay as they are", async (t) => {
    const world = await openWorld(t, make);
    const resting = await world.startResting();
    const held = await world.start({ hold: { kind: "bug", reason: "x" } });
    await world.commit({ type: "take", runs: [resting.id, held.id, "run_none"] });
    assert.equal((await world.load(resting.id))?.row.due, 0);
    assert.equal((await world.load(held.id))?.row.due, null);
    await world.commit({ type: "clear", run: resting.id }, { type: "clear", run: "run_none" });
    assert.deepEqual(await world.store.suspects(10), []);
  });
}
