import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openPlace, type Place } from "./claw.ts";

const GUIDES = join(import.meta.dirname, "..", "..", "..", "docs", "guides");

/** The blocks of code of a page that have this language. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(GUIDES, page), "utf8");
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...text.matchAll(fence)].map(([, code = ""]) => code);
}

// Times differ from day to day, and with them the widths of columns.
function plain(text: string): string {
  return text
    .replace(/\b\d+(\.\d+)?(ms|s|m)\b/g, "TIME")
    .replace(/ +/g, " ")
    .trim();
}

/** Types what a block of a terminal shows, and sees what it shows; `ready` is awaited before each command. */
async function retype(place: Place, block: string, ready: () => Promise<void>): Promise<void> {
  for (const part of block.split(/^\$ claw /m).slice(1)) {
    const [line = "", ...shown] = part.split("\n");
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, quoted, word]) => quoted ?? word ?? "",
    );
    await ready();
    const { stdout, stderr } = await place.claw(...words);
    assert.equal(plain(stdout + stderr), plain(shown.join("\n")), line);
  }
}

test("the guide of tasks shows what a terminal shows", async (t) => {
  const place = openPlace(t);
  const [definition = ""] = blocks("tasks.md", "ts");
  const [session = ""] = blocks("tasks.md", "console");
  place.write("jobs/mail.ts", definition);
  await place.going("start", "jobs", "--port", "0").said(/^ready /);
  await retype(place, session, async () => {
    // Whatever was enqueued has come to its end.
    while ((await place.claw("tasks", "--status", "ready", "-o", "jsonl")).stdout !== "");
  });
});

test("the guide of moving runs shows what a terminal shows", async (t) => {
  const place = openPlace(t);
  const [definition = ""] = blocks("moving-runs.md", "ts");
  const [commands = ""] = blocks("moving-runs.md", "sh");
  const [session = ""] = blocks("moving-runs.md", "console");
  place.write("flows/ask.ts", definition);
  const owner = place.going("start", "flows", "--port", "0");
  await owner.said(/^ready /);
  const run = (await place.claw("run", "ask")).stdout.trim();
  for (const line of commands.trim().split("\n")) {
    const ended = await place.claw(...line.split(" ").slice(1));
    assert.equal(ended.code, 0, ended.stderr);
  }
  assert.equal((await place.shown(run)).status, "terminated");
  owner.kill("SIGTERM");
  await owner.ended();
  await retype(place, session, async () => {});
});
