import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";
import { type Claw, openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { cpuSeconds, inFolder, progress, report } from "./report.ts";

const START_AT_ONCE = 1_000;
const IDLE_MS = 5_000;

const sleeper = workflow("sleeper", (ctx) => ctx.sleep("1h"));

/** W5: runs parked on a timer of an hour: memory and disk of each, and what waiting costs. */
export async function measureParked(fewer = 100_000, more = 1_000_000): Promise<void> {
  await inFolder(async (folder) => {
    const file = path.join(folder, "w5.db");
    const claw = await openRuntime({ store: sqliteStore({ path: file }), workflows: [sleeper] });
    const { durability } = claw.store;
    await park(claw, START_AT_ONCE);
    const empty = rest(file);
    const begin = performance.now();
    await park(claw, fewer - START_AT_ONCE);
    const some = rest(file);
    await park(claw, more - fewer);
    const seconds = (performance.now() - begin) / 1_000;
    const many = rest(file);
    const cpu = cpuSeconds();
    await pause(IDLE_MS);
    const idle = ((cpuSeconds() - cpu) / (IDLE_MS / 1_000)) * 100;
    const slope = (many.memory - some.memory) / (more - fewer);
    const note = `from ${fewer} to ${more}; heap and buffers after collection; ${claw.stats().active} in memory`;
    const figures = [
      ["memory per parked run, slope", slope, "B", note],
      ["memory once", (some.memory - empty.memory) / 2 ** 20, "MiB", `first ${fewer} runs`],
      ["disk per parked run", (many.disk - empty.disk) / (more - START_AT_ONCE), "B", ""],
      ["parked runs/s", (more - START_AT_ONCE) / seconds, "runs/s", ""],
      [`idle CPU with ${more} parked`, idle, "% of a core", `${IDLE_MS / 1_000} s`],
    ] as const;
    for (const [metric, value, unit, text] of figures) {
      report({ workload: "W5", metric, value, unit, note: text }, durability);
    }
    await claw.stop();
  });
}

async function park(claw: Claw, count: number): Promise<void> {
  for (let done = 0; done < count; done += START_AT_ONCE) {
    if (done % 100_000 === 0) progress(`W5: ${done} of ${count} parked`);
    const starts = Array.from({ length: Math.min(START_AT_ONCE, count - done) }, () =>
      claw.start(sleeper, undefined),
    );
    await Promise.all(starts);
  }
  await claw.flush();
}

function rest(file: string): { memory: number; disk: number } {
  v8.setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return { memory: heapUsed + external, disk: fs.statSync(file).size };
}
