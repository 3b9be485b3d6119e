import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeGap, type RunId } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { finish, openWorld, recording, step, type StoreWorld, transition, entry } from "./world.ts";

async function numbers(world: StoreWorld, id: RunId): Promise<number[]> {
  return ((await world.store.find(id))?.journal ?? []).map(({ seq }) => seq);
}

/** Transitions whose entries take the place of others. */
export function proveReplacing(make: PlaceMaker): void {
  test("entries take the place of all from their number on, and numbers keep rising", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start(recordingOf(world, 1, 2, 3));
    await world.commit(transition(row, step(row, 4)));
    const saved = { ...step(row, 5), entries: encodeGap(3) + step(row, 5).entries, firstSeq: 2 };
    await world.commit(transition(row, { ...saved, rare: { replaces: true } }));
    assert.deepEqual(await numbers(world, row.id), [1, 5]);
    await world.commit(transition(row, step(row, 6)));
    assert.deepEqual(await numbers(world, row.id), [1, 5, 6]);
    await world.restart();
    assert.deepEqual(await numbers(world, row.id), [1, 5, 6]);
    const loaded = await world.load(row.id);
    assert.deepEqual(
      [...(loaded?.journal ?? [])].map(({ seq }) => seq),
      [1, 5, 6],
    );
    assert.deepEqual(await world.store.check(), []);
  });

  test("what is replaced again and again, at rest and in memory, leaves what came before", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start(recordingOf(world, 1, 2));
    for (let seq = 3; seq < 40; seq += 2) {
      const inboxSeen = 0;
      const park = seq % 3 === 0 ? { due: null, waits: 1, inboxSeen } : null;
      await world.commit(transition(row, { ...step(row, seq), park }));
      const { entries } = step(row, seq + 1);
      await world.commit(
        transition(row, {
          entries: encodeGap(seq - 1) + entries,
          firstSeq: 2,
          seq: seq + 1,
          rare: { replaces: true },
        }),
      );
      if (seq % 7 === 0) await world.restart();
    }
    assert.deepEqual(await numbers(world, row.id), [1, 40]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("a run that ends with a long journal keeps it with its gaps", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start(recordingOf(world, 1, 2, 3));
    const { entries } = step(row, 4);
    await world.commit(
      transition(row, {
        entries: encodeGap(2) + entries,
        firstSeq: 2,
        seq: 4,
        rare: { replaces: true },
        finish: finish(row, { journal: null }),
      }),
    );
    assert.deepEqual(await numbers(world, row.id), [1, 4]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("entries that would leave a hole are refused", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start(recordingOf(world, 1));
    const answer = await world.commit(
      transition(row, { ...step(row, 3), rare: { replaces: true } }),
    );
    assert.equal(answer.items[0]?.status, "refused");
    assert.deepEqual(await numbers(world, row.id), [1]);
  });
}

function recordingOf(world: StoreWorld, ...seqs: number[]): ReturnType<typeof recording> {
  const row = { ...world.row(), startedAt: world.nowMs };
  return recording(
    row,
    seqs.map((seq) => entry(row, seq)),
  );
}
