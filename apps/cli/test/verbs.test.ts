import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openPlace, type Ended, type Going, type Place } from "./claw.ts";
import { FLOWS, LABEL } from "./flows.ts";

/** A place where `claw dev` owns the default store. */
async function openOwned(
  t: TestContext,
): Promise<Place & { readonly url: string; readonly dev: Going }> {
  const place = openPlace(t);
  place.write("flows/flows.ts", FLOWS);
  place.write("flows/label.ts", LABEL);
  const dev = place.going("dev", "flows/flows.ts", "--port", "0");
  const [, url = ""] = await dev.said(/^ready (http:\/\/127\.0\.0\.1:\d+) \(7 workflows, store /);
  return { ...place, url, dev };
}

function idOf({ code, stdout, stderr }: Ended): string {
  assert.equal(code, 0, stderr);
  const id = stdout.trim().split("\n").at(-1) ?? "";
  assert.match(id, /^run_[0-9a-z]{26}$/);
  return id;
}

test("run NAME starts a run at the owner, and --wait prints its output", async (t) => {
  const place = await openOwned(t);
  const ended = await place.claw(
    "run",
    "greet",
    "--input",
    '"twice"',
    "--wait",
    "--timeout",
    "30s",
  );
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.stdout, '"hello twice"\n');
  const run = await place.shown("@last");
  assert.deepEqual(
    run.journal.map(({ kind, call, attempt }) => [kind, call, attempt]),
    [
      ["attemptFailed", "greeting", 1],
      ["stepCompleted", "greeting", 2],
    ],
  );
  const first = idOf(await place.claw("run", "greet", "--input", '"Ada"', "--key", "k"));
  const second = idOf(await place.claw("run", "greet", "--input", '"Ada"', "--key", "k"));
  assert.equal(first, second);
  assert.equal((await place.claw("run", "greet", "--input", '"Bob"', "--key", "k")).code, 5);
  assert.equal((await place.claw("run", "nobody")).code, 3);
  assert.equal((await place.claw("run", "fail", "--wait")).code, 6);
  const late = await place.claw("run", "ask", "--wait", "--timeout", "50ms");
  assert.equal(late.code, 8, late.stderr);
});

test("send publishes an event once, which starts a run and wakes the one that waits", async (t) => {
  const place = await openOwned(t);
  const opened = ["send", "com.shop.order.opened", "--data", '{"order":7}', "--id", "o7"];
  const run = idOf(await place.claw(...opened));
  const again = await place.claw(...opened, "-o", "json");
  assert.equal((JSON.parse(again.stdout) as { status: string }).status, "duplicate");
  await place.claw("send", "com.shop.order.paid", "--data", '{"order":8}');
  assert.equal((await place.shown(run)).status, "waiting");
  await place.claw("send", "com.shop.order.paid", "--data", '{"order":7}', "--subject", "order 7");
  const shown = await place.untilEnded(run);
  assert.equal(shown.output, "paid");
  assert.deepEqual(
    shown.journal.map(({ kind }) => kind),
    ["eventReceived"],
  );
  assert.equal(shown.cause, "event /claw/cli o7");
});

test("signal puts its value into the journal", async (t) => {
  const place = await openOwned(t);
  const run = idOf(await place.claw("run", "ask"));
  const sent = await place.claw("signal", run.slice(0, 28), "answer", "--value", '{"yes":true}');
  assert.equal(sent.stdout, `${run}\n`);
  const shown = await place.untilEnded(run);
  assert.deepEqual(
    shown.journal.map(({ kind, data }) => [kind, data]),
    [["signalReceived", { yes: true }]],
  );
  assert.equal((await place.claw("signal", run, "answer")).code, 5);
});

test("cancel ends a run with its reason", async (t) => {
  const place = await openOwned(t);
  const run = idOf(await place.claw("run", "ask"));
  assert.equal((await place.claw("cancel", run, "--reason", "not wanted")).code, 0);
  const shown = await place.untilEnded(run);
  assert.equal(shown.status, "cancelled");
  assert.deepEqual(
    shown.journal.map(({ kind, data }) => [kind, data]),
    [["cancelRequested", "not wanted"]],
  );
});

