import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventNote } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { finish, first, openWorld, published, type StoreWorld, transition, wait } from "./world.ts";

const RESTING = { due: null, waits: 1, inboxSeen: 0 };

async function inboxOf(world: StoreWorld, id: string): Promise<readonly string[]> {
  const stored = await world.load(id);
  return (stored?.inbox ?? []).map(({ kind, name, data }) => {
    const note = JSON.parse(data) as EventNote;
    return `${kind} ${name} ${note.number} ${note.event.id}`;
  });
}

/** Events, subscriptions and triggers. */
export function proveEvents(make: PlaceMaker): void {
  test("an event wakes every run that waits for its values, once", async (t) => {
    const world = await openWorld(t, make);
    const a = await world.start({ waits: [wait("w", { order: 1 })], park: RESTING });
    const b = await world.start({ waits: [wait("v", { order: 1 })], park: RESTING });
    const c = await world.start({ waits: [wait("w", { order: 2 })], park: RESTING });
    assert.deepEqual((await world.load(a.id))?.waits, ["w"]);
    const { items, delivered } = await world.commit(world.publication("e1", { order: 1 }));
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    assert.deepEqual(
      delivered.map(({ to, kind, name, from, seq }) => [to, kind, name, from, seq]),
      [
        [a.id, "event", "w", "", 1],
        [b.id, "event", "v", "", 1],
      ],
    );
    assert.deepEqual(await world.due(), [a.id, b.id]);
    assert.deepEqual((await world.load(a.id))?.waits, []);
    assert.equal((await world.place.countRows()).waits, 1);
    await world.commit(world.publication("e2", { order: 1 }));
    assert.deepEqual(await inboxOf(world, a.id), ["event w 1 e1"]);
    assert.deepEqual(await inboxOf(world, c.id), []);
  });

  test("the note of an event has its number, attributes and data", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start({ waits: [wait("w", { order: 1 })], park: RESTING });
    const { namespace, event } = published(world.nowMs - 5, "e1", { order: 1, sum: [2] });
    const full = { ...event, subject: "order/1" };
    await world.commit({ type: "publication", namespace, event: full, starts: [] });
    const [message] = (await world.load(row.id))?.inbox ?? [];
    assert.deepEqual(JSON.parse(message?.data ?? ""), {
      number: 1,
      event: { ...full, data: { order: 1, sum: [2] } },
    });
  });

  test("an event with a known namespace, source and id is a duplicate and does nothing", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(world.publication("e1", { order: 1 }));
    const row = await world.start({
      waits: [wait("w", { order: 1 }, { after: 1 })],
      park: RESTING,
    });
    const triggered = world.row();
    const again = world.publication("e1", { order: 1 }, { starts: [{ row: triggered, due: 0 }] });
    const { items, delivered, started } = await world.commit(again);
    assert.deepEqual(items, [{ status: "duplicate", run: "", same: true }]);
    assert.deepEqual([delivered, started], [[], []]);
    assert.equal(await world.load(triggered.id), undefined);
    assert.deepEqual(await inboxOf(world, row.id), []);
    const elsewhere = world.publication("e1", { order: 1 }, { namespace: "other" });
    assert.equal((await world.commit(elsewhere)).items[0]?.status, "applied");
  });

  test("an event starts the runs of its triggers and reports those that run at once", async (t) => {
    const world = await openWorld(t, make);
    const [now, later] = [world.row({ cause: "event /shop e1" }), world.row()];
    const starts = [
      { row: now, due: 0 as const },
      { row: later, due: 1 as const },
    ];
    const { started } = await world.commit(world.publication("e1", {}, { starts }));
    assert.deepEqual(started, [now]);
    assert.deepEqual(await world.due(), [later.id]);
  });

  test("a run's own event reaches others in its transition; a duplicate of it does not undo the rest", async (t) => {
    const world = await openWorld(t, make);
    const waiting = await world.start({ waits: [wait("w", { order: 1 })], park: RESTING });
    const row = await world.start();
    const events = [published(world.nowMs, "e1", { order: 1 })];
    const { delivered } = await world.commit(transition(row, { events }));
    assert.deepEqual(
      delivered.map(({ to }) => to),
      [waiting.id],
    );
    const { items } = await world.commit(transition(row, { events, finish: finish(row) }));
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    assert.equal((await world.store.find(row.id))?.status, "completed");
  });

  test("a subscription looks back: an event before it is delivered at once and refuses the parking", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(
      world.publication("e1", { order: 1 }),
      world.publication("e2", { order: 1 }),
    );
    const row = world.row();
    const { items, delivered } = await world.commit(
      first(row, { waits: [wait("w", { order: 1 })], park: RESTING }),
    );
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    assert.deepEqual(
      delivered.map(({ to, name }) => [to, name]),
      [[row.id, "w"]],
    );
    assert.deepEqual(await inboxOf(world, row.id), ["event w 1 e1"]);
    const stored = await world.load(row.id);
    assert.deepEqual([stored?.waits, stored?.row.due], [[], 0]);
  });

  test("looking back also refuses the parking of a run that is not new", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(world.publication("e1", { order: 1 }));
    const row = await world.start();
    const subscribed = { waits: [wait("w", { order: 1 })], park: RESTING };
    const { items } = await world.commit(transition(row, subscribed));
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    assert.deepEqual(await inboxOf(world, row.id), ["event w 1 e1"]);
  });

  test("looking back passes over events up to `after` and those logged before `since`", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(world.publication("e1", { order: 1 }));
    world.nowMs += 10;
    await world.commit(
      world.publication("e2", { order: 1 }),
      world.publication("e3", { order: 1 }),
    );
    const since = await world.start({
      waits: [wait("w", { order: 1 }, { since: world.nowMs })],
    });
    const after = await world.start({ waits: [wait("w", { order: 1 }, { after: 2 })] });
    const none = await world.start({ waits: [wait("w", { order: 1 }, { after: 3 })] });
    assert.deepEqual(await inboxOf(world, since.id), ["event w 2 e2"]);
    assert.deepEqual(await inboxOf(world, after.id), ["event w 3 e3"]);
    assert.deepEqual((await world.load(none.id))?.waits, ["w"]);
  });

  test("an event that is published after a run began is found, though the clock went back in between, also over a restart", async (t) => {
    for (const restarts of [false, true]) {
      const world = await openWorld(t, make);
      const row = await world.start({ park: null });
      world.nowMs -= 3_600_000;
      if (restarts) await world.restart();
      await world.commit(world.publication("e1", { order: 1 }));
      await world.commit(
        transition(row, { waits: [wait("w", { order: 1 }, { since: row.startedAt })] }),
      );
      assert.deepEqual(await inboxOf(world, row.id), ["event w 1 e1"]);
    }
  });

  test("what counts for looking back is when the event was logged, not when it happened", async (t) => {
    const world = await openWorld(t, make);
    const old = published(world.nowMs - 1_000_000, "e1", { order: 1 });
    await world.commit({ type: "publication", ...old });
    const row = await world.start({ waits: [wait("w", { order: 1 }, { since: world.nowMs })] });
    assert.deepEqual(await inboxOf(world, row.id), ["event w 1 e1"]);
  });

  test("events that came before the first subscription of their shape are found by it", async (t) => {
    const world = await openWorld(t, make);
    await world.commit(
      world.publication("e1", { order: 1, from: "de" }),
      world.publication("e2", { order: 2, from: "fr" }),
      world.publication("e3", { order: 3 }),
    );
    const any = await world.start({ waits: [wait("any", {})] });
    const nested = await world.start({ waits: [wait("both", { from: "fr", order: 2 })] });
    const missing = await world.start({ waits: [wait("none", { "from.city": "x" })] });
    assert.deepEqual(await inboxOf(world, any.id), ["event any 1 e1"]);
    assert.deepEqual(await inboxOf(world, nested.id), ["event both 2 e2"]);
    assert.deepEqual(await inboxOf(world, missing.id), []);
  });

  test("shapes are known again after a restart", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start({ waits: [wait("w", { order: 1 })], park: RESTING });
    await world.restart();
    await world.commit(world.publication("e1", { order: 1 }));
    assert.deepEqual(await inboxOf(world, row.id), ["event w 1 e1"]);
  });

  test("an event wakes subscriptions of every shape, and both calls of one run", async (t) => {
    const world = await openWorld(t, make);
    const waits = [wait("b", { order: 1 }), wait("a", { order: 1 }), wait("any", {})];
    const row = await world.start({ waits, park: { ...RESTING, waits: 3 } });
    const { delivered } = await world.commit(world.publication("e1", { order: 1 }));
    assert.deepEqual(
      delivered.map(({ name, seq }) => [name, seq]),
      [
        ["any", 1],
        ["a", 2],
        ["b", 3],
      ],
    );
    assert.equal((await world.load(row.id))?.waits.length, 0);
  });

  test("an ended subscription gets nothing", async (t) => {
    const world = await openWorld(t, make);
    const waits = [wait("w", { order: 1 }), wait("v", { order: 1 })];
    const row = await world.start({ waits, park: { ...RESTING, waits: 2 } });
    await world.commit(transition(row, { unwaits: ["w"] }));
    assert.deepEqual((await world.load(row.id))?.waits, ["v"]);
    await world.commit(transition(row, { finish: finish(row) }));
    assert.equal((await world.place.countRows()).waits, 0);
    const { delivered } = await world.commit(world.publication("e1", { order: 1 }));
    assert.deepEqual(delivered, []);
  });

  test("events of another namespace or type wake nobody", async (t) => {
    const world = await openWorld(t, make);
    await world.start({ waits: [wait("w", { order: 1 })], park: RESTING });
    const { event, starts } = published(world.nowMs, "e1", { order: 1 });
    const { delivered } = await world.commit(
      { type: "publication", namespace: "other", event, starts },
      { type: "publication", namespace: "default", event: { ...event, type: "sent" }, starts },
    );
    assert.deepEqual(delivered, []);
  });

  test("an event without data wakes those who want no values", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start({ waits: [wait("w", {})], park: RESTING });
    const { event } = published(world.nowMs, "e1", 0);
    const bare = { ...event, data: "" };
    await world.commit({ type: "publication", namespace: "default", event: bare, starts: [] });
    assert.deepEqual(await inboxOf(world, row.id), ["event w 1 e1"]);
  });
}
