import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { Verdict } from "./gate.ts";

const house = resolve(import.meta.dirname, "../..");

/** Runs a JavaScript program of the house's node_modules, with the tree to check as its folder. */
export async function runTool(
  root: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Verdict & { readonly stdout: string }> {
  const child = spawn(process.execPath, [resolve(house, program), ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { ok: code === 0, report: `${stdout}${stderr}`, stdout };
}
