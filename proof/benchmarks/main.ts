// npm run bench [-- --only W1,W2]: our figures of the workloads defined beside the peers.
import { parseArgs } from "node:util";
import { measureCrash } from "./crash.ts";
import { measureFirstResult } from "./first-result.ts";
import { measureLatency } from "./latency.ts";
import { progress } from "./report.ts";
import { measureThroughput } from "./throughput.ts";

const WORKLOADS: Readonly<Record<string, () => Promise<void>>> = {
  W1: () => measureThroughput(),
  W2: () => measureLatency(),
  W7: () => measureCrash(),
  W8: () => measureFirstResult(),
};

const { values } = parseArgs({ options: { only: { type: "string" } } });
const wanted = values.only?.split(",") ?? Object.keys(WORKLOADS);
for (const name of wanted) {
  const measure = WORKLOADS[name];
  if (measure === undefined) {
    progress(`there is no workload ${name}; choose from ${Object.keys(WORKLOADS).join(", ")}`);
    process.exitCode = 2;
    break;
  }
  try {
    await measure();
  } catch (error) {
    progress(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
