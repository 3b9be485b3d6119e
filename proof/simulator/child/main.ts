import type { WorldReport } from "../report.ts";
import { runWorld } from "../world.ts";

// One world after the other, as the parent asks for them.
process.on("message", (seed: number) => {
  const begun = performance.now();
  void runWorld(seed, false).then((result) => {
    const { problems, turns, runs, nodes, faults } = result;
    const counts = Object.fromEntries(result.counts);
    const ms = performance.now() - begun;
    const report: WorldReport = { seed, problems, counts, turns, runs, nodes, faults, ms };
    process.send?.(report);
  });
});
process.on("disconnect", () => process.exit());
