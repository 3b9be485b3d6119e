import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const APP = join(import.meta.dirname, "rejecting-app.ts");
const run = promisify(execFile);

test("a rejection that nobody handles is its run's: other runs and the process go on", async () => {
  const { stdout } = await run(process.execPath, [APP]);
  assert.deepEqual(stdout.trim().split("\n"), [
    "in-code: nobody listens",
    "in-body: from a body",
    "unheard: completed",
    "mistake: bug TypeError: a mistake that nobody listens to",
    "others: good",
    "stopped",
  ]);
});

test("a rejection that belongs to no run ends the process, as Node does", async () => {
  await assert.rejects(run(process.execPath, [APP, "own"]), (error) => {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    assert.equal(code, 1);
    assert.match(stdout, /others: good/);
    assert.doesNotMatch(stdout, /stopped/);
    assert.match(stderr, /of no run/);
    return true;
  });
});
