import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

test("a hub that is killed in the middle of the corpus loses nothing and does nothing twice", () => {
  const script = join(import.meta.dirname, "..", "kill.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /kill -9 after 1[5-9]\d of 329 deliveries were acknowledged/);
  assert.match(stdout, /acknowledged but not in the file: 0\n/);
  assert.match(stdout, /deliveries completed: 329 of 329, started twice: 0\n/);
});
