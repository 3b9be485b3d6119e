import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { WorldReport } from "./report.ts";

/** A child that is silent for longer is ended; its seed counts as failed. */
const SEED_MS_MAX = 30_000;
const WORKERS_MAX = 8;
/** Worlds throw thousands of errors that nobody reads, and leave more garbage than they keep. */
const CHILD_FLAGS = ["--stack-trace-limit=0", "--max-semi-space-size=64"];

type Done = (report: WorldReport) => boolean | void;

/** Runs seeds in child processes, each world alone in its turn; calls `done` for each, which may end it all by `true`. */
export async function runSeeds(
  seeds: readonly number[],
  done: Done,
  folder: string = import.meta.dirname,
): Promise<void> {
  const left = [...seeds];
  const count = Math.min(availableParallelism(), WORKERS_MAX, seeds.length);
  await Promise.all(
    Array.from({ length: count }, () => work(left, done, join(folder, "child/main.ts"))),
  );
}

// One child after the other: a child that hangs or dies fails its seed and is replaced.
async function work(left: number[], done: Done, path: string): Promise<void> {
  while (left.length > 0) await runChild(left, done, path);
}

function runChild(left: number[], done: Done, path: string): Promise<void> {
  return new Promise((resolve) => {
    const child = fork(path, {
      execArgv: CHILD_FLAGS,
      serialization: "json",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let seed: number | undefined;
    let stderr = "";
    let silence: NodeJS.Timeout | undefined;
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-2_000);
    });
    const next = (): void => {
      clearTimeout(silence);
      seed = left.shift();
      if (seed === undefined) {
        child.kill();
        return;
      }
      silence = setTimeout(() => child.kill("SIGKILL"), SEED_MS_MAX);
      child.send(seed);
    };
    child.on("message", (report: WorldReport) => {
      if (done(report) === true) left.length = 0;
      next();
    });
    child.on("exit", (code, signal) => {
      clearTimeout(silence);
      if (seed !== undefined && code !== 0) done(deadReport(seed, `${signal ?? code}: ${stderr}`));
      resolve();
    });
    next();
  });
}

function deadReport(seed: number, why: string): WorldReport {
  const problems = [`the world's process ended: ${why}`];
  return { seed, problems, counts: {}, turns: 0, runs: 0, nodes: 0, faults: 0, ms: 0 };
}
