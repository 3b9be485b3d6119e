import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitItem } from "@claw/core/ports";
import type { PlaceMaker } from "./place.ts";
import { delivery, finish, first, openWorld, published, step, transition, wait } from "./world.ts";

/** Items that contradict what the store holds. */
export function provePoison(make: PlaceMaker): void {
  test("a bad item is refused alone: the others of its batch are written, in order", async (t) => {
    const world = await openWorld(t, make);
    const [a, b] = [await world.start(), await world.start()];
    await world.commit(transition(a, step(a, 1)));
    const waiting = await world.startResting();
    const stranded = { due: null, waits: 0, inboxSeen: 0 };
    const child = world.row();
    const bad: CommitItem[] = [
      // Its entry exists already.
      transition(a, step(a, 1)),
      // Nothing would wake it; all that came with it must go.
      transition(b, {
        ...step(b, 1),
        starts: [{ row: child, due: 0 }],
        messages: [delivery(waiting.id).message],
        events: [published(world.nowMs, "e1", {})],
        park: stranded,
      }),
      // It exists already.
      first(a),
      // There is no such run.
      transition(world.row(), { finish: finish(world.row()) }),
      transition(world.row(), { hold: { kind: "bug", reason: "x" } }),
    ];
    const good = world.row();
    const { items, delivered, started } = await world.commit(
      delivery(waiting.id),
      ...bad,
      first(good),
      delivery(waiting.id),
      transition(b, step(b, 1)),
    );
    assert.deepEqual(
      items.map((item) => (item.status === "refused" ? item.why : item.status)),
      ["applied", ...bad.map(() => "poison"), "applied", "applied", "applied"],
    );
    assert.deepEqual(
      delivered.map(({ seq }) => seq),
      [1, 2],
    );
    assert.deepEqual(started, []);
    assert.equal(await world.load(child.id), undefined);
    assert.equal((await world.load(a.id))?.journal.length, 1);
    assert.equal((await world.load(b.id))?.journal.length, 1);
    assert.equal((await world.load(good.id))?.row.due, 0);
    assert.equal((await world.commit(world.publication("e1", {}))).items[0]?.status, "applied");
    assert.deepEqual(await world.store.check(), []);
  });

  test("what was new in a batch with a bad item is known afterwards: first subscriptions get their event", async (t) => {
    const world = await openWorld(t, make);
    const [one, two] = [world.row(), world.row()];
    const rest = { waits: [wait("w", { order: 1 })], park: { due: null, waits: 1, inboxSeen: 0 } };
    const { items } = await world.commit(first(one, rest), first(two, rest), first(two));
    assert.deepEqual(
      items.map(({ status }) => status),
      ["applied", "applied", "refused"],
    );
    const { delivered } = await world.commit(world.publication("e1", { order: 1 }));
    assert.deepEqual(
      delivered.map(({ to }) => to),
      [one.id, two.id],
    );
  });

  test("what was new in a bad item is not known afterwards", async (t) => {
    const world = await openWorld(t, make);
    const bad = await world.start();
    const waits = [wait("a", { order: 1 }), wait("b", { order: 1 })];
    const stranded = { due: null, waits: 0, inboxSeen: 0 };
    await world.commit(transition(bad, { waits, park: stranded }));
    const row = await world.start({ waits, park: { due: null, waits: 2, inboxSeen: 0 } });
    await world.restart();
    const { delivered } = await world.commit(world.publication("e1", { order: 1 }));
    assert.deepEqual(
      delivered.map(({ to }) => to),
      [row.id, row.id],
    );
  });

  test("the refusal says what is wrong", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const { items } = await world.commit(
      transition(row, { park: { due: null, waits: 0, inboxSeen: 0 } }),
    );
    const [item] = items;
    assert.match(item?.status === "refused" ? item.detail : "", /strand/);
  });

  test("a run that ended cannot end again, and goes on in no other way", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(transition(row, { finish: finish(row) }));
    const { items } = await world.commit(
      transition(row, { finish: finish(row) }),
      transition(row, { park: { due: 5, waits: 0, inboxSeen: 0 } }),
    );
    assert.deepEqual(
      items.map((item) => item.status === "refused" && item.why),
      ["poison", "poison"],
    );
    assert.equal((await world.store.find(row.id))?.status, "completed");
  });
}
