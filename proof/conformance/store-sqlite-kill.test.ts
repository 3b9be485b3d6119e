import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { sqliteReader } from "@claw/store-sqlite";
import { sqlitePlace } from "./store/sqlite-place.ts";
import { StoreWorld } from "./store/world.ts";

const LIVES = 6;
const LINES_PER_LIFE = 2_000;

// Runs the writer until it has acknowledged enough, kills it in the middle of its work and gives its last words.
async function liveAndDie(path: string, life: number): Promise<ReadonlyMap<string, number>> {
  const writer = join(import.meta.dirname, "store", "sqlite-writer-app.ts");
  const child = spawn(process.execPath, [writer, path, String(life)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  let lines = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    lines += chunk.split("\n").length - 1;
    if (lines > LINES_PER_LIFE + life * 37) child.kill("SIGKILL");
  });
  await once(child, "close");
  assert.equal(child.signalCode, "SIGKILL");
  const acknowledged = new Map<string, number>();
  // The last line may be cut off.
  for (const line of text.slice(0, text.lastIndexOf("\n")).split("\n").slice(1)) {
    const [run = "", seq] = line.split(" ");
    acknowledged.set(run, Number(seq));
  }
  return acknowledged;
}

test("after kill -9 in the middle of commits everything acknowledged is there, life after life", async (t) => {
  const place = sqlitePlace();
  t.after(() => place.remove());
  const acknowledged = new Map<string, number>();
  for (let life = 1; life <= LIVES; life++) {
    for (const [run, seq] of await liveAndDie(place.path, life)) acknowledged.set(run, seq);
    const reader = sqliteReader({ path: place.path });
    assert.deepEqual(await reader.check(), [], "as the writer left it");
    for (const [run, seq] of acknowledged) {
      const found = await reader.find(run);
      assert.ok((found?.journal.length ?? 0) >= seq, `${run}: ${found?.journal.length} of ${seq}`);
    }
    reader.close();
    const world = await new StoreWorld(place).open();
    assert.equal(world.info?.incarnation, life * 2);
    assert.deepEqual(await world.store.check(), [], "as the next owner took it over");
    for (const [run, seq] of acknowledged) {
      const found = await world.store.find(run);
      assert.ok((found?.journal.length ?? 0) >= seq, run);
      assert.deepEqual(
        found?.journal.map((entry) => entry.seq),
        Array.from({ length: found?.journal.length ?? 0 }, (_, index) => index + 1),
      );
    }
    const held = (await world.store.list({ limit: 10_000 })).filter(
      ({ status }) => status === "running",
    );
    const due = await world.store.due(world.nowMs, 10_000, true);
    assert.deepEqual(new Set(due), new Set(held.map(({ id }) => id)));
    await world.store.close();
  }
  assert.ok(acknowledged.size > LIVES * 16);
});
