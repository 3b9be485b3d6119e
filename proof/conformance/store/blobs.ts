import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitItem, ItemAnswer, NewBlob } from "@claw/core/ports";
import { type AsideTask, type RunId, taskIdOf } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import {
  BEGIN_MS,
  delivery,
  finish,
  openWorld,
  type StoreWorld,
  step,
  transition,
} from "./world.ts";

const BYTES = 3 * 1024 * 1024 + 17;

/** Large payloads: written with their item or not at all, read back whole, removed with their run. */
export function proveBlobs(make: PlaceMaker): void {
  test("a blob is read back as it was written, also by the next owner", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const bytes = pattern(BYTES);
    await commit(
      world,
      [transition(row, step(row, 1))],
      [{ item: 0, run: row.id, id: "a", bytes }],
    );
    assert.ok(same(await world.store.blobs.read(row.id, "a"), bytes));
    await world.restart();
    assert.ok(same(await world.store.blobs.read(row.id, "a"), bytes));
    assert.equal(await world.store.blobs.read(row.id, "b"), null);
  });

  test("a blob whose item is refused is not written, those of others are", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const bytes = pattern(100);
    const items = [transition(row, step(row, 7)), transition(row, step(row, 1)), delivery("run_x")];
    const blobs = ["poison", "good", "unknown"].map((id, item) => ({
      item,
      run: row.id,
      id,
      bytes,
    }));
    const answers = await commit(world, items, blobs);
    assert.deepEqual(
      answers.map(({ status }) => status),
      ["refused", "applied", "refused"],
    );
    assert.equal(await world.store.blobs.read(row.id, "poison"), null);
    assert.equal(await world.store.blobs.read(row.id, "unknown"), null);
    assert.ok(same(await world.store.blobs.read(row.id, "good"), bytes));
  });

  test("the blobs of a task go with its end, and with the time for which its result is kept", async (t) => {
    const world = await openWorld(t, make);
    const place = { namespace: "default", queue: "q", rank: 0, name: "job" };
    const rest = { attempt: 1, addedAt: BEGIN_MS, progress: "", error: null };
    const aside = (id: number, fields: Partial<AsideTask>): AsideTask => {
      return {
        ...place,
        ...rest,
        id,
        status: "waiting",
        due: 0,
        input: "~@9:x/y",
        output: "",
        ...fields,
      };
    };
    const kept = aside(2, { status: "completed", due: BEGIN_MS + 10, output: "5" });
    const blobs = [1, 2, 3].map((id) => ({
      item: 0,
      run: taskIdOf(id),
      id: "a",
      bytes: pattern(9),
    }));
    const all = [aside(1, {}), kept, aside(3, {})];
    await commit(
      world,
      [{ type: "enqueue", blocks: [], aside: all, lastId: 3, dedup: null }],
      blobs,
    );
    const left = async (): Promise<boolean[]> => {
      const found = [1, 2, 3].map(async (id) => world.store.blobs.read(taskIdOf(id), "a"));
      return (await Promise.all(found)).map((bytes) => bytes !== null);
    };
    assert.deepEqual(await left(), [true, true, true]);
    const gone = { blocksGone: [], marks: [], asideGone: [1], aside: [], blobsGone: [taskIdOf(1)] };
    await commit(world, [{ type: "tasks", ...gone }], []);
    assert.deepEqual(await left(), [false, true, true]);
    await world.store.expire(BEGIN_MS + 11, 100);
    assert.deepEqual(await left(), [false, false, true]);
  });

  test("a second blob of one id takes the place of the first", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start();
    const id = "a";
    await commit(
      world,
      [transition(row, step(row, 1))],
      [
        { item: 0, run: row.id, id, bytes: pattern(BYTES) },
        { item: 0, run: row.id, id, bytes: pattern(5) },
      ],
    );
    assert.ok(same(await world.store.blobs.read(row.id, id), pattern(5)));
  });

  test("removing the blobs of a run leaves those of other runs", async (t) => {
    const world = await openWorld(t, make);
    const [one, two] = [await world.start(), await world.start()];
    const blob = (item: number, run: RunId, id: string): NewBlob => ({
      item,
      run,
      id,
      bytes: pattern(BYTES),
    });
    await commit(
      world,
      [transition(one, step(one, 1)), transition(two, step(two, 1))],
      [blob(0, one.id, "a"), blob(0, one.id, "b"), blob(1, two.id, "a")],
    );
    assert.equal(await world.store.blobs.remove([one.id]), 2);
    assert.equal(await world.store.blobs.remove([one.id]), 0);
    assert.equal(await world.store.blobs.read(one.id, "a"), null);
    assert.ok(same(await world.store.blobs.read(two.id, "a"), pattern(BYTES)));
  });

  test("a sweep removes the blobs of the runs that it removes, and of no other", async (t) => {
    const world = await openWorld(t, make);
    const [ended, open] = [await world.start(), await world.start()];
    const last = { ...step(ended, 1), finish: finish(ended, { journal: step(ended, 1).entries }) };
    const blobs = [ended, open].map(({ id: run }, item) => {
      return { item, run, id: "a", bytes: pattern(9) };
    });
    await commit(world, [transition(ended, last), transition(open, step(open, 1))], blobs);
    await world.store.sweep({
      namespace: "default",
      endedBefore: { completed: Number.MAX_SAFE_INTEGER },
      loggedBefore: 0,
      limit: 10,
      dryRun: false,
      from: { run: "", event: null },
    });
    assert.equal(await world.store.find(ended.id), null);
    assert.equal(await world.store.blobs.read(ended.id, "a"), null);
    assert.ok(same(await world.store.blobs.read(open.id, "a"), pattern(9)));
  });
}

async function commit(
  world: StoreWorld,
  items: readonly CommitItem[],
  blobs: readonly NewBlob[],
): Promise<readonly ItemAnswer[]> {
  return (await world.store.commit({ ...world.batch(items), blobs })).items;
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31) % 251);
}

function same(found: Uint8Array | null, expected: Uint8Array): boolean {
  return found !== null && Buffer.compare(found, expected) === 0;
}
