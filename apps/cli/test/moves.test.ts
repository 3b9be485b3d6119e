import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { encryption, type ImportReport, openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { openPlace, type Place } from "./claw.ts";
import { FLOWS, LABEL } from "./flows.ts";

/** An owner with a run that has ended and one that waits for a signal. */
async function withRuns(place: Place): Promise<{ ask: string; stop: () => Promise<void> }> {
  place.write("flows/flows.ts", FLOWS);
  place.write("flows/label.ts", LABEL);
  const dev = place.going("dev", "flows/flows.ts", "--port", "0");
  await dev.said(/^ready /);
  const ask = (await place.claw("run", "ask")).stdout.trim();
  const ended = await place.claw("run", "greet", "--input", '"Ada"', "--wait");
  assert.equal(ended.code, 0, ended.stderr);
  const stop = async (): Promise<void> => {
    dev.kill("SIGTERM");
    await dev.ended();
  };
  return { ask, stop };
}

async function imported(place: Place, ...args: string[]): Promise<ImportReport> {
  const { stdout, stderr } = await place.claw("import", ...args, "-o", "json");
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as ImportReport;
}

test("runs are exported beside their owner and imported into another store, with an owner and without one", async (t) => {
  const place = openPlace(t);
  const { ask, stop } = await withRuns(place);
  const written = await place.claw("export", "--out", "runs.jsonl");
  assert.equal(written.code, 0, written.stderr);
  assert.match(written.stderr, /^exported 2 runs, \d+ bytes$/);
  const file = join(place.folder, "runs.jsonl");
  assert.equal(written.stdout.trim(), file);
  assert.equal(statSync(file).mode & 0o077, 0);
  // What goes to stdout is the same text.
  const printed = await place.claw("export");
  const body = (text: string): string => text.split("\n").slice(1, -2).join("\n");
  assert.equal(body(printed.stdout), body(readFileSync(file, "utf8")));
  const again = await place.claw("export", "--out", "runs.jsonl");
  assert.equal(again.code, 5);
  assert.match(again.stderr, /CLAW-4066: .*runs\.jsonl exists already/);
  assert.equal(existsSync(`${file}.partial`), false);
  await stop();

  const other = ["--store", "other.db"];
  const table = await place.claw("import", "runs.jsonl", ...other);
  assert.equal(table.code, 0, table.stderr);
  assert.match(table.stdout, /^imported +2$/m);
  assert.match(table.stdout, /^held +1$/m);
  assert.match(table.stderr, /first make sure that they do not go on in the store/);
  const [held] = await place.listed("--status", "paused", ...other);
  assert.equal(held?.id, ask);
  const dev = place.going("dev", "flows/flows.ts", "--port", "0", ...other);
  await dev.said(/^ready /);
  const report = await imported(place, "runs.jsonl", "--resume", ...other);
  assert.deepEqual([report.imported, report.known, report.resumed], [0, 2, 1]);
  assert.equal((await place.claw("signal", ask, "answer", "--value", "7", ...other)).code, 0);
  for (let looks = 0; looks < 100; looks++) {
    const [run] = await place.listed("--workflow", "ask", ...other);
    if (run?.status === "completed") break;
  }
  assert.equal((await place.listed("--status", "completed", ...other)).length, 2);
});

test("a file that was cut, of another namespace or of nobody is refused with its exit code", async (t) => {
  const place = openPlace(t);
  const { stop } = await withRuns(place);
  await stop();
  await place.claw("export", "--workflow", "greet", "--out", "greet.jsonl");
  const file = join(place.folder, "greet.jsonl");
  const trial = ["--store", "trial.db"];
  const into = await place.claw("import", "greet.jsonl", "--namespace", "trial", ...trial);
  assert.equal(into.code, 0, into.stderr);
  assert.equal((await place.listed("--namespace", "trial", ...trial)).length, 1);
  writeFileSync(
    join(place.folder, "trial.jsonl"),
    readFileSync(file, "utf8").replace('"default"', '"shop"'),
  );
  const other = await place.claw("import", "trial.jsonl", ...trial);
  assert.equal(other.code, 5);
  assert.match(other.stderr, /CLAW-4064/);
  truncateSync(file, statSync(file).size - 20);
  const cut = await place.claw("import", "greet.jsonl", "--store", "cut.db");
  assert.equal(cut.code, 11);
  assert.match(cut.stderr, /CLAW-4061: Line \d+: the file ends inside of it/);
  const none = await place.claw("import", "none.jsonl", "--store", "cut.db");
  assert.equal(none.code, 11);
  assert.match(none.stderr, /CLAW-4061: ENOENT/);
  assert.deepEqual(await place.listed("--store", "cut.db"), []);
  const both = await place.claw("export", "@last", "--workflow", "greet");
  assert.equal(both.code, 2);
  assert.equal((await place.claw("export", "run_nobody")).code, 3);
});

test("an export of encrypted runs has no secret, and --plain needs the keys", async (t) => {
  const place = openPlace(t);
  const path = join(place.folder, "secret.db");
  const say = workflow("say", async (ctx, word: string) => ctx.run("say", () => word));
  const codec = encryption({ current: "k1", keys: { k1: randomBytes(32) } });
  const claw = await openRuntime({ store: sqliteStore({ path }), workflows: [say], codec });
  await (await claw.start(say, "heron")).result();
  await claw.stop();
  const stored = await place.claw("export", "--store", path);
  assert.equal(stored.code, 0, stored.stderr);
  assert.ok(!stored.stdout.includes("heron"));
  assert.match(stored.stdout, /"~aes:/);
  const plain = await place.claw("export", "--plain", "--store", path);
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /CLAW-4011: It needs the codec "aes"/);
});

test("exported runs are replayed with other code", async (t) => {
  const place = openPlace(t);
  const { stop } = await withRuns(place);
  await stop();
  await place.claw("export", "--out", "runs.jsonl");
  const same = await place.claw("replay", "--against", "flows/flows.ts", "--from", "runs.jsonl");
  assert.equal(same.code, 0, same.stderr);
  assert.match(same.stdout, /ask@1 +waiting +0 +agrees/);
  assert.match(same.stdout, /greet@1 +completed +1 +agrees/);
  place.write(
    "other/flows.ts",
    `import { workflow } from "@claw/sdk";
     export const greet = workflow("greet", async (ctx) => ctx.run("other", () => 1));`,
  );
  const other = await place.claw(
    "replay",
    "--against",
    "other",
    "--from",
    "runs.jsonl",
    "--workflow",
    "greet",
  );
  assert.equal(other.code, 5);
  assert.match(other.stdout, /greet@1 +completed +1 +diverged/);
});
