import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Claw, openRuntime, type RunHandle } from "@claw/runtime";
import { isClawError, type Workflow, workflow } from "@claw/sdk";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { type Ending, lastFirst, ownFolder } from "./own-folder.ts";
import { boundedDisk, mountedDisk, type SmallDisk } from "./small-disk.ts";
import { until } from "./until.ts";

/** Longer than the first pauses between two attempts to open the store again. */
const FULL_MS = 500;
const STARTS_MAX = 1_000;
const TEXT = "x".repeat(100_000);

const keep: Workflow<string, number> = workflow("keep", async (ctx, text: string) => {
  const first = await ctx.run("first", () => text.length);
  return first + (await ctx.run("second", () => 1));
});
const waits: Workflow<null, string> = workflow("waits", async (ctx) => {
  return ctx.receive<string>("go");
});

test("a full disk is answered with CLAW-4004, and work goes on by itself when there is room again", async (t) => {
  const end = lastFirst(t);
  const folder = ownFolder(end);
  const mounted = mountedDisk(folder);
  t.diagnostic(
    mounted === null ? "no right to mount: a bound of pages stands in" : "tmpfs of 9 MiB",
  );
  await provenFullDisk(t, end, mounted ?? boundedDisk(folder));
});

test("a database at its bound of pages behaves like one on a full disk", async (t) => {
  const end = lastFirst(t);
  await provenFullDisk(t, end, boundedDisk(ownFolder(end)));
});

test("who waits for a result with a timeout is answered in time while the disk is full", async (t) => {
  const end = lastFirst(t);
  const claw = await opened(end, boundedDisk(ownFolder(end)));
  const run = await claw.start(waits, null);
  const result = assert.rejects(run.result({ timeout: "1500ms" }), (error) =>
    isClawError(error, "CLAW-2012"),
  );
  await filled(claw);
  const settled = await Promise.race([result.then(() => true), until("late", later(3_000))]);
  assert.equal(settled, true, "the timeout never came");
});

async function provenFullDisk(t: TestContext, end: Ending, disk: SmallDisk): Promise<void> {
  end.after(() => disk.release());
  const claw = await opened(end, disk);
  const parked = await claw.start(waits, null);
  const before = await claw.start(keep, TEXT, { idempotencyKey: "before" });
  assert.equal(await before.result(), TEXT.length + 1);
  const { acknowledged, refused } = await filled(claw);
  assert.ok(acknowledged.length > 3, "the disk was full too soon");
  await stayedFull(claw, disk, acknowledged);
  disk.enlarge();
  const again = performance.now();
  await until("working again", () => works(claw));
  t.diagnostic(
    `${acknowledged.length} starts, then full; working ${(performance.now() - again).toFixed(0)} ms after there was room`,
  );
  // What was refused is asked for again with the same key.
  acknowledged.push(await claw.start(keep, TEXT, { idempotencyKey: refused }));
  for (const run of acknowledged)
    assert.equal(await run.result({ timeout: "20s" }), TEXT.length + 1);
  await claw.signal(parked.id, "go", "now");
  assert.equal(await parked.result({ timeout: "20s" }), "now");
  assert.equal((await claw.start(keep, TEXT, { idempotencyKey: "before" })).id, before.id);
  assert.ok(claw.stats().recoveries >= 1);
  await claw.stop();
  const reader = sqliteReader({ path: disk.store.path });
  end.after(() => reader.close());
  assert.deepEqual(await reader.check(), []);
  for (const { id } of acknowledged) assert.equal((await reader.find(id))?.status, "completed");
}

// Holds the disk full until the runtime has tried in vain to open the store, more than once: each opening
// gives some room back, which is taken up again.
async function stayedFull(
  claw: Claw,
  disk: SmallDisk,
  acknowledged: RunHandle<number>[],
): Promise<void> {
  let refusedSince = performance.now();
  await until("full for a while", async () => {
    disk.fill();
    try {
      acknowledged.push(await claw.start(keep, TEXT));
      refusedSince = performance.now();
    } catch (error) {
      assert.ok(isFull(error), String(error));
    }
    return performance.now() - refusedSince > FULL_MS;
  });
}

async function opened(end: Ending, disk: SmallDisk): Promise<Claw> {
  const claw = await openRuntime({ store: sqliteStore(disk.store), workflows: [keep, waits] });
  end.after(() => claw.stop());
  return claw;
}

// Starts runs until the disk is full: those that were acknowledged, and the key of the refused one.
async function filled(claw: Claw): Promise<{ acknowledged: RunHandle<number>[]; refused: string }> {
  const acknowledged: RunHandle<number>[] = [];
  for (let at = 0; at < STARTS_MAX; at++) {
    try {
      acknowledged.push(await claw.start(keep, TEXT, { idempotencyKey: `k${at}` }));
    } catch (error) {
      assert.ok(isFull(error), String(error));
      return { acknowledged, refused: `k${at}` };
    }
  }
  throw new Error("the disk never was full");
}

function isFull(error: unknown): boolean {
  return isClawError(error, "CLAW-4004") && error.retryable && /Free space/.test(error.message);
}

async function works(claw: Claw): Promise<boolean> {
  try {
    await claw.start(waits, null);
    return true;
  } catch (error) {
    if (isFull(error)) return false;
    throw error;
  }
}

function later(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() >= end;
}
