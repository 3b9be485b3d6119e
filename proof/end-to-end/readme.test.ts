import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";

const HOUSE = join(import.meta.dirname, "..", "..");
const CLAW = join(HOUSE, "apps", "cli", "src", "main.ts");
const README = readFileSync(join(HOUSE, "README.md"), "utf8");
const LINE_WITHIN_MS = 20_000;

/** The first block of code of a language after a heading or sentence of the front page. */
function blockAfter(text: string, language: string): string {
  const from = README.indexOf(text);
  assert.ok(from >= 0, `the front page says "${text}"`);
  const begin = README.indexOf(`\`\`\`${language}\n`, from) + language.length + 4;
  return README.slice(begin, README.indexOf("```", begin));
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "claw-readme-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function claw(...words: string[]): Promise<string> {
  const child = spawn(process.execPath, [CLAW, ...words], { cwd: HOUSE, env: PLAIN });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0, `claw ${words.join(" ")} ended with ${code}`);
  return out;
}

const PLAIN = { ...process.env, NO_COLOR: "1", CLAW_PORT: "0" };

/** An owner of a store; `line` waits for the next line on stderr that contains a text. */
function owner(t: TestContext, store: string): Owner {
  const words = [CLAW, "--store", store, "start", "examples/order.ts"];
  const child = spawn(process.execPath, words, { cwd: HOUSE, env: PLAIN });
  t.after(() => child.kill("SIGKILL"));
  const seen: string[] = [];
  const waiting: { text: string; found: (line: string) => void }[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    seen.push(line);
    for (const one of waiting) if (line.includes(one.text)) one.found(line);
  });
  const line = (text: string): Promise<string> => {
    const known = seen.find((one) => one.includes(text));
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((found, reject) => {
      waiting.push({ text, found });
      setTimeout(() => reject(new Error(`no line "${text}"`)), LINE_WITHIN_MS).unref();
    });
  };
  return { child, line, seen };
}

interface Owner {
  readonly child: ChildProcess;
  readonly seen: readonly string[];
  line(text: string): Promise<string>;
}

test("the front page shows examples/order.ts as it is", () => {
  const shown = blockAfter("[examples/order.ts](examples/order.ts)", "ts");
  assert.equal(shown, readFileSync(join(HOUSE, "examples", "order.ts"), "utf8"));
});

test("the front page's kill -9 goes as it is shown", async (t) => {
  const store = join(folderOf(t), "demo.db");
  const first = owner(t, store);
  await first.line("ready http://127.0.0.1:");
  const id = (await claw("--store", store, "run", "order", "--input", '"book"')).trim();
  await first.line("reserving book (attempt 1)");
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  const asleep = await claw("--store", store, "show", "@last");
  assert.match(asleep, new RegExp(`^${id} {2}order@1 {2}waiting`));
  assert.match(asleep, /1 {2}reserve {2}done/);

  const second = owner(t, store);
  await second.line(`charging for book, key ${id}/charge`);
  const shown = await untilShown(store, "completed");
  const promised = README.slice(README.lastIndexOf("$ claw show @last"));
  for (const line of promised.split("\n")) {
    const call = /^\d {2}(\w+) +(\w+)/.exec(line);
    if (call !== null) assert.match(shown, new RegExp(`\\d {2}${call[1]} +${call[2]} `));
  }
  assert.match(shown, /output {5}\{"shelf":7,"receipt":"receipt-1"\}/);
  const again = second.seen.filter((line) => line.includes("reserving"));
  assert.deepEqual(again, [], "what was recorded does not run again");
});

async function untilShown(store: string, text: string): Promise<string> {
  for (let look = 0; look < 100; look++) {
    const shown = await claw("--store", store, "show", "@last");
    if (shown.includes(text)) return shown;
  }
  throw new Error(`the run was never ${text}`);
}

test("examples/hello.ts runs as a file of its own", async () => {
  const out = await claw("run", "examples/hello.ts", "--input", '{"name":"Ada"}');
  assert.match(out, /^"Hello, Ada, at \d{4}-/);
});
