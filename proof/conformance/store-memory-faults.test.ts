import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Fault, MemoryDisk, type MemoryOptions, memoryStore } from "@claw/store-memory";
import { memoryPlace } from "./store/memory-place.ts";
import { first, openWorld, step, StoreWorld, transition } from "./store/world.ts";

// A world on a disk, whose next commit has the fault that is put into `next`.
async function faulty(
  options: MemoryOptions = {},
): Promise<{ world: StoreWorld; disk: MemoryDisk; next: (fault: Fault) => void }> {
  const disk = options.disk ?? new MemoryDisk();
  let fault: Fault | null = null;
  const beforeCommit = (): Fault | null => {
    const now = fault;
    fault = null;
    return now;
  };
  const store = memoryStore({ ...options, disk, faults: { beforeCommit } });
  const place = memoryPlace();
  await place.remove();
  const world = await new StoreWorld({ ...place, store: () => store }).open();
  return { world, disk, next: (wanted) => (fault = wanted) };
}

describe("store-memory: faults", () => {
  test("a failed commit writes nothing, and nothing goes on before the store is opened again", async () => {
    const { world, next } = await faulty();
    const row = world.row();
    next({ kind: "fail" });
    await assert.rejects(async () => world.commit(first(row)), { code: "CLAW-4006" });
    await assert.rejects(async () => world.store.list({ limit: 1 }), { code: "CLAW-4006" });
    await world.open();
    assert.equal(world.info?.incarnation, 2);
    assert.deepEqual(await world.store.load([row.id]), []);
  });

  test("a commit whose answer is lost was written", async () => {
    const { world, next } = await faulty();
    const row = world.row();
    next({ kind: "lost-answer" });
    await assert.rejects(async () => world.commit(first(row)), { code: "CLAW-4006" });
    await world.open();
    assert.deepEqual(await world.due(), [row.id]);
  });

  test("a late commit is written just before the next open, by whichever store", async () => {
    const { world, disk, next } = await faulty();
    const row = world.row();
    next({ kind: "late" });
    await assert.rejects(async () => world.commit(first(row)), { code: "CLAW-4006" });
    assert.equal(disk.runs.size, 0);
    const heir = memoryStore({ disk });
    await heir.open();
    assert.deepEqual(await heir.due(world.nowMs, 5, true), [row.id]);
  });

  test("a poisoned item is refused alone", async () => {
    const { world, next } = await faulty();
    const [a, b] = [world.row(), world.row()];
    next({ kind: "poison", item: 0 });
    const { items } = await world.commit(first(a), first(b));
    assert.deepEqual(
      items.map(({ status }) => status),
      ["refused", "applied"],
    );
    assert.equal(await world.load(a.id), undefined);
  });

  test("without flushing, a power failure loses the newest commits although they were answered", async () => {
    const { world, next } = await faulty({ synchronous: false });
    const rows = [await world.start(), await world.start(), await world.start()];
    const [kept] = rows;
    next({ kind: "torn", commits: 2 });
    await assert.rejects(async () => world.commit(), { code: "CLAW-4006" });
    await world.open();
    assert.deepEqual(await world.due(), [kept?.id]);
    assert.deepEqual(await world.store.check(), []);
  });

  test("with flushing, a power failure loses nothing that was answered", async () => {
    const { world, disk, next } = await faulty();
    const row = await world.start();
    next({ kind: "torn", commits: 9 });
    await assert.rejects(async () => world.commit(), { code: "CLAW-4006" });
    assert.equal(disk.loseUnflushed(9), 0);
    await world.open();
    assert.deepEqual(await world.due(), [row.id]);
  });

  test("only so many commits can be lost: older ones reached the disk", async () => {
    const { world, disk } = await faulty({ synchronous: false });
    for (let n = 0; n < 100; n++) await world.start();
    assert.equal(disk.loseUnflushed(100), 64);
    assert.equal(disk.runs.size, 36);
  });
});

describe("store-memory: its disk", () => {
  test("another store takes over, and the one before is fenced", async () => {
    const { world, disk } = await faulty();
    const row = await world.start();
    const heir = memoryStore({ disk });
    await heir.open();
    const recorded = transition(row, step(row, 1));
    await assert.rejects(async () => world.commit(recorded), { code: "CLAW-4007" });
    assert.equal((await heir.load([row.id]))[0]?.journal.length, 0);
  });

  test("an exclusive store is refused while another lives, and opens when that one closed or died", async () => {
    const { world, disk } = await faulty();
    const heir = memoryStore({ disk, exclusive: true });
    assert.throws(() => heir.open(), { code: "CLAW-4001" });
    await world.store.close();
    await heir.open();
    const third = memoryStore({ disk, exclusive: true });
    assert.throws(() => third.open(), { code: "CLAW-4001" });
    disk.ownerDied();
    await third.open();
    assert.equal(disk.incarnation, 3);
  });

  test("equal histories give equal snapshots, and a snapshot gives the disk back", async () => {
    const [one, two] = [await faulty(), await faulty()];
    for (const { world } of [one, two]) {
      const row = await world.start();
      await world.commit(transition(row, step(row, 1)), world.publication("e1", { order: 1 }));
    }
    assert.equal(one.disk.snapshot(), two.disk.snapshot());
    const copy = MemoryDisk.restore(one.disk.snapshot());
    assert.equal(copy.snapshot(), one.disk.snapshot());
    await two.world.start();
    assert.notEqual(one.disk.snapshot(), two.disk.snapshot());
  });

  test("verbs that answer later are carried out in the order of asking, whenever they complete", async (t) => {
    const pending: (() => void)[] = [];
    const world = await openWorld(t, memoryPlace);
    const disk = new MemoryDisk();
    const store = memoryStore({ disk, async: (complete) => pending.push(complete) });
    const opened = store.open();
    pending.shift()?.();
    const { incarnation } = await opened;
    const [a, b] = [world.row(), world.row()];
    const sent = [a, b].map((row) => store.commit(world.batch([first(row)], incarnation)));
    assert.equal(disk.runs.size, 0);
    pending[1]?.();
    assert.equal(disk.runs.size, 2);
    pending[0]?.();
    const answers = await Promise.all(sent.map(async (answer) => answer));
    assert.deepEqual(
      answers.map(({ items }) => items[0]?.status),
      ["applied", "applied"],
    );
  });
});