test("release tries a held run again, with the code that is there now", async (t) => {
  const place = await openOwned(t);
  const run = idOf(await place.claw("run", "typo"));
  await place.dev.said(new RegExp(`run held: bug run=${run} .*TypeError`));
  assert.equal((await place.shown(run)).status, "bug");
  assert.match((await place.claw("list", "--status", "bug")).stdout, /typo .* bug .*TypeError/);
  assert.equal((await place.claw("release", run)).code, 0);
  await place.dev.said(new RegExp(`run held: bug run=${run} `), 2);
  assert.deepEqual(
    (await place.shown(run)).journal.map(({ call }) => call),
    ["before"],
  );
});

test("list, show and journal read what is there, as tables and as data", async (t) => {
  const place = await openOwned(t);
  const run = idOf(await place.claw("run", "greet", "--input", '"twice"'));
  await place.untilEnded(run);
  idOf(await place.claw("run", "ask"));
  const table = await place.claw("list");
  assert.match(table.stdout, /^RUN +WORKFLOW +VER +STATUS +AGE +TOOK +REASON\nrun_\S+ +ask +1 /);
  assert.deepEqual(
    (await place.listed("--workflow", "greet", "--since", "1h")).map(({ id }) => id),
    [run],
  );
  assert.deepEqual(await place.listed("--status", "failed"), []);
  const lines = (await place.claw("list", "-o", "jsonl")).stdout.trim().split("\n");
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { workflow: string }).workflow),
    ["ask", "greet"],
  );
  const show = await place.claw("show", run);
  assert.match(show.stdout, /greet@1 +completed/);
  assert.match(
    show.stdout,
    /1 +greeting +retry .* Error: not yet\n2 +greeting \(attempt 2\) +done/,
  );
  assert.match(show.stdout, /█/);
  const journal = await place.claw("journal", run);
  assert.match(journal.stdout, /SEQ +AT +KIND .*\n +1 +\+\d+ms +attemptFailed +greeting +1 /);
  const entries = (await place.claw("journal", run, "-o", "jsonl")).stdout.trim().split("\n");
  assert.equal(entries.length, 2);
  assert.equal((await place.claw("show", "run_zzz")).code, 3);
  const unclear = await place.claw("show", "run_0");
  assert.equal(unclear.code, 2);
  assert.match(unclear.stderr, /the beginning of more than one run/);
});

test("doctor names the owner and the durability, and finds the store sound", async (t) => {
  const place = await openOwned(t);
  const { code, stdout } = await place.claw("doctor", "-o", "json");
  assert.equal(code, 0);
  const report = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
  assert.equal(report["owner"]?.["url"], place.url);
  assert.equal(report["info"]?.["durability"], "sqlite WAL synchronous=FULL");
  assert.deepEqual(report["findings"], []);
});

test("backup writes a store that can be read", async (t) => {
  const place = await openOwned(t);
  const run = idOf(await place.claw("run", "ask"));
  const made = await place.claw("backup", "copy.db");
  assert.equal(made.code, 0, made.stderr);
  const copied = await place.listed("--store", "copy.db");
  assert.deepEqual(
    copied.map(({ id }) => id),
    [run],
  );
  const again = await place.claw("backup", "copy.db");
  assert.equal(again.code, 5, "what is there is not written over");
});

test("the files beside the store are for their user alone, and carry no secret into the log", async (t) => {
  const place = await openOwned(t);
  const files = ["dev.db-owner.json", "dev.db-token"].map((name) =>
    join(place.folder, ".claw", name),
  );
  for (const file of files) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  const token = readFileSync(files[1] ?? "", "utf8").trim();
  const refused = await fetch(`${place.url}/v1/status`);
  assert.equal(refused.status, 401);
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await fetch(`${place.url}/v1/status`, { headers })).status, 200);
});
