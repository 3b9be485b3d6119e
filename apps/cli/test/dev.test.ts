import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlace, type Place } from "./claw.ts";
import { FLOWS, LABEL } from "./flows.ts";

async function greeting(place: Place): Promise<string> {
  const { stdout, stderr } = await place.claw("run", "greet", "--input", '"Ada"', "--wait");
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as string;
}

test("dev takes a changed file, also one that is only imported, and open runs go on", async (t) => {
  const place = openPlace(t);
  place.write("flows/flows.ts", FLOWS);
  place.write("flows/label.ts", LABEL);
  const dev = place.going("dev", "flows/flows.ts", "--port", "0");
  const [, url] = await dev.said(/^ready (\S+) /);
  const [run = ""] = (await place.claw("run", "ask")).stdout.split("\n");
  assert.equal(await greeting(place), "hello Ada");

  place.write("flows/label.ts", LABEL.replace("hello", "good evening"));
  await dev.said(/^reloaded 7 workflows in \d+ ms$/);
  assert.equal(await greeting(place), "good evening Ada");
  assert.equal((await fetch(`${url}/readyz`)).status, 200);

  await place.claw("signal", run, "answer", "--value", '"still here"');
  assert.equal((await place.untilEnded(run)).output, "still here");
});

test("dev keeps the definitions from before when a file no longer loads, and says why", async (t) => {
  const place = openPlace(t);
  place.write("flows/flows.ts", FLOWS);
  place.write("flows/label.ts", LABEL);
  const dev = place.going("dev", "flows", "--port", "0");
  await dev.said(/^ready /);
  place.write("flows/flows.ts", "export const = 1;");
  await dev.said(/CLAW-5009: .*flows\.ts/);
  await dev.said(/^kept the definitions from before$/);
  assert.equal(await greeting(place), "hello Ada");
  place.write("flows/flows.ts", FLOWS.replace('LABEL + " "', '"mended "'));
  await dev.said(/^reloaded 7 workflows/);
  assert.equal(await greeting(place), "mended Ada");
});

test("dev mends a run that a programming error holds", async (t) => {
  const place = openPlace(t);
  place.write("flows/flows.ts", FLOWS);
  place.write("flows/label.ts", LABEL);
  const dev = place.going("dev", "flows", "--port", "0");
  await dev.said(/^ready /);
  const [run = ""] = (await place.claw("run", "typo")).stdout.split("\n");
  await dev.said(/run held: bug/);
  place.write("flows/flows.ts", FLOWS.replace("return (undefined as", "return ({ field: 7 } as"));
  await dev.said(/^reloaded 7 workflows/);
  assert.equal((await place.untilEnded(run)).output, 7);
});
