import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ownFolder } from "./own-folder.ts";

const APP = join(import.meta.dirname, "guilty-app.ts");
const LIVES_MAX = 12;
/** So long a process may go without a word, as a supervisor with a health check would wait. */
const SILENCE_MS = 2_500;
const EXPECTED = ["guilty quarantined", ...new Array<string>(4).fill("innocent completed")];

interface Life {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** One process on the store: ends by itself, or is killed when it says nothing more. */
async function live(t: TestContext, flags: readonly string[], args: string[]): Promise<Life> {
  const child = spawn(process.execPath, [...flags, APP, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(() => child.kill("SIGKILL"));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const ended = once(child, "exit") as Promise<[number | null]>;
  const silence = pause(SILENCE_MS, null, { ref: false }).then(() => child.kill("SIGKILL"));
  const [code] = await ended;
  void silence;
  return { code, lines };
}

async function lives(t: TestContext, flags: readonly string[], mode: string): Promise<number> {
  const store = join(ownFolder(t), "store.db");
  for (let life = 1; life <= LIVES_MAX; life++) {
    const { code, lines } = await live(t, flags, [store, mode, life === 1 ? "begin" : ""]);
    if (code !== 0) continue;
    assert.deepEqual(lines.slice(1), EXPECTED);
    return life;
  }
  return assert.fail(`the guilty run was not quarantined within ${LIVES_MAX} processes`);
}

test("a body that takes memory without end ends its process; its run is quarantined, the others go on", async (t) => {
  const processes = await lives(t, ["--max-old-space-size=64"], "memory");
  assert.ok(processes >= 6, `it took ${processes} processes`);
});

test("code that never ends a turn stops its process until that is killed; its run is quarantined, the others go on", async (t) => {
  const processes = await lives(t, [], "loop");
  assert.ok(processes >= 6, `it took ${processes} processes`);
});
