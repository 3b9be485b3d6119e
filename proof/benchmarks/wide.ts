import path from "node:path";
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { cpuSeconds, inFolder, percentile, progress, report } from "./report.ts";

const child = workflow("child", (_, at: number) => at);
const children = workflow("children", async (ctx, count: number) => {
  const items = Array.from({ length: count }, (_, at) => at);
  return (await ctx.map("all", items, (inner, at) => inner.child(child, at))).length;
});
const parallel = workflow("parallel", async (ctx, count: number) => {
  const items = Array.from({ length: count }, (_, at) => at);
  return (await ctx.map("all", items, (inner, at) => inner.run("step", () => at))).length;
});

/** W3: one run with 1,000 attached children, one with 1,000 parallel steps. */
export async function measureWide(width = 1_000, rounds = 5): Promise<void> {
  await inFolder(async (folder) => {
    const store = sqliteStore({ path: path.join(folder, "w3.db") });
    const claw = await openRuntime({ store, workflows: [child, children, parallel] });
    const { durability } = claw.store;
    for (const [shape, what] of [
      [children, "children"],
      [parallel, "parallel steps"],
    ] as const) {
      progress(`W3: ${width} ${what}, ${rounds} times`);
      const times: number[] = [];
      await (await claw.start(shape, Math.min(100, width))).result();
      const before = cpuSeconds();
      for (let round = 0; round < rounds; round++) {
        const begin = performance.now();
        const count = await (await claw.start(shape, width)).result();
        times.push(performance.now() - begin);
        if (count !== width) throw new Error(`W3 gave ${count} of ${width}`);
      }
      const cpu = ((cpuSeconds() - before) / (rounds * width)) * 1_000;
      const note = `median of ${rounds}, fastest ${Math.min(...times).toFixed(1)} ms`;
      const value = percentile(times, 50);
      report({ workload: "W3", metric: `${width} ${what}`, value, unit: "ms", note }, durability);
      const metric = `cpu per 1000 ${what}`;
      report({ workload: "W3", metric, value: cpu, unit: "s" }, durability);
    }
    await claw.stop();
  });
}
