import path from "node:path";
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { cpuSeconds, inFolder, percentile, progress, report } from "./report.ts";

const PROBE = 1_000;
const marks: number[] = [];

// Marks are taken before and after `PROBE` steps at both ends of the run.
const long = workflow("long", async (ctx, count: number) => {
  for (let at = 0; at < count; at++) {
    await ctx.run("step", () => {
      if (at % PROBE === 10) marks.push(cpuSeconds());
      return at;
    });
  }
});

/** What a step costs at the beginning of a run, and after 10,000 others: CPU, and the ratio. */
export async function measureStepCost(steps = 10_000, rounds = 7): Promise<void> {
  await inFolder(async (folder) => {
    const store = sqliteStore({ path: path.join(folder, "steps.db") });
    const claw = await openRuntime({ store, workflows: [long] });
    const { durability } = claw.store;
    progress(`stepcost: ${rounds} runs of ${steps + 2 * PROBE} steps in a row`);
    const early: number[] = [];
    const late: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      marks.length = 0;
      await (await claw.start(long, steps + 2 * PROBE)).result();
      // The first run warms the code up.
      if (round === 0) continue;
      early.push(cost(0));
      late.push(cost(Math.floor(steps / PROBE)));
    }
    await claw.stop();
    const note = `CPU of ${PROBE} steps in a row, median of ${rounds}`;
    const [first, last] = [percentile(early, 50), percentile(late, 50)];
    for (const [metric, value, unit] of [
      ["step 10", first, "us"],
      [`step ${steps}`, last, "us"],
      [`step ${steps} to step 10`, last / first, "times"],
    ] as const) {
      report({ workload: "stepcost", metric, value, unit, note }, durability);
    }
  });
}

function cost(at: number): number {
  const [from, to] = [marks[at], marks[at + 1]];
  if (from === undefined || to === undefined) throw new Error("a mark is missing");
  return ((to - from) * 1e6) / PROBE;
}
