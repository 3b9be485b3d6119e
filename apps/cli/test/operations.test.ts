import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { openPlace, type Place } from "./claw.ts";

const FLOWS = `
import { existsSync } from "node:fs";
import { workflow } from "@claw/sdk";

export const order = workflow("order", async (ctx) => {
  const seat = await ctx.run("seat", () => "seat 1");
  await ctx.receive("go");
  const paid = await ctx.run("charge", () => {
    if (!existsSync("bank-is-up")) throw new Error("the bank is down");
    return "paid";
  }, { retry: { attempts: 1 } });
  return [seat, paid];
});
`;

/** A live owner in a folder of its own. */
async function openOwner(t: TestContext): Promise<Place> {
  const place = openPlace(t);
  place.write("flows/order.ts", FLOWS);
  await place.going("dev", "flows", "--port", "0").said(/^ready /);
  return place;
}

async function started(place: Place): Promise<string> {
  const { stdout, stderr } = await place.claw("run", "order");
  assert.notEqual(stdout, "", stderr);
  const [id = ""] = stdout.split("\n");
  await until(place, id, "waiting");
  return id;
}

async function until(place: Place, run: string, status: string): Promise<void> {
  for (let look = 0; look < 100; look++) if ((await place.shown(run)).status === status) return;
  assert.fail(`${run} did not become ${status}`);
}

async function json<T>(place: Place, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await place.claw(...args, "-o", "json");
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
}

async function refused(place: Place, ...args: string[]): Promise<[number | null, string]> {
  const { code, stderr } = await place.claw(...args, "-o", "json");
  return [code, /CLAW-\d{4}/.exec(stderr)?.[0] ?? stderr];
}

test("pause and resume: a paused run takes its messages when it is resumed", async (t) => {
  const place = await openOwner(t);
  place.write("bank-is-up", "");
  const run = await started(place);
  const accepted = { run, status: "accepted" };
  assert.deepEqual(await json(place, "pause", run, "--note", "look first"), accepted);
  await place.claw("signal", run, "go");
  const [line] = await place.listed("--status", "paused");
  assert.deepEqual([line?.id, line?.reason], [run, "look first"]);
  assert.match((await place.claw("show", run)).stdout, /look first[^]*claw resume/);
  assert.deepEqual(await json(place, "resume", run), accepted);
  assert.deepEqual((await place.untilEnded(run)).output, ["seat 1", "paid"]);
  assert.deepEqual(await refused(place, "resume", run), [5, "CLAW-3002"]);
  assert.deepEqual(await refused(place, "pause", "run_zzz"), [3, "CLAW-3001"]);
});

test("terminate ends a run at once", async (t) => {
  const place = await openOwner(t);
  const run = await started(place);
  assert.deepEqual(await json(place, "terminate", run, "--reason", "not wanted"), {
    run,
    status: "accepted",
  });
  const ended = await place.shown(run);
  assert.deepEqual([ended.status, ended.error?.code], ["terminated", "CLAW-2014"]);
  assert.equal((await place.listed("--status", "terminated")).length, 1);
  assert.deepEqual(await refused(place, "terminate", run), [5, "CLAW-3002"]);
});

test("skip answers an open call in the name of the operator", async (t) => {
  const place = await openOwner(t);
  place.write("bank-is-up", "");
  const run = await started(place);
  assert.deepEqual(await refused(place, "skip", run, "charge"), [3, "CLAW-2016"]);
  const asked = ["skip", run, "signal:go", "--value", '"as if"', "--by", "ada"];
  assert.deepEqual(await json(place, ...asked), { run, status: "accepted" });
  const ended = await place.untilEnded(run);
  const skipped = ended.journal.find(({ kind }) => kind === "callSkipped");
  assert.deepEqual(skipped?.data, { by: "ada", value: "as if" });
});

test("retry and fork make new runs that go on from the call", async (t) => {
  const place = await openOwner(t);
  const run = await started(place);
  assert.deepEqual(await refused(place, "retry", run), [5, "CLAW-2015"]);
  await place.claw("signal", run, "go");
  assert.equal((await place.untilEnded(run)).status, "failed");
  place.write("bank-is-up", "");
  type Forked = { run: string; id: string; from: string; again: string[] };
  const retried = await json<Forked>(place, "retry", run);
  assert.deepEqual([retried.run, retried.from, retried.again], [run, "charge", []]);
  const ended = await place.untilEnded(retried.id);
  assert.deepEqual([ended.output, ended.cause], [["seat 1", "paid"], run]);
  const forked = await json<Forked>(place, "fork", retried.id, "--from", "charge");
  assert.deepEqual((await place.untilEnded(forked.id)).output, ["seat 1", "paid"]);
  assert.deepEqual(await refused(place, "fork", run, "--from", "mail"), [5, "CLAW-2017"]);
  assert.equal((await place.claw("fork", run)).code, 2);
});

test("replay says which open runs would diverge with other code, beside a live owner", async (t) => {
  const place = await openOwner(t);
  const run = await started(place);
  place.write("same/order.ts", FLOWS);
  place.write("other/order.ts", FLOWS.replace('ctx.run("seat"', 'ctx.run("chair"'));
  type Line = { run: string; verdict: string; reason: string };
  const [same] = await json<Line[]>(place, "replay", "--against", "same");
  assert.deepEqual([same?.run, same?.verdict, same?.reason], [run, "agrees", ""]);
  const other = await place.claw("replay", "--against", "other");
  assert.equal(other.code, 5);
  assert.match(other.stdout, /VERDICT[^]*order@1 +waiting +1 +diverged/);
  assert.match(other.stderr, /- step seat\n\+ step chair/);
  assert.equal((await place.shown(run)).status, "waiting");
});

test("show tells what a compensation did, what gave up, and names every kind of entry in words", async (t) => {
  const place = openPlace(t);
  place.write(
    "flows/trip.ts",
    `
import { workflow } from "@claw/sdk";
export const trip = workflow("trip", async (ctx) => {
  ctx.attributes.set({ to: "Rome" });
  await ctx.run("flight", () => 1, { undo: () => undefined });
  await ctx.run("hotel", () => 2, {
    undo: () => { throw new Error("the phone is dead"); },
    undoRetry: { attempts: 1 },
  });
  await ctx.approval({ type: "integer" }, { title: "Go?" });
  ctx.fail("no visa");
});
`,
  );
  await place.going("dev", "flows", "--port", "0").said(/^ready /);
  const [run = ""] = (await place.claw("run", "trip")).stdout.split("\n");
  await until(place, run, "waiting");
  assert.equal((await place.claw("approve", run, "--value", "1", "--by", "ada")).code, 0);
  await place.untilEnded(run);
  const { stdout } = await place.claw("show", run);
  assert.match(stdout, /approval +decided/);
  assert.match(stdout, /undone +flight\nfailed +hotel \(.*the phone is dead\)/);
  assert.doesNotMatch(stdout, /^ *\d+ +\S* +[A-Za-z] +\+/m, "no kind is shown as its letter");
});
