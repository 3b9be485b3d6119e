import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { inFolder, percentile, progress, report } from "./report.ts";

const APP = path.join(import.meta.dirname, "first-result-app.ts");

/** W8: from the start of a process to its first result, on an empty store, compile cache warm. */
export async function measureFirstResult(rounds = 9): Promise<void> {
  await inFolder(async (folder) => {
    progress(`W8: ${rounds} processes, each from its start to its first result`);
    const times: number[] = [];
    let durability = "";
    for (let round = -1; round < rounds; round++) {
      const begin = performance.now();
      const child = fork(APP, [path.join(folder, `w8-${round}.db`)], {
        execArgv: ["--disable-warning=ExperimentalWarning"],
        env: { ...process.env, NODE_COMPILE_CACHE: path.join(folder, "compile-cache") },
      });
      const [answer] = (await once(child, "message")) as [{ sum: number; durability: string }];
      // The first process fills the compile cache.
      if (round >= 0) times.push(performance.now() - begin);
      if (answer.sum !== 5) throw new Error(`the run gave ${answer.sum}`);
      durability = answer.durability;
      await once(child, "exit");
    }
    const note = `5-step run; median of ${rounds}; fastest ${Math.min(...times).toFixed(1)} ms`;
    const value = percentile(times, 50);
    report(
      { workload: "W8", metric: "process start to first result", value, unit: "ms", note },
      durability,
    );
  });
}
