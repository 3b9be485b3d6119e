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
