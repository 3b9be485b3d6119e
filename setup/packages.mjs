import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { runChild } from "./child.mjs";

const FLAGS = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];

/**
 * The installs that exist. `all` is the root with what tests and gates need; it also serves who
 * asks for `product`. `tools` takes `install`: its packages ship one binary per platform, and
 * `npm ci` refuses a lock that does not list every platform.
 */
const INSTALLS = {
  product: { folder: ".", args: ["ci", "--omit=dev"], servedBy: ["product", "all"] },
  all: { folder: ".", args: ["ci"], servedBy: ["all"] },
  servers: { folder: "proof/servers/binaries", args: ["ci"], servedBy: ["servers"] },
  tools: { folder: "tools", args: ["install", "--no-save"], servedBy: ["tools"] },
};

/** Whether the install is complete and belongs to the current lock and this version of Node. */
export function isInstalled(root, name, nodeVersion) {
  const { folder, servedBy } = INSTALLS[name];
  const stamp = readOrUndefined(stampFile(root, folder));
  return servedBy.some((served) => stamp === stampOf(root, folder, served, nodeVersion));
}

/** Installs with npm running under the product's own Node. */
export async function install(root, name, runtime, adopt) {
  const { folder, args } = INSTALLS[name];
  const file = stampFile(root, folder);
  fs.rmSync(file, { force: true });
  const code = await runNpm(args, { cwd: join(root, folder), node: runtime.file, adopt });
  if (code !== 0) return code;
  // Written last and inside node_modules: an interrupted or deleted install has no stamp.
  fs.mkdirSync(dirname(file), { recursive: true });
  fs.writeFileSync(file, stampOf(root, folder, name, runtime.version));
  return 0;
}

/** Runs npm; its output goes to stderr, because stdout belongs to results. */
export function runNpm(args, { cwd, node = process.execPath, adopt }) {
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` };
  const options = { cwd, env, stdio: ["ignore", process.stderr, process.stderr] };
  const all = [...args, ...FLAGS, "--omit-lockfile-registry-resolved"];
  const npm = process.env.npm_execpath;
  if (npm?.endsWith("npm-cli.js")) return runChild(node, [npm, ...all], options, adopt);
  return runChild("npm", all, { ...options, shell: process.platform === "win32" }, adopt);
}

function stampFile(root, folder) {
  return join(root, folder, "node_modules", ".setup-stamp");
}

function stampOf(root, folder, name, nodeVersion) {
  const lock = fs.readFileSync(join(root, folder, "package-lock.json"));
  const digest = createHash("sha256").update(lock).digest("hex");
  return `${name} node-${nodeVersion} ${process.platform}-${process.arch} ${digest}`;
}

function readOrUndefined(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
