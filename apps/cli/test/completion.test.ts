import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
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
});

test("there are scripts for zsh and fish, and another shell is refused", async (t) => {
  const place = openPlace(t);
  assert.match((await place.claw("completion", "zsh")).stdout, /^#compdef claw/);
  assert.match((await place.claw("completion", "fish")).stdout, /^complete -c claw/);
  assert.equal((await place.claw("completion", "tcsh")).code, 2);
});
