import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ownFolder } from "./own-folder.ts";

const APP = join(import.meta.dirname, "quarantine-app.ts");
/** Two runs, each of which may end six processes, and once both together. */
const LIVES_MAX = 16;

const EXPECTED = [
  "exits quarantined",
  "innocent completed",
  "innocent completed",
  "innocent completed",
  "innocent completed",
  "kills quarantined",
];

interface Outcome {
  readonly lines: readonly string[];
  /** Processes that did not end in good order. */
  readonly ended: number;
}

// Every second process is killed from outside as well, so many milliseconds after its start, unless it is 0.
async function lives(t: TestContext, livesMax: number, killWithinMs: number): Promise<Outcome> {
  const store = join(ownFolder(t), "store.db");
  let out = "";
  let ended = 0;
  for (let life = 0; life < livesMax && out === ""; life++) {
    const mode = life === 0 ? ["begin"] : [];
    const child = spawn(process.execPath, [APP, store, ...mode], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const said = text(child.stdout);
    const exited = once(child, "exit") as Promise<[number | null, string | null]>;
    if (killWithinMs > 0 && life % 2 === 1) {
      void pause(killWithinMs * Math.random(), null, { ref: false }).then(() =>
        child.kill("SIGKILL"),
      );
    }
    const [code, signal] = await exited;
    assert.ok(code === 0 || code === 3 || signal === "SIGKILL", `${code} ${signal}`);
    if (code !== 0) ended++;
    out = await said;
  }
  return { lines: out.trim().split("\n"), ended };
}

test("runs that end their process, by exit or kill -9, are quarantined; runs beside them are not blamed", async (t) => {
  const { lines, ended } = await lives(t, LIVES_MAX, 0);
  assert.deepEqual(lines, EXPECTED);
  assert.ok(ended >= 6, `it took ${ended} processes`);
});

test("the guilty are found among processes that are killed at random as well, and no others", async (t) => {
  const { lines } = await lives(t, LIVES_MAX * 4, 1_000);
  assert.deepEqual(lines, EXPECTED);
});
