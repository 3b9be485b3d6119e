import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { ownFolder } from "./own-folder.ts";

const APP = join(import.meta.dirname, "quarantine-app.ts");
/** Two runs, each of which may end six processes, and once both together. */
const LIVES_MAX = 16;

test("runs that end their process, by exit or kill -9, are quarantined; runs beside them are not blamed", async (t) => {
  const store = join(ownFolder(t), "store.db");
  let out = "";
  let ended = 0;
  for (let life = 0; life < LIVES_MAX && out === ""; life++) {
    const mode = life === 0 ? ["begin"] : [];
    const child = spawn(process.execPath, [APP, store, ...mode], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const said = text(child.stdout);
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    assert.ok(code === 0 || code === 3 || signal === "SIGKILL", `${code} ${signal}`);
    if (code !== 0) ended++;
    out = await said;
  }
  assert.deepEqual(out.trim().split("\n"), [
    "exits quarantined",
    "innocent completed",
    "innocent completed",
    "innocent completed",
    "innocent completed",
    "kills quarantined",
  ]);
  assert.ok(ended >= 6, `it took ${ended} processes`);
});
