import assert from "node:assert/strict";
import { test } from "node:test";
import type { RetentionReport } from "@claw/runtime";
import { openPlace } from "./claw.ts";
import { FLOWS, LABEL } from "./flows.ts";

test("retention says what would go, then removes it, with an owner and without one", async (t) => {
  const place = openPlace(t);
  place.write("flows/flows.ts", FLOWS);
  place.write("flows/label.ts", LABEL);
  const dev = place.going("dev", "flows/flows.ts", "--port", "0");
  await dev.said(/^ready /);
  const ask = (await place.claw("run", "ask")).stdout.trim();
  for (const name of ["Ada", "Bob"]) {
    const ended = await place.claw("run", "greet", "--input", `"${name}"`, "--wait");
    assert.equal(ended.code, 0, ended.stderr);
  }
  const report = async (...args: string[]): Promise<RetentionReport> => {
    const { stdout, stderr } = await place.claw("retention", ...args, "-o", "json");
    assert.notEqual(stdout, "", stderr);
    return JSON.parse(stdout) as RetentionReport;
  };
  assert.deepEqual((await report("--dry-run")).runs, {});
  const keep = ["--keep", "completed=0s,failed=never"];
  assert.deepEqual((await report("--dry-run", ...keep)).runs, { completed: 2 });
  assert.equal((await place.listed()).length, 3);
  const table = await place.claw("retention", "--dry-run", ...keep);
  assert.match(table.stdout, /^completed +kept 0s +2 would go$/m);
  dev.kill("SIGTERM");
  await dev.ended();
  assert.deepEqual((await report(...keep)).runs, { completed: 2 });
  assert.deepEqual(
    (await place.listed()).map(({ id }) => id),
    [ask],
  );
  assert.equal((await place.claw("retention", "--keep", "nonsense")).code, 2);
  const unknown = await place.claw("retention", "--keep", "finished=1d");
  assert.match(unknown.stderr, /CLAW-1001: retention knows completed, .*, not finished/);
});
