import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaceMaker } from "./place.ts";
import { delivery, openWorld, step, transition } from "./world.ts";

const KEYED = { key: "seat", waitingMax: 5, onHeldHead: "block" } as const;

/** Runs that come from another store, and looks at a store from which they go. */
export function proveMoving(make: PlaceMaker): void {
  test("a look answers for the moment at which it was opened, while work goes on", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    await world.commit(transition(row, step(row, 1)), delivery(row.id));
    const look = await world.store.look();
    await world.commit(transition(row, step(row, 2)));
    const late = await world.start();
    const found = await look.archive(row.id);
    assert.deepEqual([found?.seq, found?.journal.length, found?.open?.inbox.length], [1, 1, 1]);
    assert.equal(await look.archive(late.id), null);
    assert.deepEqual(
      (await look.list({ limit: 10 })).map(({ id }) => id),
      [row.id],
    );
    await look.close();
    await look.close();
    const after = await world.store.look();
    assert.equal((await after.archive(row.id))?.seq, 2);
    await after.close();
  });

  test("parts of a large payload are written ahead of their run, and the first begins it anew", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const { blobs } = world.store;
    const part = (n: number, text: string) => ({
      run: row.id,
      id: "b",
      n,
      bytes: Buffer.from(text),
    });
    await blobs.stage(part(0, "wrong"));
    await blobs.stage(part(0, "one "));
    await blobs.stage(part(1, "two"));
    await world.restart();
    const read = await world.store.blobs.read(row.id, "b");
    assert.equal(Buffer.from(read ?? []).toString(), "one two");
    const look = await world.store.look();
    const parts: Uint8Array[] = [];
    for await (const bytes of look.blob(row.id, "b")) parts.push(bytes);
    assert.equal(Buffer.concat(parts).toString(), "one two");
    await look.close();
    assert.equal(await world.store.blobs.remove([row.id]), 1);
  });

  test("a run comes with its ended generations and messages, held, in one transition", async (t) => {
    const world = await openWorld(t, make);
    const row = world.row();
    const past = [{ generation: 1, endedAt: 5, input: "0", journal: "" }];
    const message = { to: row.id, kind: "signal", name: "go", from: "", data: "7" } as const;
    await world.commit(
      transition(row, {
        start: row,
        ...step(row, 1),
        messages: [message],
        hold: { kind: "paused", reason: "came" },
        rare: { past, attributes: { color: "red" } },
      }),
    );
    await world.restart();
    const record = await world.store.find(row.id);
    assert.deepEqual([record?.status, record?.reason], ["paused", "came"]);
    assert.deepEqual(record?.attributes, { color: "red" });
    assert.equal(record?.generations?.length, 1);
    assert.equal((await world.load(row.id))?.inbox[0]?.data, "7");
    assert.deepEqual(await world.store.due(Number.MAX_SAFE_INTEGER, 10, false), []);
    assert.deepEqual(await world.store.check(), []);
  });

  test("held runs of a key join its queue in their order, and the first has it", async (t) => {
    const world = await openWorld(t, make);
    const hold = { kind: "paused", reason: "came" } as const;
    const rows = [world.row({ keyed: KEYED }), world.row({ keyed: KEYED })];
    const name = { namespace: "default", workflow: "order", key: "seat" };
    for (const [at, row] of rows.entries()) {
      const rare = at === 0 ? { keyState: { ...name, state: "41" } } : {};
      const answer = await world.commit(
        transition(row, { start: row, ...step(row, 1), hold, rare }),
      );
      assert.equal(answer.items[0]?.status, "applied", JSON.stringify(answer.items));
    }
    const key = await world.store.key(name, 5);
    assert.deepEqual([key?.head, key?.state, key?.next], [rows[0]?.id, "41", [rows[1]?.id]]);
    await world.commit({ type: "release", run: rows[1]?.id ?? "", from: ["paused"] });
    assert.equal((await world.store.find(rows[1]?.id ?? ""))?.status, "queued");
    assert.deepEqual(await world.store.check(), []);
  });
}
