import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import type { RepairReport } from "@claw/store-sqlite";
import { type Ended, openPlace, type Place } from "./claw.ts";

const FLOW = `
import { event, workflow } from "@claw/sdk";
const Paid = event("shop.paid");
const child = workflow("child", async (ctx, quick: boolean) => (quick ? 1 : ctx.receive("go")));
const full = workflow("full", { key: () => "k", mailbox: { max: 0 } }, (ctx) => ctx.receive("answer"));
export const all = [
  child,
  workflow("ask", async (ctx) => ctx.receive("answer")),
  workflow("wait", async (ctx) => ctx.waitFor(Paid, { match: { order: 7 } })),
  workflow("step", async (ctx) => {
    await ctx.run("one", () => 1);
    await ctx.run("two", () => 2);
    return ctx.receive("answer");
  }),
  workflow("parent", async (ctx, quick: boolean) => ctx.child(child, quick)),
  workflow("greet", async (ctx) => ctx.run("hi", () => "hi")),
  full,
  workflow("lost", async (ctx) => {
    await ctx.race("both", [
      (inner) => inner.child(full, undefined, { key: "refused" }),
      (inner) => inner.attributes.set({ stage: "begun" }),
    ]);
    return ctx.receive("answer");
  }),
  workflow("seat", { key: () => "one" }, async (ctx) => ctx.receive("answer")),
];
`;

/** A store with runs at rest, whose owner has stopped. */
interface Sick {
  readonly place: Place;
  readonly runs: Readonly<Record<string, string>>;
  /** Damages the file. */
  readonly harm: (sql: string) => void;
  readonly repair: (...args: string[]) => Promise<Ended>;
  readonly repaired: () => Promise<RepairReport>;
  /** Starts an owner again. */
  readonly own: () => Promise<void>;
}

async function sicken(t: TestContext): Promise<Sick> {
  const place = openPlace(t);
  place.write("flows/flow.ts", FLOW);
  const runs: Record<string, string> = {};
  const dev = place.going("dev", "flows/flow.ts", "--port", "0");
  await dev.said(/^ready /);
  const start = async (name: string, flow: string, input?: string): Promise<void> => {
    const args = input === undefined ? [] : ["--input", input];
    runs[name] = (await place.claw("run", flow, ...args)).stdout.trim();
  };
  for (const flow of ["ask", "wait", "step", "greet", "full", "lost"]) await start(flow, flow);
  await start("parent", "parent", "false");
  for (const name of ["first", "second"]) await start(name, "seat");
  await place.claw("send", "shop.other", "--data", '{"order":1}');
  dev.kill("SIGTERM");
  await dev.ended();
  const store = join(place.folder, ".claw", "dev.db");
  return {
    place,
    runs,
    harm: (sql) => {
      const db = new DatabaseSync(store);
      db.exec("PRAGMA ignore_check_constraints = ON");
      const ids = sql.replaceAll(/\$(\w+)/g, (_, name: string) => `'${runs[name] ?? ""}'`);
      db.exec(ids);
      db.close();
    },
    repair: (...args) => place.claw("doctor", "--repair", ...args),
    repaired: async () => {
      const { stdout, stderr } = await place.claw("doctor", "--repair", "-o", "json");
      assert.notEqual(stdout, "", stderr);
      return JSON.parse(stdout) as RepairReport;
    },
    own: async () => {
      await place.going("dev", "flows/flow.ts", "--port", "0").said(/^ready /);
    },
  };
}

async function sound(place: Place): Promise<void> {
  const doctor = await place.claw("doctor", "-o", "json");
  assert.deepEqual((JSON.parse(doctor.stdout) as { findings: unknown }).findings, []);
  assert.equal(doctor.code, 0);
}

async function ends(place: Place, run: string): Promise<void> {
  const { status } = await place.untilEnded(run);
  assert.equal(status, "completed");
}

