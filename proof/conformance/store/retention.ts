import assert from "node:assert/strict";
import { test } from "node:test";
import type { SweepOrder } from "@claw/core/ports";
import type { StartRow } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { BEGIN_MS, finish, openWorld, step, type StoreWorld, transition, wait } from "./world.ts";

const FAR_MS = BEGIN_MS + 1_000_000;

function order(fields: Partial<SweepOrder> = {}): SweepOrder {
  return {
    namespace: "default",
    endedBefore: { completed: FAR_MS, failed: FAR_MS },
    loggedBefore: FAR_MS,
    from: { run: "", event: 0 },
    limit: 100,
    dryRun: false,
    ...fields,
  };
}

async function closedRun(
  world: StoreWorld,
  fields: Partial<StartRow> = {},
  loose = false,
): Promise<StartRow> {
  const row = await world.start({}, world.row(fields));
  const journal = loose ? null : step(row, 1).entries;
  await world.commit(transition(row, { ...step(row, 1), finish: finish(row, { journal }) }));
  return row;
}

/** What is removed, and what stays. */
export function proveRetention(make: PlaceMaker): void {
  test("a sweep removes closed runs with all their rows, and a dry run tells the same", async (t) => {
    const world = await openWorld(t, make);
    const rows = [await closedRun(world), await closedRun(world, {}, true)];
    const dry = await world.store.sweep(order({ dryRun: true }));
    assert.equal((await world.place.countRows()).closed, 2);
    const swept = await world.store.sweep(order());
    assert.deepEqual(swept, dry);
    assert.deepEqual(swept.runs, { completed: 2 });
    for (const { id } of rows) assert.equal(await world.store.find(id), null);
    const { closed, journal } = await world.place.countRows();
    assert.deepEqual({ closed, journal }, { closed: 0, journal: 0 });
    assert.deepEqual(await world.store.check(), []);
  });

  test("a sweep never touches an open run, its parent or its children", async (t) => {
    const world = await openWorld(t, make);
    const open = await world.startResting();
    const held = await world.start({ hold: { kind: "bug", reason: "r" } });
    const child = await closedRun(world, { parentRun: open.id, parentCall: "c" });
    const parent = await closedRun(world);
    const living = world.row({ parentRun: parent.id, parentCall: "c" });
    await world.commit(transition(open, { starts: [{ row: living, due: 1 }] }));
    const before = await world.store.load([open.id, held.id, living.id]);
    assert.deepEqual((await world.store.sweep(order())).runs, {});
    for (const { id } of [child, parent]) assert.notEqual(await world.store.find(id), null);
    assert.deepEqual(await world.store.load([open.id, held.id, living.id]), before);
    assert.deepEqual(await world.store.check(), []);
  });

  test("what ended too late, in another way or in another namespace stays", async (t) => {
    const world = await openWorld(t, make);
    const row = await closedRun(world);
    const other = await closedRun(world, { namespace: "other" });
    const endedAt = row.startedAt + 1_000;
    await world.store.sweep(order({ endedBefore: { completed: endedAt, failed: FAR_MS } }));
    assert.notEqual(await world.store.find(row.id), null);
    await world.store.sweep(order({ endedBefore: { completed: endedAt + 1 } }));
    assert.equal(await world.store.find(row.id), null);
    assert.notEqual(await world.store.find(other.id), null);
  });

  test("a sweep looks at no more than it was asked to, and goes on where it stopped", async (t) => {
    const world = await openWorld(t, make);
    for (let n = 0; n < 5; n++) await closedRun(world);
    for (let n = 0; n < 5; n++) await world.commit(world.publication(`e${n}`, { order: n }));
    let from: SweepOrder["from"] = { run: "", event: 0 };
    const counts: (number | undefined)[][] = [];
    while (from.run !== null || from.event !== null) {
      const swept = await world.store.sweep(order({ from, limit: 2 }));
      counts.push([swept.runs.completed, swept.events]);
      from = swept.next;
    }
    assert.deepEqual(counts, [
      [2, 2],
      [2, 2],
      [1, 0],
    ]);
  });

  test("events go unless an open run could look back to them, and numbers go on", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(world.publication("old", { order: 1 }));
    world.nowMs += 10;
    const run = await world.startResting({ waits: [wait("a", { order: 9 })] });
    await world.commit(world.publication("new", { order: 1 }));
    await world.commit(world.publication("last", { order: 2 }));
    assert.equal((await world.store.sweep(order())).events, 1);
    assert.equal((await world.store.sweep(order())).events, 0);
    const look = { since: 0 };
    const found = await world.commit(transition(run, { waits: [wait("b", { order: 1 }, look)] }));
    assert.match(found.delivered[0]?.data ?? "", /"id":"new"/);
    const again = await world.commit(world.publication("old", { order: 9 }));
    assert.match(again.delivered[0]?.data ?? "", /"number":4,.*"id":"old"/);
    await world.commit(transition(run, { finish: finish(run) }));
    assert.equal((await world.store.sweep(order())).events, 2);
    assert.equal((await world.store.sweep(order())).events, 0);
    assert.deepEqual(await world.store.check(), []);
    await world.restart();
    const next = await world.startResting({ waits: [wait("a", { order: 5 })] });
    const { delivered } = await world.commit(world.publication("e", { order: 5 }));
    assert.equal(delivered[0]?.to, next.id);
    assert.match(delivered[0]?.data ?? "", /"number":5,/);
  });
}
