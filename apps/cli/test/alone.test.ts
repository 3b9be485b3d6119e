import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EXIT, EXIT_MEANINGS } from "../src/exit-codes.ts";
import { openPlace } from "./claw.ts";
import { FLOWS, LABEL } from "./flows.ts";

test("run FILE runs one workflow, prints its output and leaves nothing behind", async (t) => {
  const place = openPlace(t);
  place.write("flows.ts", FLOWS);
  place.write("label.ts", LABEL);
  const ended = await place.claw("run", "flows.ts", "--workflow", "greet", "--input", '"twice"');
  assert.deepEqual([ended.code, ended.stdout], [0, '"hello twice"\n']);
  assert.match(ended.stderr, /^greet completed in \d+ ms$/);
  assert.deepEqual(readdirSync(place.folder).sort(), ["flows.ts", "label.ts"]);
});

test("run FILE takes every kind of source, and a definition of its own from anywhere", async (t) => {
  const place = openPlace(t);
  const source = 'import { workflow } from "@claw/sdk"; export default workflow("one", () => 1);';
  for (const name of ["a.ts", "b.mts", "c.mjs"]) {
    place.write(name, source);
    const { stdout, stderr } = await place.claw("run", `./${name}`);
    assert.equal(stdout, "1\n", stderr);
  }
});

test("a file that cannot be used says why", async (t) => {
  const place = openPlace(t);
  place.write("flows.ts", FLOWS);
  place.write("label.ts", LABEL);
  place.write("broken.ts", "export const = 1;");
  place.write("throws.ts", 'throw new RangeError("at the top");');
  place.write("lost.ts", 'import "./nowhere.ts";');
  place.write("empty.ts", "export const nothing = 1;");
  const cases: [string[], number, RegExp][] = [
    [["run", "broken.ts"], EXIT.invalid, /CLAW-5009: .*broken\.ts: .*Error/],
    [["run", "throws.ts"], EXIT.invalid, /CLAW-5009: .*RangeError: at the top/],
    [["run", "lost.ts"], EXIT.invalid, /CLAW-5009: .*nowhere\.ts/],
    [
      ["run", "empty.ts"],
      EXIT.invalid,
      /CLAW-5009: No workflow and no task is exported by empty\.ts/,
    ],
    [["run", "missing.ts"], EXIT.invalid, /CLAW-5009: missing\.ts: there is no such file/],
    [["run", "flows.ts"], EXIT.usage, /choose with --workflow: order, greet, ask, .*fail, typo/],
    [["run", "flows.ts", "--workflow", "no"], EXIT.notFound, /CLAW-1003/],
    [["run", "flows.ts", "--workflow", "fail"], EXIT.runFailed, /because it must/],
    [["run", "flows.ts", "--workflow", "ask", "--timeout", "50ms"], EXIT.waitTimeout, /CLAW-2012/],
    [["run", "flows.ts", "--input", "{"], EXIT.usage, /--input is not JSON/],
    [["start", "--example", "../hub"], EXIT.invalid, /There is no example/],
  ];
  const ends = await Promise.all(cases.map(([args]) => place.claw(...args)));
  for (const [at, [args, code, words]] of cases.entries()) {
    assert.equal(ends[at]?.code, code, `${args.join(" ")}: ${ends[at]?.stderr}`);
    assert.match(ends[at]?.stderr ?? "", words);
    assert.equal(ends[at]?.stdout, "", "stdout carries data only");
  }
});

test("an interrupted run FILE ends with exit code 130", async (t) => {
  const place = openPlace(t);
  place.write(
    "long.ts",
    `import { workflow } from "@claw/sdk";
    export const long = workflow("long", (ctx) => ctx.run("step", () => {
      console.error("begun");
      return new Promise(() => {});
    }));`,
  );
  const long = place.going("run", "long.ts");
  await long.said(/^begun$/);
  long.kill("SIGINT");
  assert.equal((await long.ended()).code, EXIT.interrupted);
});

test("what is typed wrongly is answered with exit code 2 and a suggestion", async (t) => {
  const place = openPlace(t);
  const cases: [string[], RegExp][] = [
    [["lst"], /unknown command 'lst'\n\(Did you mean list\?\)/],
    [["list", "--stauts", "failed"], /Did you mean --status\?/],
    [["list", "--status", "odd"], /Allowed choices are running, waiting/],
    [["list", "--limit", "0"], /--limit takes a whole number/],
    [["show"], /missing required argument 'run'/],
    [["dev"], /Name the files or folders/],
    [["dev", "flows.ts", "--port", "70000"], /is not a port/],
    [["list", "-o", "yaml"], /Allowed choices are table, json, jsonl/],
  ];
  for (const [args, words] of cases) {
    const { code, stderr, stdout } = await place.claw(...args);
    assert.match(stderr, words);
    assert.deepEqual([code, stdout], [EXIT.usage, ""], args.join(" "));
  }
});

test("errors are problem details on stderr where JSON is asked for", async (t) => {
  const place = openPlace(t);
  const { code, stdout, stderr } = await place.claw("list", "-o", "json");
  const problem = JSON.parse(stderr) as Record<string, unknown>;
  assert.deepEqual([code, stdout, problem["code"]], [EXIT.invalid, "", "CLAW-4008"]);
  assert.match(String(problem["remedy"]), /--store/);
});

