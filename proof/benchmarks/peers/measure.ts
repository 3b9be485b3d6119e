import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { HARNESS } from "./install.ts";

/** One JSON line of a benchmark. */
export interface Line {
  readonly peer: string;
  readonly workload: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
}

/** What one measurement printed. */
export interface Figures {
  readonly ok: boolean;
  readonly lines: readonly Line[];
}

/** Peers whose scripts stand in the harness. */
export const PEERS: readonly string[] = ["restate", "dbos", "openworkflow", "langgraph", "mastra"];

const NEED_POSTGRES = ["dbos", "openworkflow"];
const POSTGRES = "/usr/lib/postgresql";
const OURS = path.join(import.meta.dirname, "..", "main.ts");
const FORWARDED = ["SIGINT", "SIGTERM"] as const;

/** Why a peer cannot be measured on this machine; null when it can. */
export function whyNot(peer: string): string | null {
  if (!NEED_POSTGRES.includes(peer) || fs.existsSync(POSTGRES)) return null;
  return `it needs PostgreSQL's programs in ${POSTGRES} (Debian: apt install postgresql-15)`;
}

/** Runs our workloads in a process of their own. */
export function measureOurs(workloads: string): Promise<Figures> {
  return measure([OURS, "--only", workloads], {});
}

/** Runs a peer's workloads; it starts its own servers on private ports and stops them. */
export function measurePeer(peer: string, env: Readonly<Record<string, string>>): Promise<Figures> {
  return measure([path.join(HARNESS, `${peer}.mjs`)], { RESULTS: "-", ...env });
}

async function measure(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Figures> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = (): void => void child.kill("SIGTERM");
  for (const signal of FORWARDED) process.once(signal, stop);
  const exited = once(child, "exit") as Promise<[number | null]>;
  const lines: Line[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    process.stdout.write(`${text}\n`);
    if (text.startsWith("{")) lines.push(JSON.parse(text) as Line);
  }
  const [code] = await exited;
  for (const signal of FORWARDED) process.off(signal, stop);
  return { ok: code === 0, lines };
}
