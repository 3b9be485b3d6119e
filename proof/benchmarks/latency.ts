import path from "node:path";
import { openRuntime } from "@claw/runtime";
import { sqliteStore } from "@claw/store-sqlite";
import { flushMs, inFolder, percentile, progress, report } from "./report.ts";
import { steps } from "./workflows.ts";

const WARM_RUNS = 50;

/** W2: one run at a time, from start call to result, on an idle runtime. */
export async function measureLatency(runs = 300): Promise<void> {
  await inFolder(async (folder) => {
    const store = sqliteStore({ path: path.join(folder, "w2.db") });
    const shapes = [steps("one", 1), steps("five", 5)] as const;
    const claw = await openRuntime({ store, workflows: shapes });
    const { durability } = claw.store;
    for (const [shape, count, spareMs] of [
      [shapes[0], 1, 0.3],
      [shapes[1], 5, 0.5],
    ] as const) {
      progress(`W2: ${runs} runs of ${count} step(s), one at a time`);
      const times: number[] = [];
      const flushes = [flushMs(folder)];
      for (let at = -WARM_RUNS; at < runs; at++) {
        const begin = performance.now();
        await (await claw.start(shape, 0)).result();
        if (at >= 0) times.push(performance.now() - begin);
      }
      flushes.push(flushMs(folder));
      const flush = percentile(flushes, 0);
      const p50 = percentile(times, 50);
      const bound = (count + 1) * flush + spareMs;
      const note = `n=${runs}; flush p50 ${flushes.map((ms) => ms.toFixed(3)).join(" and ")} ms before and after; ${count + 1} flushes + ${spareMs} ms = ${bound.toFixed(3)} ms`;
      report(
        { workload: "W2", metric: `${count}-step p50`, value: p50, unit: "ms", note },
        durability,
      );
      const p99 = percentile(times, 99);
      report({ workload: "W2", metric: `${count}-step p99`, value: p99, unit: "ms" }, durability);
      const beyond = p50 - (count + 1) * flush;
      report(
        {
          workload: "W2",
          metric: `${count}-step p50 beyond its flushes`,
          value: beyond,
          unit: "ms",
        },
        durability,
      );
    }
    await claw.stop();
  });
}
