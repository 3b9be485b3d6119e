import assert from "node:assert/strict";
import { test } from "node:test";
import { limits, type Message } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { delivery, finish, message, openWorld, transition } from "./world.ts";

/** Messages of clients to runs. */
export function proveInbox(make: PlaceMaker): void {
  test("messages are numbered from 1 in the order of the batch and reported", async (t) => {
    const world = await openWorld(t, make);
    const [a, b] = [await world.start(), await world.start()];
    const { items, delivered } = await world.commit(
      delivery(a.id),
      delivery(b.id),
      delivery(a.id, { message: message(a.id, { kind: "cancel", name: "", data: '"why"' }) }),
    );
    assert.deepEqual(new Set(items.map(({ status }) => status)), new Set(["applied"]));
    assert.deepEqual(delivered, [
      { ...message(a.id), seq: 1 },
      { ...message(b.id), seq: 1 },
      { ...message(a.id, { kind: "cancel", name: "", data: '"why"' }), seq: 2 },
    ]);
    assert.deepEqual((await world.load(a.id))?.inbox, [delivered[0], delivered[2]]);
  });

  test("a message makes a resting run due at once and leaves an active one alone", async (t) => {
    const world = await openWorld(t, make);
    const active = await world.start();
    const resting = await world.startResting();
    const sleeping = await world.start({
      park: { due: world.nowMs + 9_000, waits: 0, inboxSeen: 0 },
    });
    await world.commit(...[active, resting, sleeping].map(({ id }) => delivery(id)));
    assert.deepEqual(await world.due(), [resting.id, sleeping.id]);
    assert.equal((await world.load(active.id))?.row.due, 0);
  });

  test("of the requests of runs to cancel another one lies in its inbox, however often they are sent", async (t) => {
    const world = await openWorld(t, make);
    const [parent, child] = [await world.start(), await world.start()];
    const ask = (from: string): Message =>
      message(child.id, { kind: "cancel", name: "", from, data: '"gone"' });
    const first = await world.commit(
      transition(parent, { messages: [ask(parent.id), ask(parent.id)] }),
    );
    assert.equal(first.delivered.length, 1);
    const again = await world.commit(transition(parent, { messages: [ask(parent.id)] }));
    assert.deepEqual(again.delivered, []);
    assert.equal((await world.load(child.id))?.row.inboxSeq, 1);
    // A client is heard each time: the first request may have met nobody.
    const client = await world.commit(delivery(child.id, { message: ask("") }));
    assert.equal(client.delivered.length, 1);
    await world.commit(transition(child, { acks: [1, 2] }));
    const later = await world.commit(transition(parent, { messages: [ask(parent.id)] }));
    assert.equal(later.delivered[0]?.seq, 3);
  });

  test("numbers go on after messages were taken", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(delivery(row.id), delivery(row.id));
    await world.commit(transition(row, { acks: [2, 1] }));
    const { delivered } = await world.commit(delivery(row.id));
    assert.equal(delivered[0]?.seq, 3);
    assert.deepEqual((await world.load(row.id))?.inbox, delivered);
    assert.equal((await world.load(row.id))?.row.inboxSeq, 3);
  });

  test("a message to an unknown or a closed run is refused", async (t) => {
    const world = await openWorld(t, make);
    const closed = await world.start();
    await world.commit(transition(closed, { finish: finish(closed) }));
    const unknown = world.id();
    const { items } = await world.commit(delivery(unknown), delivery(closed.id));
    assert.deepEqual(items, [
      { status: "refused", why: "unknown", detail: unknown },
      { status: "refused", why: "closed", detail: closed.id },
    ]);
  });

  test("later items see earlier ones: a run started in this batch takes messages, one ended in it does not", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const { items } = await world.commit(
      delivery(row.id),
      transition(row, { start: row }),
      delivery(row.id),
      transition(row, { finish: finish(row) }),
      delivery(row.id),
    );
    assert.deepEqual(
      items.map((item) => (item.status === "refused" ? item.why : item.status)),
      ["unknown", "applied", "applied", "applied", "closed"],
    );
  });

  test("a full inbox refuses clients until messages are taken, and still takes one cancel", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const parent = await world.start();
    const fill = Array.from({ length: limits.INBOX_ROWS_MAX }, () => delivery(row.id));
    const filled = await world.commit(...fill);
    assert.equal(filled.delivered.length, limits.INBOX_ROWS_MAX);
    const cancel = delivery(row.id, { message: message(row.id, { kind: "cancel" }) });
    const { items } = await world.commit(
      delivery(row.id),
      cancel,
      cancel,
      transition(parent, { messages: [message(row.id, { kind: "child" })] }),
    );
    const full = { status: "refused", why: "full", detail: row.id };
    const applied = { status: "applied", parked: false };
    assert.deepEqual(items, [full, applied, full, applied]);
    assert.equal((await world.place.countRows()).inbox, limits.INBOX_ROWS_MAX + 2);
    await world.commit(transition(row, { acks: [1, 2, 3] }));
    assert.deepEqual((await world.commit(delivery(row.id))).items, [applied]);
  });
}
