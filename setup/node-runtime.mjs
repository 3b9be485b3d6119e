import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { canRunProduct, NODE_WANTED } from "./node-version.mjs";
import { runNpm } from "./packages.mjs";

/** A reason to stop that a person can act on; printed without a stack. */
export class SetupError extends Error {}

/**
 * The Node that will run the product, without any download: the path of its program and its
 * version, or undefined when it has yet to be fetched.
 */
export function findRuntime(root) {
  if (canRunProduct(process.versions.node)) {
    return { file: process.execPath, version: process.versions.node };
  }
  const spec = runtimeOfPlatform();
  if (spec === undefined) return undefined;
  const file = join(placeOf(root, spec), "node_modules", spec.name, spec.file);
  return fs.existsSync(file) ? { file, version: spec.version } : undefined;
}

/** Fetches the locked runtime of this platform; npm compares its integrity before unpacking. */
export async function fetchRuntime(root, adopt) {
  const spec = runtimeOfPlatform();
  if (spec === undefined || isMusl()) throw new SetupError(howToInstall());
  const place = placeOf(root, spec);
  const incoming = `${place}.incoming`;
  fs.rmSync(incoming, { recursive: true, force: true });
  fs.mkdirSync(incoming, { recursive: true });
  writeLock(incoming, spec);
  const code = await runNpm(["ci"], { cwd: incoming, adopt });
  if (code !== 0) throw new SetupError(`npm could not fetch ${spec.name}@${spec.version}.`);
  assertRuns(join(incoming, "node_modules", spec.name, spec.file), spec);
  // The rename is the last act, so that an interrupted download is never taken for a runtime.
  fs.rmSync(place, { recursive: true, force: true });
  fs.renameSync(incoming, place);
  return findRuntime(root);
}

function runtimeOfPlatform() {
  const table = JSON.parse(fs.readFileSync(new URL("./runtimes.json", import.meta.url), "utf8"));
  return table[`${process.platform}-${process.arch}`];
}

function placeOf(root, spec) {
  return join(root, ".runtime", `node-${spec.version}`);
}

// A prefix of its own: inside the root's node_modules the next install would prune it.
function writeLock(folder, { name, version, integrity }) {
  const dependencies = { [name]: version };
  const packages = { "": { dependencies }, [`node_modules/${name}`]: { version, integrity } };
  const lock = { lockfileVersion: 3, requires: true, packages };
  fs.writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
  fs.writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
}

function assertRuns(file, spec) {
  const answer = spawnSync(file, ["--version"], { encoding: "utf8" });
  if (answer.stdout?.trim() === `v${spec.version}`) return;
  const reason = answer.error?.message ?? answer.stderr?.trim();
  throw new SetupError(`The fetched Node does not run here: ${reason}\n${howToInstall()}`);
}

function isMusl() {
  if (process.platform !== "linux") return false;
  return process.report?.getReport().header.glibcVersionRuntime === undefined;
}

function howToInstall() {
  const here = `${process.platform}-${process.arch}${isMusl() ? " with musl" : ""}`;
  return [
    `OpenClaw needs Node.js ${NODE_WANTED}; this is ${process.versions.node} on ${here},`,
    "for which no runtime can be fetched. Install it from nodejs.org or with the system's package",
    "manager (Alpine: apk add nodejs npm) and run the same command again.",
  ].join("\n");
}
