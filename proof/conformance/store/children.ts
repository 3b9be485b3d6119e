import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceMaker } from "./place.ts";
import { finish, first, message, openWorld, transition } from "./world.ts";

/** Runs that other runs start, and what runs tell each other. */
export function proveChildren(make: PlaceMaker): void {
  test("a child that the process runs at once is reported as started, one that waits is due", async (t) => {
    const world = await openWorld(t, make);
    const parent = await world.start();
    const now = world.row({ parentRun: parent.id, parentCall: "a" });
    const later = world.row({ parentRun: parent.id, parentCall: "b" });
    const { started } = await world.commit(
      transition(parent, {
        starts: [
          { row: now, due: 0 },
          { row: later, due: 1 },
        ],
      }),
    );
    assert.deepEqual(started, [now]);
    assert.deepEqual(await world.due(), [later.id]);
    assert.equal((await world.load(now.id))?.row.parentCall, "a");
  });

  test("a repeated start of an id that is open or closed changes nothing and is not reported", async (t) => {
    const world = await openWorld(t, make);
    const parent = await world.start();
    const open = await world.start({ park: { due: null, waits: 3, inboxSeen: 0 } });
    const closed = await world.start();
    await world.commit(transition(closed, { finish: finish(closed) }));
    const { items, started } = await world.commit(
      transition(parent, {
        starts: [
          { row: { ...open, input: "other" }, due: 0 },
          { row: closed, due: 0 },
        ],
      }),
    );
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    assert.deepEqual(started, []);
    const stored = await world.load(open.id);
    assert.deepEqual([stored?.row.input, stored?.row.waits], ["1", 3]);
    assert.equal(await world.load(closed.id), undefined);
  });

  test("a finishing child tells its resting parent, which is due at once", async (t) => {
    const world = await openWorld(t, make);
    const parent = await world.startResting();
    const child = await world.start({}, world.row({ parentRun: parent.id, parentCall: "pay" }));
    const told = message(parent.id, {
      kind: "child",
      name: "pay",
      from: child.id,
      data: '{"x":1}',
    });
    const end = transition(child, { messages: [told], finish: finish(child) });
    const { delivered } = await world.commit(end);
    assert.deepEqual(delivered, [{ ...told, seq: 1 }]);
    assert.deepEqual(await world.due(), [parent.id]);
    assert.deepEqual((await world.load(parent.id))?.inbox, [{ ...told, seq: 1 }]);
  });

  test("a child created and told in one transition has its message", async (t) => {
    const world = await openWorld(t, make);
    const child = world.row();
    const parent = world.row();
    const cancel = message(child.id, { kind: "cancel", name: "", from: parent.id });
    await world.commit(first(parent, { starts: [{ row: child, due: 0 }], messages: [cancel] }));
    assert.deepEqual((await world.load(child.id))?.inbox, [{ ...cancel, seq: 1 }]);
  });

  test("messages of a transition to closed and unknown runs are dropped in silence", async (t) => {
    const world = await openWorld(t, make);
    const closed = await world.start();
    await world.commit(transition(closed, { finish: finish(closed) }));
    const row = await world.start();
    const { items, delivered } = await world.commit(
      transition(row, { messages: [message(closed.id), message(world.id())] }),
    );
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    assert.deepEqual(delivered, []);
    assert.equal((await world.place.countRows()).inbox, 0);
  });

  test("what an ending run tells itself is dropped", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const { delivered } = await world.commit(
      transition(row, { messages: [message(row.id)], finish: finish(row) }),
    );
    assert.deepEqual(delivered, []);
    assert.equal((await world.place.countRows()).inbox, 0);
  });

  test("a run that tells itself something as it parks stays active", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const park = { due: null, waits: 1, inboxSeen: 0 };
    const { items } = await world.commit(first(row, { messages: [message(row.id)], park }));
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    assert.equal((await world.load(row.id))?.row.due, 0);
  });
}