test("every verb has help with an example", async (t) => {
  const place = openPlace(t);
  const { stdout } = await place.claw("--help");
  const verbs = [...stdout.matchAll(/^ {2}([a-z]+) .*(?:\[|<| {3})/gm)].map(
    ([, verb]) => verb ?? "",
  );
  assert.ok(verbs.length >= 13, verbs.join());
  for (const verb of verbs.filter((name) => name !== "help")) {
    const help = await place.claw(verb, "--help");
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Examples:\n {2}\$ claw /, verb);
  }
});

test("the README's table of exit codes is the one of the command", () => {
  const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, code, text]) => [
    code,
    text,
  ]);
  assert.deepEqual(Object.fromEntries(rows), EXIT_MEANINGS);
});

test("version prints the version of the workspace", async (t) => {
  const place = openPlace(t);
  const { stdout } = await place.claw("version", "-o", "json");
  const manifest = readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8");
  const { version } = JSON.parse(stdout) as { version: string };
  assert.equal(version, (JSON.parse(manifest) as { version: string }).version);
});

test("with no owner, messages are kept for the run and taken at the next start", async (t) => {
  const place = openPlace(t);
  place.write("workflows/index.ts", FLOWS);
  place.write("workflows/label.ts", LABEL);
  const first = place.going("start", "--port", "0");
  await first.said(/^ready /);
  const [run = ""] = (await place.claw("run", "ask")).stdout.split("\n");
  first.kill("SIGTERM");
  assert.equal((await first.ended()).code, 0);
  assert.match((await first.ended()).stderr, /\nstopped$/);

  const sent = await place.claw("signal", run, "answer", "--value", "42");
  assert.equal(sent.code, 0, sent.stderr);
  assert.match(sent.stderr, /no process runs workflows on this store/);
  assert.equal((await place.claw("run", "ask")).code, EXIT.ownerUnreachable);
  const doctor = await place.claw("doctor", "-o", "json");
  assert.equal((JSON.parse(doctor.stdout) as { owner: unknown }).owner, null);

  await place.going("start", "--port", "0").said(/^ready /);
  assert.equal((await place.untilEnded(run)).output, 42);
});

test("an owner that was killed leaves nothing in the way of the next", async (t) => {
  const place = openPlace(t);
  place.write("flows.ts", FLOWS);
  place.write("label.ts", LABEL);
  const first = place.going("start", "flows.ts", "--port", "0");
  await first.said(/^ready /);
  const [run = ""] = (await place.claw("run", "ask")).stdout.split("\n");
  const second = await place.claw("start", "flows.ts", "--port", "0");
  assert.equal(second.code, EXIT.conflict);
  assert.match(second.stderr, /CLAW-4001/);
  first.kill("SIGKILL");
  await first.ended();
  await place.going("start", "flows.ts", "--port", "0").said(/^ready /);
  assert.equal((await place.claw("signal", run, "answer", "--value", "1")).code, 0);
  assert.equal((await place.untilEnded(run)).output, 1);
});

test("a store whose owner does not answer is not written by others", async (t) => {
  const place = openPlace(t);
  place.write("flows.ts", FLOWS);
  place.write("label.ts", LABEL);
  const owner = place.going("start", "flows.ts", "--port", "0");
  await owner.said(/^ready /);
  place.write(".claw/dev.db-owner.json", "{}");
  const { code, stderr } = await place.claw("send", "com.shop.order.paid");
  assert.equal(code, EXIT.ownerUnreachable, stderr);
  assert.match(stderr, /CLAW-5006/);
});

test("an event without an owner is refused, because its triggers would be lost", async (t) => {
  const place = openPlace(t);
  const sent = await place.claw("send", "shop.paid");
  assert.equal(sent.code, EXIT.ownerUnreachable);
  assert.match(sent.stderr, /CLAW-5006.*triggers/);
});

test("dev waits for a file that is broken from the start", async (t) => {
  const place = openPlace(t);
  place.write("flows.ts", "export const broken = (");
  place.write("label.ts", LABEL);
  const owner = place.going("dev", "flows.ts", "--port", "0");
  await owner.said(/waiting for a change/);
  await owner.said(/^ready .*\(0 workflows/);
  place.write("flows.ts", FLOWS);
  await owner.said(/^reloaded /);
});

test("start owns the user's store, also beside that of an example, and verbs mean the one that is owned", async (t) => {
  const place = openPlace(t);
  place.write(
    "flow.ts",
    `import { workflow } from "@claw/sdk";
export const one = workflow("one", () => 1);
`,
  );
  const other = place.going("start", "flow.ts", "--port", "0", "--store", ".claw/hub.db");
  await other.said(/^ready /);
  assert.equal((await place.claw("run", "one", "--wait")).code, 0);
  assert.equal((await place.listed()).length, 1);
  const own = place.going("start", "flow.ts", "--port", "0");
  await own.said(/^ready .*store \.claw\/dev\.db/);
  assert.equal((await place.listed()).length, 0);
});
