import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const GUIDE = join(import.meta.dirname, "..", "..", "..", "docs", "guides", "testing.md");
const BLOCK = /^```ts (\S+)\n(.*?)^```$/gms;
const TESTS = 7;

test("every snippet of the guide runs as it stands, and its tests pass", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "claw-guide-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const files: string[] = [];
  for (const [, name = "", code = ""] of readFileSync(GUIDE, "utf8").matchAll(BLOCK)) {
    // The folder stands outside of the house, where packages have no names.
    const resolved = code.replaceAll(/"(@claw\/\w+)"/g, (_, name: string) =>
      JSON.stringify(import.meta.resolve(name)),
    );
    writeFileSync(join(folder, name), resolved);
    files.push(name);
  }
  assert.deepEqual(files, ["order.ts", "order.test.ts", "crash.test.ts", "history.test.ts"]);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const tests = files.filter((name) => name.endsWith(".test.ts"));
  const child = spawnSync(process.execPath, ["--test", "--test-reporter=tap", ...tests], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  assert.equal(child.status, 0, child.stdout + child.stderr);
  assert.match(child.stdout, new RegExp(`^# pass ${TESTS}$`, "m"), child.stdout);
});
