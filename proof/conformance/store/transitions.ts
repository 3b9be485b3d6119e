import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceMaker } from "./place.ts";
import { delivery, entry, finish, first, openWorld, recording, step, transition } from "./world.ts";

const ONLY_CLOSED = { runs: 0, journal: 0, inbox: 0, waits: 0, closed: 1 };

/** Runs, their journals, parking, holding and ending. */
export function proveTransitions(make: PlaceMaker): void {
  test("a started run is loaded with its row as it was given", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row({ parentCall: "x", cause: "event /shop 1", input: '{"a":[1,"ü"]}' });
    const { items } = await world.commit(first(row));
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    const stored = await world.load(row.id);
    assert.deepEqual(stored === undefined ? null : { ...stored, journal: [...stored.journal] }, {
      row: {
        ...row,
        seq: 0,
        inboxSeq: 0,
        due: 0,
        waits: 0,
        phase: "",
        recoveries: 0,
        held: "",
        heldReason: "",
      },
      journal: [],
      journalText: "",
      inbox: [],
      waits: [],
    });
  });

  test("entries of several transitions are loaded in order, as text and decoded", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const one = recording(row, [entry(row, 1), entry(row, 2)]);
    const two = recording(row, [entry(row, 3, { data: "", attempt: 4, call: "sc[a]/b#2" })]);
    await world.commit(transition(row, one));
    await world.commit(transition(row, two));
    const stored = await world.load(row.id);
    assert.equal(stored?.journalText, one.entries + two.entries);
    assert.deepEqual(
      [...(stored?.journal ?? [])],
      [entry(row, 1), entry(row, 2), entry(row, 3, { data: "", attempt: 4, call: "sc[a]/b#2" })],
    );
  });

  test("a transition of an active run leaves its row alone", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(transition(row, step(row, 1)));
    assert.equal((await world.load(row.id))?.row.due, 0);
    assert.deepEqual(await world.due(), []);
  });

  test("a parked run is due when it said, and not before", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const park = { due: world.nowMs + 500, waits: 0, inboxSeen: 0 };
    const { items } = await world.commit(transition(row, { ...step(row, 1), park }));
    assert.deepEqual(items, [{ status: "applied", parked: true }]);
    assert.equal((await world.load(row.id))?.row.seq, 1);
    assert.deepEqual(await world.due(), []);
    assert.equal(await world.store.nextDue(world.nowMs), world.nowMs + 500);
    world.nowMs += 500;
    assert.deepEqual(await world.due(), [row.id]);
    assert.equal(await world.store.nextDue(world.nowMs), null);
  });

  test("a run that parks in its first transition is stored at rest", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const park = { due: null, waits: 2, inboxSeen: 0 };
    const { items } = await world.commit(first(row, { ...step(row, 1), park }));
    assert.deepEqual(items, [{ status: "applied", parked: true }]);
    const stored = await world.load(row.id);
    assert.deepEqual([stored?.row.due, stored?.row.waits, stored?.row.seq], [null, 2, 1]);
  });

  test("a message that came in between refuses the parking, and the rest is written", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(delivery(row.id));
    const park = { due: null, waits: 1, inboxSeen: 0 };
    const { items } = await world.commit(transition(row, { ...step(row, 1), park }));
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    const stored = await world.load(row.id);
    assert.equal(stored?.journal.length, 1);
    assert.deepEqual([stored?.row.due, stored?.row.inboxSeq], [0, 1]);
  });

  test("a message earlier in the same batch refuses the parking, a later one wakes the run", async (t) => {
    const world = await openWorld(t, make);
    const [early, late] = [await world.start(), await world.start()];
    const park = { due: null, waits: 1, inboxSeen: 0 };
    const { items } = await world.commit(
      delivery(early.id),
      transition(early, { park }),
      transition(late, { park }),
      delivery(late.id),
    );
    assert.deepEqual(
      items.map((item) => item.status === "applied" && item.parked),
      [false, false, true, false],
    );
    assert.deepEqual(await world.due(), [late.id]);
    assert.equal((await world.load(early.id))?.row.due, 0);
  });

  test("a parking that has seen the last message is accepted", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(delivery(row.id), delivery(row.id));
    const park = { due: null, waits: 1, inboxSeen: 2 };
    const { items } = await world.commit(transition(row, { park, acks: [1] }));
    assert.deepEqual(items, [{ status: "applied", parked: true }]);
    assert.deepEqual(
      (await world.load(row.id))?.inbox.map(({ seq }) => seq),
      [2],
    );
  });

  test("a run that was parked and goes on keeps its past due time until it parks again", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start({ park: { due: world.nowMs + 1, waits: 0, inboxSeen: 0 } });
    world.nowMs += 1;
    await world.commit(transition(row, step(row, 1)));
    assert.deepEqual(await world.due(), [row.id]);
    const park = { due: world.nowMs + 9, waits: 0, inboxSeen: 0 };
    await world.commit(transition(row, { ...step(row, 2), park }));
    assert.deepEqual(await world.due(), []);
  });

  test("a held run is not due, is found by its hold, and is due at once after its release", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const other = await world.start({ hold: { kind: "no_code", reason: "order 1" } });
    await world.commit(transition(row, { ...step(row, 1), hold: { kind: "bug", reason: "oops" } }));
    const stored = await world.load(row.id);
    assert.deepEqual(
      [stored?.row.held, stored?.row.heldReason, stored?.row.seq],
      ["bug", "oops", 1],
    );
    await world.commit(delivery(row.id));
    assert.deepEqual(await world.due(), []);
    assert.deepEqual(await world.store.held(["bug"], 10), [row.id]);
    assert.deepEqual(await world.store.held(["bug", "no_code"], 10), [row.id, other.id]);
    assert.deepEqual(await world.store.held(["bug", "no_code"], 1), [row.id]);
    assert.deepEqual(await world.store.held(["stuck"], 10), []);
    const { items } = await world.commit({ type: "release", run: row.id });
    assert.deepEqual(items, [{ status: "applied", parked: false }]);
    assert.deepEqual(await world.due(), [row.id]);
    const released = await world.load(row.id);
    assert.deepEqual([released?.row.held, released?.row.heldReason], ["", ""]);
  });

  test("the release of an unknown or closed run is refused, of one that is not held does nothing", async (t) => {
    const world = await openWorld(t, make);
    const closed = await world.start();
    await world.commit(transition(closed, { finish: finish(closed) }));
    const active = await world.start();
    const unknown = world.id();
    const { items } = await world.commit(
      { type: "release", run: unknown },
      { type: "release", run: closed.id },
      { type: "release", run: active.id },
    );
    assert.deepEqual(items, [
      { status: "refused", why: "unknown", detail: unknown },
      { status: "refused", why: "closed", detail: closed.id },
      { status: "applied", parked: false },
    ]);
    assert.equal((await world.load(active.id))?.row.due, 0);
  });

  test("a finished run leaves one closed row and nothing hot", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(transition(row, step(row, 1)), delivery(row.id));
    const last = step(row, 2);
    const journal = step(row, 1).entries + last.entries;
    await world.commit(transition(row, { ...last, finish: finish(row, { journal }) }));
    assert.deepEqual(await world.place.countRows(), ONLY_CLOSED);
    assert.deepEqual(await world.store.load([row.id]), []);
    assert.deepEqual(await world.store.find(row.id), {
      id: row.id,
      namespace: "default",
      workflow: "order",
      version: 1,
      status: "completed",
      startedAt: row.startedAt,
      endedAt: row.startedAt + 1_000,
      parentRun: "",
      cause: "",
      reason: "",
      attributes: {},
      input: "1",
      output: '"done"',
      error: null,
      abandoned: [],
      due: null,
      journal: [entry(row, 1), entry(row, 2)],
      parentCall: "",
    });
  });

  test("a failed run keeps its error and its abandoned calls", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const error = { name: "Error", message: "no stock", code: "OUT", details: { left: 0 } };
    const abandoned = ["wait", "b#2"];
    const ending = {
      status: "failed" as const,
      endedAt: row.startedAt,
      output: "",
      error,
      abandoned,
    };
    await world.commit(transition(row, { finish: finish(row, { ending }) }));
    const found = await world.store.find(row.id);
    assert.deepEqual(found?.error, error);
    assert.deepEqual(found?.abandoned, abandoned);
    assert.equal(found?.reason, "OUT: no stock");
  });

  test("a run whose first transition ends it is closed without ever being open", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const only = step(row, 1);
    await world.commit(first(row, { ...only, finish: finish(row, { journal: only.entries }) }));
    assert.equal((await world.place.countRows()).closed, 1);
    assert.equal((await world.place.countRows()).runs, 0);
    assert.equal((await world.store.find(row.id))?.journal.length, 1);
  });

  test("a journal that was too long to pack stays in its rows and is found", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(transition(row, step(row, 1)));
    const end = { ...step(row, 2), finish: finish(row, { journal: null }) };
    await world.commit(transition(row, end));
    assert.ok((await world.place.countRows()).journal > 0);
    assert.deepEqual((await world.store.find(row.id))?.journal, [entry(row, 1), entry(row, 2)]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("messages that the finishing run has not heard of go with it", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const unaware = finish(row, { hadInbox: false, hadWaits: false, hadJournal: false });
    await world.commit(delivery(row.id), transition(row, { finish: unaware }));
    assert.deepEqual(await world.place.countRows(), ONLY_CLOSED);
  });

  test("loading gives runs in the order asked for and leaves out unknown and closed ones", async (t) => {
    const world = await openWorld(t, make);
    const [a, b, c] = [await world.start(), await world.start(), await world.start()];
    await world.commit(transition(b, { finish: finish(b) }));
    const loaded = await world.store.load([c.id, world.id(), b.id, a.id]);
    assert.deepEqual(
      loaded.map(({ row }) => row.id),
      [c.id, a.id],
    );
  });

  test("what a caller changes in what it was given changes nothing in the store", async (t) => {
    const world = await openWorld(t, make);
    const row = { ...world.row() };
    await world.commit(first(row), delivery(row.id));
    row.input = "changed";
    const stored = await world.load(row.id);
    Object.assign(stored?.row ?? {}, { input: "changed" });
    Object.assign(stored?.inbox[0] ?? {}, { data: "changed" });
    const again = await world.load(row.id);
    assert.equal(again?.row.input, "1");
    assert.equal(again?.inbox[0]?.data, "1");
  });
}
