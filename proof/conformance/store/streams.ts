import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChunkPage, ChunkQuery, StreamChanges } from "@claw/core/ports";
import type { ChunkBlock, StreamHead } from "@claw/core/protocol";
import type { PlaceMaker } from "./place.ts";
import { BEGIN_MS, finish, openWorld, type StoreWorld, step, transition } from "./world.ts";

const FAR_MS = BEGIN_MS + 1_000_000;

/** A block of chunks of one stream. */
function block(seq: number, count: number, fields: Partial<ChunkBlock> = {}): ChunkBlock {
  const values = Array.from({ length: count }, (_, n) => seq + n);
  const data = JSON.stringify(values);
  return { stream: "a", seq, count, call: "c", attempt: 1, first: 1, at: 5, data, ...fields };
}

function head(chunks: number, last: number, fields: Partial<StreamHead> = {}): StreamHead {
  return { name: "a", chunks, bytes: chunks, last, closed: false, ...fields };
}

async function read(
  world: StoreWorld,
  run: string,
  fields: Partial<ChunkQuery> = {},
): Promise<ChunkPage | null> {
  return world.store.streams.read({ run, after: 0, limit: 100, ...fields });
}

/** What runs write to their streams. */
export function proveStreams(make: PlaceMaker): void {
  test("blocks are read in the order of their numbers, from a cursor, by stream, as many as asked", async (t) => {
    const world = await openWorld(t, make);
    const b = block(3, 1, { stream: "b", call: "d", attempt: 2, first: 3 });
    const blocks = [block(1, 2), b, block(4, 3)];
    const heads = [head(5, 6), head(1, 3, { name: "b" })];
    const row = await world.start({ rare: { streams: { blocks, heads } } });
    await world.restart();
    const seqs = async (fields: Partial<ChunkQuery>) =>
      (await read(world, row.id, fields))?.blocks.map(({ seq }) => seq);
    assert.deepEqual(await read(world, row.id), { blocks, heads, ended: false });
    assert.deepEqual(await seqs({ after: 1 }), [1, 3, 4], "the block around the cursor is whole");
    assert.deepEqual(await seqs({ after: 2 }), [3, 4]);
    assert.deepEqual(await seqs({ after: 5 }), [4]);
    assert.deepEqual(await seqs({ after: 6 }), []);
    assert.deepEqual(await seqs({ stream: "b" }), [3]);
    assert.deepEqual(await seqs({ stream: "a", after: 3 }), [4]);
    assert.deepEqual(await seqs({ limit: 2 }), [1, 3]);
    assert.deepEqual(await seqs({ stream: "nothing" }), []);
    assert.equal(await read(world, world.id()), null);
    assert.deepEqual(await world.store.check(), []);
  });

  test("an open run is loaded with its streams as they stand, a run without any with nothing", async (t) => {
    const world = await openWorld(t, make);
    const [row, plain] = [await world.start(), await world.start()];
    assert.equal(Object.hasOwn((await world.load(row.id)) ?? {}, "streams"), false);
    const write = (streams: StreamChanges): Promise<unknown> =>
      world.commit(transition(row, { rare: { streams } }));
    await write({ blocks: [block(1, 2)], heads: [head(2, 2), head(0, 0, { name: "b" })] });
    await write({ blocks: [block(3, 1)], heads: [head(3, 3, { closed: true })] });
    const heads = [head(3, 3, { closed: true }), head(0, 0, { name: "b" })];
    assert.deepEqual((await world.load(row.id))?.streams, heads);
    await world.restart();
    assert.deepEqual((await world.load(row.id))?.streams, heads);
    assert.equal(Object.hasOwn((await world.load(plain.id)) ?? {}, "streams"), false);
  });

  test("the last chunks come with the end of a run, which keeps them until a sweep", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start({
      rare: { streams: { blocks: [block(1, 1)], heads: [head(1, 1)] } },
    });
    const streams = { blocks: [block(2, 1)], heads: [head(2, 2)] };
    const end = { ...step(row, 1), finish: finish(row, { journal: step(row, 1).entries }) };
    await world.commit(transition(row, { ...end, rare: { streams } }));
    await world.restart();
    const page = await read(world, row.id);
    assert.deepEqual([page?.blocks.length, page?.ended], [2, true]);
    assert.deepEqual(await world.store.check(), []);
    await world.store.sweep({
      namespace: "default",
      endedBefore: { completed: FAR_MS },
      loggedBefore: FAR_MS,
      from: { run: "", event: 0 },
      limit: 100,
      dryRun: false,
    });
    assert.equal(await read(world, row.id), null);
    assert.deepEqual(await world.store.check(), [], "no chunk is left behind");
  });

  test("a number that the run has already is refused with its transition", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start({
      rare: { streams: { blocks: [block(1, 2)], heads: [head(2, 2)] } },
    });
    const streams = { blocks: [block(3, 1), block(1, 1)], heads: [head(4, 3)] };
    const answer = await world.commit(transition(row, { ...step(row, 1), rare: { streams } }));
    assert.equal(answer.items[0]?.status, "refused");
    const page = await read(world, row.id);
    assert.deepEqual([page?.blocks.length, page?.heads], [1, [head(2, 2)]]);
    assert.equal((await world.load(row.id))?.journal.length, 0);
  });

  test("readers of another namespace find no run, open or closed", async (t) => {
    const world = await openWorld(t, make);
    const row = await world.start({
      rare: { streams: { blocks: [block(1, 1)], heads: [head(1, 1)] } },
    });
    assert.equal(await read(world, row.id, { namespace: "other" }), null);
    assert.equal((await read(world, row.id, { namespace: "default" }))?.blocks.length, 1);
    await world.commit(transition(row, { finish: finish(row) }));
    assert.equal(await read(world, row.id, { namespace: "other" }), null);
    assert.equal((await read(world, row.id, { namespace: "default" }))?.blocks.length, 1);
  });
}
