import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

const runner = join(import.meta.dirname, "run-tests.ts");
const PREFIX = 'import { describe, test } from "node:test";\n';

/** Runs the runner on one file with this text; returns its last line and its exit code. */
function runText(t: TestContext, text: string): [string | undefined, number | null] {
  const folder = mkdtempSync(join(tmpdir(), "claw run tests-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "planted.test.ts");
  writeFileSync(file, text);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env; // else the child reports to our own runner
  const { stdout, status } = spawnSync(process.execPath, [runner, file], { encoding: "utf8", env });
  return [stdout.trimEnd().split("\n").at(-1), status];
}

test("tests count, suites and files do not", (t) => {
  const text = `${PREFIX}test("a", () => {}); describe("s", () => { test("b", () => {}); });`;
  assert.deepEqual(runText(t, text), ["2 passed, 0 failed", 0]);
});

test("a failed test fails the run", (t) => {
  const text = `${PREFIX}test("a", () => {}); test("b", () => { throw new Error("no"); });`;
  assert.deepEqual(runText(t, text), ["1 passed, 1 failed", 1]);
});

test("a skipped test fails the run", (t) => {
  const text = `${PREFIX}test("a", () => {}); test("b", (t) => t.skip()); test.skip("c", () => {});`;
  assert.deepEqual(runText(t, text), ["1 passed, 2 failed", 1]);
});

test("a test that is put off fails the run", (t) => {
  const text = `${PREFIX}test("a", () => {}); test("b", { todo: true }, () => {});`;
  assert.deepEqual(runText(t, text), ["1 passed, 1 failed", 1]);
});

test("a file without tests fails the run", (t) => {
  assert.deepEqual(runText(t, "export {};"), ["0 passed, 1 failed", 1]);
});

test("a file that does not parse fails the run", (t) => {
  assert.deepEqual(runText(t, "this is not code"), ["0 passed, 1 failed", 1]);
});

test("a file that ends before its tests did fails the run", (t) => {
  const text = `${PREFIX}test("a", () => {}); test("b", () => process.exit(0));`;
  const [last, code] = runText(t, text);
  assert.match(last ?? "", /passed, 1 failed$/);
  assert.equal(code, 1);
});
