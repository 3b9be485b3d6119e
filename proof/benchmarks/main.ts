// npm run bench [-- --only W1,W2 --smoke] [-- --only soak --minutes 10]: our figures of the workloads defined beside the peers.
// With --store postgres: W1, W2 and W5 on a PostgreSQL of their own (npm run test:services installs its binaries).
// With --write the figures become docs/performance.md.
// With --smoke everything is small: it shows that the workloads run, its figures mean nothing.
import { parseArgs } from "node:util";
import { measureCrash } from "./crash.ts";
import { measureEvents } from "./events.ts";
import { measureFirstResult } from "./first-result.ts";
import { measureJournal } from "./journal.ts";
import { measureKeyed } from "./keyed.ts";
import { measureKillNine } from "./kill-nine.ts";
import { measureLatency } from "./latency.ts";
import { measureParked } from "./parked.ts";
import { writePage } from "./performance-page.ts";
import { measurePostgres } from "./postgres.ts";
import { progress, reported } from "./report.ts";
import { measureResume } from "./resume.ts";
import { measureSoak } from "./soak.ts";
import { measureStepCost } from "./step-cost.ts";
import { measureTasks } from "./tasks.ts";
import { measureThroughput } from "./throughput.ts";
import { measureWide } from "./wide.ts";

const WORKLOADS: Readonly<Record<string, (smoke: boolean) => Promise<void>>> = {
  W1: (smoke) => (smoke ? measureThroughput(1_000) : measureThroughput()),
  W2: (smoke) => (smoke ? measureLatency(20) : measureLatency()),
  W3: (smoke) => (smoke ? measureWide(50, 1) : measureWide()),
  W5: (smoke) => (smoke ? measureParked(2_000, 4_000) : measureParked()),
  W6: (smoke) => (smoke ? measureResume(200, 1) : measureResume()),
  W4: (smoke) => (smoke ? measureTasks(3_000) : measureTasks()),
  W7: (smoke) => (smoke ? measureCrash(100) : measureCrash()),
  W8: (smoke) => (smoke ? measureFirstResult(1) : measureFirstResult()),
  events: (smoke) => (smoke ? measureEvents(3_000, 300, 1_500) : measureEvents()),
  journal: (smoke) => (smoke ? measureJournal(2_000, 1) : measureJournal()),
  stepcost: (smoke) => (smoke ? measureStepCost(1_000, 1) : measureStepCost()),
  keyed: (smoke) => (smoke ? measureKeyed(300) : measureKeyed()),
  kill9: (smoke) => (smoke ? measureKillNine(5) : measureKillNine()),
  soak: async (smoke) => {
    const isFlat = await measureSoak(smoke ? SMOKE_MINUTES : Number(values.minutes));
    // Seconds are too short to judge.
    if (!isFlat && !smoke) throw new Error("memory or file grows");
  },
};
/** A whole soak lasts long: without a name it is run only with --smoke. */
const BY_NAME_ONLY = "soak";
const SMOKE_MINUTES = 0.1;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    store: { type: "string", default: "sqlite" },
    minutes: { type: "string", default: "10" },
    smoke: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const all = Object.keys(WORKLOADS).filter((name) => values.smoke || name !== BY_NAME_ONLY);
const onPostgres = values.store === "postgres";
if (onPostgres) await (values.smoke ? measurePostgres(500, 10, 1_000) : measurePostgres());
const wanted = onPostgres ? [] : (values.only?.split(",") ?? all);
for (const name of wanted) {
  const measure = WORKLOADS[name];
  if (measure === undefined) {
    progress(`there is no workload ${name}; choose from ${Object.keys(WORKLOADS).join(", ")}`);
    process.exitCode = 2;
    break;
  }
  try {
    await measure(values.smoke);
  } catch (error) {
    progress(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
if (values.write && process.exitCode === undefined) {
  writePage(
    reported.map(({ figure }) => figure),
    reported[0]?.durability ?? "",
  );
}
