import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceMaker } from "./place.ts";
import { finish, openWorld, transition } from "./world.ts";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 a=1";

/** Traces that come with the start of runs. */
export function proveTraces(make: PlaceMaker): void {
  test("a trace that came with a start is kept with the run, open and closed, and no other has one", async (t) => {
    const world = await openWorld(t, make);
    const plain = await world.start();
    const row = await world.start({}, world.row({ trace: TRACE }));
    const child = world.row({ parentRun: row.id, parentCall: "c", cause: row.id, trace: TRACE });
    await world.commit(transition(row, { starts: [{ row: child, due: 0 }] }));
    await world.restart();
    assert.equal((await world.load(row.id))?.row.trace, TRACE);
    assert.equal((await world.load(child.id))?.row.trace, TRACE);
    assert.equal(Object.hasOwn((await world.load(plain.id))?.row ?? {}, "trace"), false);
    assert.equal((await world.store.find(plain.id))?.trace, undefined);
    await world.commit(transition(child, { finish: finish(child) }));
    const found = await world.store.find(child.id);
    assert.deepEqual([found?.trace, found?.parentCall], [TRACE, "c"]);
  });

  test("a run that ends in its first transition has its trace as well", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row({ trace: TRACE });
    await world.commit(transition(row, { start: row, finish: finish(row) }));
    assert.equal((await world.store.find(row.id))?.trace, TRACE);
    assert.deepEqual(await world.store.check(), []);
  });
}
