import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ClawError, ERRORS, type ErrorCode } from "@claw/core/protocol";
import { EXIT, EXIT_MEANINGS, exitOf, exitOfRun } from "../src/exit-codes.ts";
import { openPlace } from "./claw.ts";

test("an error ends with what its HTTP status means, and only errors of ours are unexpected", () => {
  for (const [code, { status, retryable }] of Object.entries(ERRORS) as [
    ErrorCode,
    { status: number; retryable?: boolean },
  ][]) {
    const exit = exitOf(new ClawError(code));
    if (exit === EXIT.unexpected) assert.equal(status, 500, code);
    if (status === 503 && retryable === true) assert.notEqual(exit, EXIT.conflict, code);
  }
  assert.equal(exitOf(new ClawError("CLAW-3005")), EXIT.unavailable);
  assert.equal(exitOf(new Error("no code")), EXIT.unexpected);
  assert.equal(exitOfRun("compensated"), EXIT.runFailed);
});

test("the README has the exit codes of the help, word for word", () => {
  const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| (\d+) \| (.*) \|$/gm)];
  assert.deepEqual(
    rows.map(([, code, text]) => [Number(code), text]),
    Object.entries(EXIT_MEANINGS).map(([code, text]) => [Number(code), text]),
  );
});

test("with jsonl a single value is one line", async (t) => {
  const place = openPlace(t);
  place.write(
    "flow.ts",
    `import { workflow } from "@claw/sdk";
export const pair = workflow("pair", () => ({ a: 1, b: [2] }));
`,
  );
  const { stdout } = await place.claw("run", "flow.ts", "-o", "jsonl");
  assert.equal(stdout, '{"a":1,"b":[2]}\n');
  assert.equal((await place.claw("version", "-o", "jsonl")).stdout.split("\n").length, 2);
  assert.equal((await place.claw("list")).code, 11, "there is no store");
});
