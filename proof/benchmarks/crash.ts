import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { sqliteReader } from "@claw/store-sqlite";
import { inFolder, progress, report } from "./report.ts";

const APP = path.join(import.meta.dirname, "crash-app.ts");
const STEPS = 5;
const GIVE_UP_MS = 60_000;

/** W7: kill -9 with 1,000 runs in flight, then a new process on the same store. */
export async function measureCrash(runs = 1_000): Promise<void> {
  await inFolder(async (folder) => {
    const [store, log] = [path.join(folder, "w7.db"), path.join(folder, "witness")];
    progress(`W7: ${runs} runs in flight, kill -9, restart`);
    fs.writeFileSync(log, "");
    const first = startApp(store, log, runs);
    const [{ durability }] = (await once(first, "message")) as [{ durability: string }];
    await reached(log, (lines) => count(lines, "C") >= runs * 1.5);
    first.kill("SIGKILL");
    await once(first, "exit");
    const before = read(log);
    const killedAt = performance.now();
    const second = startApp(store, log, 0);
    await reached(log, (lines) => lines.length > before.length);
    const firstStepMs = performance.now() - killedAt;
    await reached(log, (lines) => finished(lines).size >= runs);
    const wholeMs = performance.now() - killedAt;
    await pause(50);
    second.kill("SIGKILL");
    await once(second, "exit");
    judge(read(log), before, { runs, store, durability, firstStepMs, wholeMs });
  });
}

function startApp(store: string, log: string, runs: number): ChildProcess {
  return fork(APP, [store, log, String(runs)]);
}

function judge(
  lines: readonly string[],
  before: readonly string[],
  o: { runs: number; store: string; durability: string; firstStepMs: number; wholeMs: number },
): void {
  const seen = new Set<string>();
  const passed = new Set<string>();
  let again = 0;
  let repeated = 0;
  for (const line of lines) {
    const [kind, run, step] = line.split(" ") as [string, string, string];
    const call = `${run}/${step}`;
    if (kind === "S") {
      if (seen.has(call)) again++;
      // The body of the next step started only when this one was durable.
      if (passed.has(`${run}/${Number(step) + 1}`)) repeated++;
      seen.add(call);
      passed.add(call);
    }
  }
  const reader = sqliteReader({ path: o.store });
  const completed = reader.list({ limit: o.runs + 1, status: "completed" });
  if (completed instanceof Promise) throw new Error("the reader answers at once");
  reader.close();
  const note = `${o.runs} runs x ${STEPS} steps of 20 ms; ${finished(before).size} done at the kill; ${again} bodies run again that were not yet recorded`;
  const figures = [
    ["runs complete after restart", completed.length, "runs"],
    ["recorded steps repeated", repeated, "steps"],
    ["restart to first resumed step", o.firstStepMs / 1_000, "s"],
    ["recovery seconds", o.wholeMs / 1_000, "s"],
  ] as const;
  for (const [metric, value, unit] of figures) {
    report({ workload: "W7", metric, value, unit, note }, o.durability);
  }
  if (completed.length !== o.runs || repeated > 0) throw new Error("W7 lost or repeated work");
}

function read(file: string): string[] {
  return fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
}

function count(lines: readonly string[], kind: string): number {
  return lines.filter((line) => line.startsWith(`${kind} `)).length;
}

function finished(lines: readonly string[]): Set<string> {
  return new Set(lines.filter((line) => line.startsWith("D ")));
}

async function reached(file: string, test: (lines: string[]) => boolean): Promise<void> {
  const end = performance.now() + GIVE_UP_MS;
  while (!test(read(file))) {
    if (performance.now() > end) throw new Error("W7 does not get on");
    await pause(3);
  }
}
