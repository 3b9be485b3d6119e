import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";

/** Where the peers' own packages and scripts are. */
export const HARNESS = path.join(import.meta.dirname, "harness");

const STAMP = path.join(HARNESS, "node_modules", ".bench-stamp");
const LOCK = path.join(HARNESS, "package-lock.json");

/**
 * Installs the peers' packages unless those of this lock are there; no install script runs. False when npm
 * failed. `npm ci` refuses this lock: its packages ship one binary per platform.
 */
export async function installHarness(say: (text: string) => void): Promise<boolean> {
  const stamp = `${process.version} ${createHash("sha256").update(fs.readFileSync(LOCK)).digest("hex")}`;
  if (fs.existsSync(STAMP) && fs.readFileSync(STAMP, "utf8") === stamp) return true;
  say("installing the peers' packages (about 300, some of them large) ...");
  const code = await runNpm([
    "install",
    "--no-save",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
  ]);
  if (code !== 0) {
    say(`npm ended with code ${code}`);
    return false;
  }
  // Written last: an interrupted install has no stamp.
  fs.writeFileSync(STAMP, stamp);
  return true;
}

async function runNpm(args: readonly string[]): Promise<number> {
  const npm = process.env["npm_execpath"];
  const isFile = npm?.endsWith("npm-cli.js") ?? false;
  const [program, first] = isFile ? [process.execPath, [npm ?? ""]] : ["npm", []];
  const child = spawn(program, [...first, ...args], {
    cwd: HARNESS,
    stdio: ["ignore", process.stderr, process.stderr],
  });
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}