test("a sound store is left as it is, and no copy is made; resting runs look again", async (t) => {
  const { place, repair } = await sicken(t);
  const dry = await repair("--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /nothing is damaged/);
  assert.match(dry.stderr, /resting runs would look again/);
  assert.equal(
    readdirSync(join(place.folder, ".claw")).some((name) => name.includes("repair")),
    false,
  );
});

test("runs that nothing would wake, and rows that belong to nobody, are mended both ways", async (t) => {
  const { place, runs, harm, repair, repaired, own } = await sicken(t);
  harm(`
    UPDATE runs SET due = NULL, waits = 0 WHERE id = $ask;
    DELETE FROM waits WHERE run = $wait;
    INSERT INTO waits (key, run, call) VALUES ('k', 'run_gone', 'event:x');
    INSERT INTO inbox VALUES ('run_gone', 1, 'signal', 'x', '', '');
    INSERT INTO inbox VALUES ($greet, 1, 'signal', 'x', '', '');
    INSERT INTO inbox VALUES ($step, 40, 'signal', 'answer', '', '5');
    INSERT INTO approvals VALUES ('run_gone', 'approval', 'default', '', '{}', '[]', 1, NULL);
    INSERT INTO attributes VALUES ('run_gone', 'color', '"red"', 'red');
    INSERT INTO blobs VALUES ('run_gone', 'b', 0, x'00');
    INSERT INTO journal VALUES ('run_gone', 1, 'x');
    INSERT INTO dedup VALUES ('default', $greet, 'p', 9007199254740991);
    INSERT INTO task_marks VALUES (99, '1');
    DELETE FROM event_keys;
    INSERT INTO event_keys VALUES ('k', 999)`);
  const dry = await repair("--dry-run");
  assert.equal(dry.code, 1);
  assert.match(dry.stdout, /^DAMAGE +WOULD BE/);
  assert.match(
    dry.stdout,
    new RegExp(`run ${runs["ask"]} is stranded: nothing will wake it +woken`),
  );
  assert.equal(existsSync(join(place.folder, ".claw")), true);
  const before = (await place.claw("doctor")).stdout;
  assert.match(before, /is stranded/);
  const report = await repaired();
  assert.deepEqual(report.left, []);
  assert.ok(report.steps.length >= 12, JSON.stringify(report.steps, null, 1));
  assert.ok(report.backup !== null && existsSync(report.backup));
  // The copy is the store as it was.
  const copy = new DatabaseSync(report.backup, { readOnly: true });
  assert.equal(copy.prepare("SELECT count(*) AS n FROM inbox").get()?.["n"], 3);
  copy.close();
  await sound(place);
  await own();
  await ends(place, runs["step"] ?? "");
  // The lost subscription is made again by the code that waits.
  await place.claw("send", "shop.paid", "--data", '{"order":7}');
  await ends(place, runs["wait"] ?? "");
  await place.claw("signal", runs["ask"] ?? "", "answer", "--value", "1");
  await ends(place, runs["ask"] ?? "");
});

test("due times, holds and phases that cannot be are set right", async (t) => {
  const { place, runs, harm, repaired, own } = await sicken(t);
  harm(`
    UPDATE runs SET due = 9007199254740991 WHERE id = $ask;
    UPDATE runs SET due = -5 WHERE id = $wait;
    UPDATE runs SET held = 'frozen' WHERE id = $step;
    UPDATE runs SET phase = 'dreaming', recoveries = -1 WHERE id = $parent`);
  const report = await repaired();
  assert.equal(report.steps.length, 5, JSON.stringify(report.steps, null, 1));
  assert.deepEqual(report.left, []);
  await sound(place);
  const step = await place.shown(runs["step"] ?? "");
  assert.equal(step.status, "quarantined");
  await own();
  await place.claw("release", runs["step"] ?? "");
  for (const run of ["step", "ask"]) {
    await place.claw("signal", runs[run] ?? "", "answer");
    await ends(place, runs[run] ?? "");
  }
});

test("a run whose journal is damaged is quarantined with the reason, its rows stay, and others go on", async (t) => {
  const { place, runs, harm, repaired, own } = await sicken(t);
  harm(`
    UPDATE journal SET entries = 'scribble' WHERE run = $step;
    DELETE FROM journal WHERE run = $parent;
    UPDATE runs SET seq = seq + 7 WHERE id = $parent`);
  const report = await repaired();
  assert.equal(report.steps.length, 2, JSON.stringify(report.steps, null, 1));
  for (const run of ["step", "parent"]) {
    const [found] = (await place.listed("--status", "quarantined")).filter(
      ({ id }) => id === runs[run],
    );
    assert.match(found?.reason ?? "", /^its journal is damaged: /);
  }
  const db = new DatabaseSync(join(place.folder, ".claw", "dev.db"), { readOnly: true });
  const rows = db.prepare("SELECT entries FROM journal WHERE run = ?").all(runs["step"] ?? "");
  db.close();
  assert.deepEqual(
    rows.map(({ entries }) => entries),
    ["scribble"],
  );
  await own();
  await place.claw("signal", runs["ask"] ?? "", "answer");
  await ends(place, runs["ask"] ?? "");
});

test("a parent that was not told of its child's end is told; one whose child is gone is quarantined", async (t) => {
  const { place, runs, harm, repaired, own } = await sicken(t);
  const other = await sicken(t);
  const child = (await place.listed("--workflow", "child"))[0]?.id ?? "";
  harm(`
    INSERT INTO closed SELECT id, namespace, workflow, version, started_at, parent_run, parent_call, cause,
      'completed', started_at, 0, NULL, NULL, input, '41', '' FROM runs WHERE id = '${child}';
    DELETE FROM runs WHERE id = '${child}'`);
  const report = await repaired();
  assert.match(JSON.stringify(report.steps), /was not told that run_\w+ has ended/);
  assert.deepEqual(report.left, []);
  await own();
  assert.equal((await place.untilEnded(runs["parent"] ?? "")).output, 41);
  const gone = (await other.place.listed("--workflow", "child"))[0]?.id ?? "";
  other.harm(`DELETE FROM runs WHERE id = '${gone}'`);
  await other.repaired();
  const [held] = await other.place.listed("--status", "quarantined");
  assert.equal(held?.id, other.runs["parent"]);
  assert.match(held?.reason ?? "", /that it waits for is gone; skip its call or terminate it/);
});

test("a run whose child was refused after its call was closed is sound, and left alone", async (t) => {
  const { place, runs, repaired, own } = await sicken(t);
  await sound(place);
  const report = await repaired();
  assert.doesNotMatch(JSON.stringify(report), new RegExp(runs["lost"] ?? "none"));
  await own();
  await place.claw("signal", runs["lost"] ?? "", "answer");
  await ends(place, runs["lost"] ?? "");
});

test("the queue of a key is built anew: one run has it, the other waits, and both end", async (t) => {
  const { place, runs, harm, repaired, own } = await sicken(t);
  harm("DELETE FROM keys; UPDATE keyed_runs SET place = 'waiting'");
  const report = await repaired();
  assert.deepEqual(report.left, [], JSON.stringify(report.steps, null, 1));
  await sound(place);
  await own();
  for (const run of ["first", "second"]) {
    await place.claw("signal", runs[run] ?? "", "answer");
    await ends(place, runs[run] ?? "");
  }
});

test("an index that disagrees with its table is built anew", async (t) => {
  const { place, runs, repaired, own } = await sicken(t);
  const store = join(place.folder, ".claw", "dev.db");
  const harm = (...statements: string[]): void => {
    const db = new DatabaseSync(store, { defensive: false });
    db.exec("PRAGMA writable_schema = ON");
    for (const sql of statements) db.exec(sql);
    db.close();
  };
  // The index is hidden while its table changes.
  harm(
    "CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'runs_due'",
    "DELETE FROM sqlite_schema WHERE name = 'runs_due'",
    "PRAGMA writable_schema = RESET",
    `UPDATE runs SET due = 1 WHERE id = '${runs["ask"]}'`,
    "PRAGMA writable_schema = ON",
    "INSERT INTO sqlite_schema SELECT * FROM kept",
  );
  const report = await repaired();
  assert.match(JSON.stringify(report.steps), /index runs_due.*all indexes are built anew/);
  assert.deepEqual(report.left, []);
  await sound(place);
  await own();
  await place.claw("signal", runs["ask"] ?? "", "answer");
  await ends(place, runs["ask"] ?? "");
});

test("pages that are damaged are told of, and nothing is changed", async (t) => {
  const { place, repair } = await sicken(t);
  const store = join(place.folder, ".claw", "dev.db");
  const bytes = readFileSync(store);
  bytes.fill(0xff, 8_192, 12_288);
  writeFileSync(store, bytes);
  const { code, stderr } = await repair();
  assert.equal(code, 11);
  assert.match(stderr, /CLAW-4002/);
  assert.deepEqual(readFileSync(store), bytes);
});

test("an owned store is not repaired", async (t) => {
  const { own, repair } = await sicken(t);
  await own();
  const { code, stderr } = await repair();
  assert.equal(code, 5);
  assert.match(stderr, /CLAW-4001: .* is owned by a running process: stop it before the repair/);
});
