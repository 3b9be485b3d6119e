import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { declareVerbs } from "../src/declare-verbs.ts";
import { GROUPS } from "../src/declaring.ts";
import { offersFor } from "../src/verbs/completion.ts";
import { openPlace } from "./claw.ts";

test("bash completes verbs, choices, options and runs by the script that claw prints", async (t) => {
  const place = openPlace(t);
  place.write(
    "flow.ts",
    `
import { workflow } from "@claw/sdk";
export const wait = workflow("wait", (ctx) => ctx.receive("go"));
`,
  );
  await place.going("start", "flow.ts", "--port", "0").said(/^ready /);
  const [run = ""] = (await place.claw("run", "wait")).stdout.split("\n");
  const script = (await place.claw("completion", "bash")).stdout;
  const main = join(import.meta.dirname, "..", "src", "main.ts");
  const offers = (...words: string[]): string[] => {
    const text = `${script}
claw() { ${JSON.stringify(process.execPath)} ${JSON.stringify(main)} "$@"; }
COMP_WORDS=(claw ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}
_claw; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync("bash", ["-c", text], { cwd: place.folder, encoding: "utf8" });
    return out.split("\n").filter(Boolean);
  };
  assert.deepEqual(offers("jou"), ["journal"]);
  assert.deepEqual(offers("completion", "z"), ["zsh"]);
  assert.deepEqual(offers("-o", "js"), ["json", "jsonl"]);
  assert.ok(offers("list", "--st").includes("--status"));
  assert.deepEqual(offers("show", run.slice(0, 20)), [run]);
  assert.ok(offers("show", "@").includes("@last"));
  assert.deepEqual(offers("--store", "list", "sig"), ["signal"]);
  assert.deepEqual(offers("signal", "list", "--va"), ["--value"]);
});

test("there are scripts for zsh and fish, and another shell is refused", async (t) => {
  const place = openPlace(t);
  assert.match((await place.claw("completion", "zsh")).stdout, /^#compdef claw/);
  assert.match((await place.claw("completion", "fish")).stdout, /^complete -c claw/);
  assert.equal((await place.claw("completion", "tcsh")).code, 2);
});

const { program } = declareVerbs();
const help = program.createHelp();
const verbs = help.visibleCommands(program);
const nothing = async (): Promise<string[]> => [];

test("every verb and every one of its options is offered", async () => {
  const offered = await offersFor(program, [""], nothing);
  assert.deepEqual(offered.toSorted(), verbs.map((verb) => verb.name()).toSorted());
  assert.ok(!offered.includes("complete"), "which is hidden");
  for (const verb of verbs) {
    const options = await offersFor(program, [verb.name(), "-"], nothing);
    for (const { long } of [...verb.options, ...program.options]) {
      assert.ok(options.includes(long ?? ""), `${verb.name()} ${long}`);
    }
    for (const { long, argChoices } of verb.options) {
      if (argChoices === undefined) continue;
      assert.deepEqual(
        await offersFor(program, [verb.name(), long ?? "", ""], nothing),
        argChoices,
      );
    }
  }
});

test("every verb has a group, words, examples and a line in the README", async () => {
  const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
  const groups = Object.values(GROUPS).filter((group) => group !== GROUPS.more);
  for (const verb of verbs.filter((one) => one.name() !== "help")) {
    const name = verb.name();
    assert.ok(
      groups.some((group) => group === verb.helpGroup()),
      `${name} has a group`,
    );
    assert.notEqual(verb.description(), "", name);
    assert.ok(new RegExp(`\`(claw )?${name}\\b`).test(readme), `${name} is in the README`);
    let text = "";
    verb.configureOutput({ writeOut: (part) => void (text += part) });
    verb.outputHelp();
    assert.match(text, /Examples:\n  \$ .*claw /, `${name} has an example`);
    for (const option of verb.options)
      assert.notEqual(option.description, "", `${name} ${option.long}`);
  }
});
