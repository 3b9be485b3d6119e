import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openPlace, type Place } from "./claw.ts";
import { FLOWS, LABEL } from "./flows.ts";

async function openOwned(t: TestContext): Promise<Place> {
  const place = openPlace(t);
  place.write("flows/flows.ts", FLOWS);
  place.write("flows/label.ts", LABEL);
  await place.going("dev", "flows/flows.ts", "--port", "0").said(/^ready /);
  return place;
}

test("update changes a run and query reads it", async (t) => {
  const place = await openOwned(t);
  const run = (await place.claw("run", "basket")).stdout.trim();
  const add = ["update", run, "add", "--input", '"apple"', "--id", "a1"];
  const added = await place.claw(...add);
  assert.equal(added.stdout, "1\n", added.stderr);
  assert.equal((await place.claw(...add)).stdout, "1\n", "the same id gets the same answer");
  const asked = await place.claw("query", "@last", "items", "-o", "json");
  assert.deepEqual(JSON.parse(asked.stdout), ["apple"]);
  const refused = await place.claw("update", run, "add", "--input", '"apple"');
  assert.equal(refused.code, 11);
  assert.match(refused.stderr, /CLAW-3007.*is there already/);
  assert.equal((await place.claw("query", run, "nothing")).code, 3);
  await place.claw("signal", run, "close");
  assert.deepEqual((await place.untilEnded(run)).output, ["apple"]);
  assert.equal((await place.claw("query", run, "items")).code, 5);
});

test("approvals lists what is open, and approve decides it", async (t) => {
  const place = await openOwned(t);
  const run = (await place.claw("run", "refund")).stdout.trim();
  const listed = await place.claw("approvals", "--assignee", "ada", "-o", "json");
  const [one] = JSON.parse(listed.stdout) as Record<string, unknown>[];
  assert.deepEqual(
    [one?.["run"], one?.["call"], one?.["title"], one?.["form"]],
    [run, "approval", "How much?", { type: "integer" }],
  );
  const table = await place.claw("approvals");
  assert.match(table.stdout, /^RUN +CALL +AGE +LEFT +ASSIGNEES +TITLE\nrun_\S+ +approval .* ada /);
  assert.equal((await place.claw("approve", run, "--by", "eve", "--value", "1")).code, 4);
  assert.equal((await place.claw("approve", run, "--by", "ada", "--value", '"x"')).code, 11);
  const decided = await place.claw("approve", run, "--by", "ada", "--value", "5");
  assert.equal(decided.stdout, `${run}\n`, decided.stderr);
  assert.deepEqual((await place.untilEnded(run)).output, {
    ok: true,
    value: { decision: "approve", by: "ada", value: 5 },
  });
  const late = await place.claw("approve", run, "approval", "--by", "ada", "--value", "5");
  assert.equal(late.code, 5);
  assert.match(late.stderr, /CLAW-3013/);
});

test("an approval is decided without a process that runs workflows, and taken by the next", async (t) => {
  const place = openPlace(t);
  place.write("flows/flows.ts", FLOWS);
  place.write("flows/label.ts", LABEL);
  const dev = place.going("dev", "flows/flows.ts", "--port", "0");
  await dev.said(/^ready /);
  const run = (await place.claw("run", "refund")).stdout.trim();
  const before = await place.claw("approvals");
  assert.match(before.stdout, /How much/, before.stderr);
  dev.kill("SIGKILL");
  await dev.ended();
  const rejected = await place.claw("approve", run, "--by", "ada", "--reject");
  assert.equal(rejected.code, 0, rejected.stderr);
  await place.going("dev", "flows/flows.ts", "--port", "0").said(/^ready /);
  assert.deepEqual((await place.untilEnded(run)).output, {
    ok: true,
    value: { decision: "reject", by: "ada" },
  });
});
