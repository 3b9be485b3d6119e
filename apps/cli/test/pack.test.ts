import assert from "node:assert/strict";
import { execFile, type ExecFileException } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { packProduct } from "../scripts/pack-product.ts";

const TEST_MS_MAX = 240_000;
const ROOT = join(import.meta.dirname, "..", "..", "..");

const HELLO = `
import { workflow } from "@claw/sdk";
export const hello = workflow("hello", async (ctx, name) =>
  ctx.run("greet", () => "Hello " + name));
`;

// "claw/sdk" is for editors: the same module, found without the command's help.
const TYPED = `
import { workflow } from "claw/sdk";
export const sum = workflow("sum", async (ctx, pair: { a: number; b: number }) =>
  ctx.run("add", () => pair.a + pair.b));
`;

const EMBEDDED = `
import { openRuntime, type Claw } from "claw/runtime";
import { workflow } from "claw/sdk";
import { sqliteStore } from "claw/store-sqlite";
import { testWorld } from "claw/testkit";
const greet = workflow("greet", async (ctx, name: string) => ctx.run("greet", () => "Hello " + name));
const claw: Claw = await openRuntime({ store: sqliteStore({ path: "own.db" }), workflows: [greet] });
const real: string = await (await claw.start(greet, "Ada")).result();
await claw.stop();
await using world = await testWorld({ workflows: [greet] });
const tried: string = await (await world.start(greet, "Bob")).result();
console.log(real, tried);
`;

const OLDER = `data:text/javascript,Object.defineProperty(process, "versions", { value: { node: "20.20.2" } })`;

const folder = mkdtempSync(join(tmpdir(), "claw-packed-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in the folder where the tarball was installed. */
function run(program: string, ...args: string[]): Promise<Ended> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(CLAW_|NODE_TEST)/.test(name));
  // npm finds the Node that runs the tests before any other.
  const path = `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`;
  const env = { ...Object.fromEntries(kept), PATH: path, NO_COLOR: "1" };
  return new Promise((done) => {
    execFile(
      program,
      args,
      { cwd: folder, env },
      (error: ExecFileException | null, stdout, stderr) => {
        done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

const NPX = ["--no-install", "claw"];
const claw = (...args: string[]): Promise<Ended> => run("npx", ...NPX, ...args);

test("the tarball installs into an empty folder and runs there", {
  timeout: TEST_MS_MAX,
}, async (t) => {
  const tarball = await packProduct(join(folder, "packed"));
  writeFileSync(join(folder, "hello.mjs"), HELLO);
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  const installed = await run("npm", "install", tarball, ...flags);
  assert.equal(installed.code, 0, installed.stderr);

  await t.test("a file runs, importing @claw/sdk", async () => {
    const { code, stdout, stderr } = await claw("run", "hello.mjs", "--input", '"Ada"');
    assert.deepEqual([code, stdout], [0, '"Hello Ada"\n'], stderr);
  });

  await t.test("an owner serves, and other commands reach it", async () => {
    const port = ["--port", "0"];
    const owner = execFile("npx", [...NPX, "start", "hello.mjs", ...port], {
      cwd: folder,
      env: {
        ...process.env,
        PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
      },
    });
    const ended = new Promise((done) => owner.once("close", done));
    await new Promise<void>((ready, fail) => {
      let said = "";
      owner.stderr?.on("data", (chunk: string) => {
        said += chunk;
        if (/^ready .*\(1 workflow, /m.test(said)) ready();
      });
      owner.once("close", () => fail(new Error(said)));
    });
    const started = await claw("run", "hello", "--input", '"Bob"', "--wait");
    assert.equal(started.stdout, '"Hello Bob"\n', started.stderr);
    const list = await claw("list", "-o", "json");
    assert.deepEqual(
      (JSON.parse(list.stdout) as { status: string }[]).map(({ status }) => status),
      ["completed"],
    );
    const { owner: found } = JSON.parse((await claw("doctor", "-o", "json")).stdout) as {
      owner: { pid: number };
    };
    process.kill(found.pid, "SIGTERM");
    await ended;
  });

  await t.test("the types of the sdk are there", async () => {
    mkdirSync(join(folder, "src"));
    writeFileSync(join(folder, "src", "good.mts"), TYPED);
    writeFileSync(join(folder, "src", "bad.mts"), TYPED.replace("pair.a + pair.b", "pair.c"));
    const compiler = join(ROOT, "node_modules/@typescript/native/bin/tsc");
    const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "esnext"];
    const check = (file: string): Promise<Ended> =>
      run(process.execPath, compiler, ...flags, join("src", file));
    const good = await check("good.mts");
    assert.equal(good.code, 0, good.stdout);
    assert.match((await check("bad.mts")).stdout, /TS2339: Property 'c' does not exist/);
  });

  await proveEmbedding(t);
  await t.test("it carries neither tests nor sources", () => {
    const inside = readdirSync(join(folder, "node_modules", "claw"), { recursive: true });
    const wrong = inside.map(String).filter((name) => /\.test\.|(?<!\.d)\.ts$/.test(name));
    assert.deepEqual(wrong, []);
  });
});

async function proveEmbedding(t: TestContext): Promise<void> {
  await t.test("a program embeds the runtime and tests with virtual time, with types", async () => {
    writeFileSync(join(folder, "src", "embedded.mts"), EMBEDDED);
    const { code, stdout, stderr } = await run(process.execPath, join("src", "embedded.mts"));
    assert.deepEqual([code, stdout], [0, "Hello Ada Hello Bob\n"], stderr);
    const compiler = join(ROOT, "node_modules/@typescript/native/bin/tsc");
    const types = ["--types", "node", "--typeRoots", join(ROOT, "node_modules", "@types")];
    const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "esnext"];
    const file = join("src", "embedded.mts");
    const checked = await run(process.execPath, compiler, ...flags, ...types, file);
    assert.equal(checked.code, 0, checked.stdout);
  });

  await t.test("an older Node is told which one is needed", async () => {
    const command = join("node_modules", "claw", "claw.js");
    const { code, stderr } = await run(process.execPath, "--import", OLDER, command, "--version");
    assert.deepEqual(
      [code, /CLAW-5072: This is Node 20\.20\.2, not 24\.15/.test(stderr)],
      [1, true],
    );
  });
}
