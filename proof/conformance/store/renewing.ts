import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeEntry, encodeGap, type StartRow } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { delivery, entry, finish, openWorld, step, transition } from "./world.ts";

function renewal(row: StartRow, generation: number, seq: number) {
  const began = entry(row, seq + 1, { kind: "w", call: "", data: JSON.stringify({ generation }) });
  return {
    generation,
    endedAt: row.startedAt + seq,
    input: String(generation + 1),
    journal: encodeGap(seq) + encodeEntry(began, row.startedAt),
    seq: seq + 1,
  };
}

/** Runs that go on as their next generation. */
export function proveRenewing(make: PlaceMaker): void {
  test("a renewed run keeps id and unread messages, its journal begins anew", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(delivery(row.id));
    await world.commit(transition(row, step(row, 1)));
    await world.commit(transition(row, { ...step(row, 2), rare: { renewal: renewal(row, 1, 2) } }));
    await world.commit(transition(row, step(row, 4)));
    await world.restart();
    const loaded = await world.load(row.id);
    assert.equal(loaded?.row.input, "2");
    assert.equal(loaded?.inbox.length, 1);
    assert.deepEqual(
      [...(loaded?.journal ?? [])].map(({ seq, kind }) => [seq, kind]),
      [
        [3, "w"],
        [4, "s"],
      ],
    );
    assert.deepEqual(await world.store.check(), []);
  });

  test("what a run puts back lies before what is unread, and is taken by its number", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    for (let at = 0; at < 3; at++) await world.commit(delivery(row.id));
    await world.commit(transition(row, { ...step(row, 1), acks: [2] }));
    const message = { to: row.id, kind: "signal", name: "word", from: "", call: "signal:word" };
    const inbox = [
      { ...message, kind: "signal" as const, seq: -1, data: '"a"' },
      { ...message, kind: "signal" as const, seq: 0, data: '"b"' },
    ];
    const renewed = { ...renewal(row, 1, 2), inbox };
    await world.commit(transition(row, { ...step(row, 2), acks: [3], rare: { renewal: renewed } }));
    await world.commit(delivery(row.id));
    await world.restart();
    const numbers = async (): Promise<readonly number[] | undefined> =>
      (await world.load(row.id))?.inbox.map(({ seq }) => seq);
    assert.deepEqual(await numbers(), [-1, 0, 1, 4]);
    const [first] = (await world.load(row.id))?.inbox ?? [];
    const { call: _call, ...put } = inbox[0] ?? message;
    assert.deepEqual(first, put);
    assert.deepEqual(await world.store.check(), []);
    await world.commit(transition(row, { ...step(row, 4), acks: [-1, 1] }));
    assert.deepEqual(await numbers(), [0, 4]);
    const start = { ...row, input: "2" };
    await world.commit(transition(row, { seq: 4, finish: finish(start, { journal: null }) }));
    assert.deepEqual(await world.store.check(), []);
  });

  test("journals of ended generations are kept, with their inputs, when the run has ended", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(transition(row, { ...step(row, 1), rare: { renewal: renewal(row, 1, 1) } }));
    await world.commit(transition(row, { ...step(row, 3), rare: { renewal: renewal(row, 2, 3) } }));
    const start = { ...row, input: "3" };
    await world.commit(transition(row, { seq: 4, finish: finish(start, { journal: null }) }));
    const record = await world.store.find(row.id);
    assert.equal(record?.input, "3");
    assert.deepEqual(
      record?.generations?.map(({ generation, input, journal }) => [
        generation,
        input,
        journal.map(({ seq }) => seq),
      ]),
      [
        [1, "1", [1]],
        [2, "2", [2, 3]],
      ],
    );
    assert.deepEqual(await world.store.check(), []);
  });
}
