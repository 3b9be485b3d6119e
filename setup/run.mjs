import { mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChild } from "./child.mjs";
import { fetchRuntime, findRuntime, SetupError } from "./node-runtime.mjs";
import { install, isInstalled } from "./packages.mjs";
import { SCRIPTS } from "./scripts.mjs";
import { withTurnstile } from "./turnstile.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...args] = process.argv.slice(2);

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}

async function main() {
  const script = SCRIPTS[name];
  if (script === undefined) throw new SetupError(`Scripts: ${Object.keys(SCRIPTS).join(", ")}`);
  const runtime = readyRuntime(script) ?? (await setUp(script));
  const [file, ...ownArgs] = script.command;
  const env = {
    ...process.env,
    PATH: `${dirname(runtime.file)}${delimiter}${process.env.PATH ?? ""}`,
    NODE_COMPILE_CACHE: join(root, ".runtime", "compile-cache"),
  };
  return runChild(runtime.file, [join(root, file), ...ownArgs, ...args], { env });
}

function readyRuntime(script) {
  const runtime = findRuntime(root);
  if (runtime === undefined) return undefined;
  return script.needs.every((need) => isInstalled(root, need, runtime.version))
    ? runtime
    : undefined;
}

async function setUp(script) {
  mkdirSync(join(root, ".runtime"), { recursive: true });
  const turnstile = join(root, ".runtime", "turnstile");
  const startMs = Date.now();
  const runtime = await withTurnstile(turnstile, (adopt) => setUpAlone(script, adopt), {
    onWait: ({ pids }) => say(`waiting for another set-up (process ${pids.join(", ")})`),
  });
  say(`ready after ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
  return runtime;
}

async function setUpAlone(script, adopt) {
  let runtime = findRuntime(root);
  if (runtime === undefined) {
    say(`Node ${process.versions.node} is too old here, fetching one into .runtime/ ...`);
    runtime = await fetchRuntime(root, adopt);
  }
  for (const need of script.needs) {
    if (isInstalled(root, need, runtime.version)) continue;
    say(`installing dependencies: ${need} (Node ${runtime.version}) ...`);
    const code = await install(root, need, runtime, adopt);
    if (code !== 0) throw new SetupError(`npm ended with code ${code}; the next run starts anew.`);
  }
  return runtime;
}

function say(message) {
  process.stderr.write(`setup: ${message}\n`);
}
