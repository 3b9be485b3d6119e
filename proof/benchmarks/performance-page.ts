import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Figure } from "./report.ts";

const PAGE = path.join(import.meta.dirname, "..", "..", "docs", "performance.md");

/** One line of the page: which figure of ours stands beside which of the peers. */
interface Line {
  readonly workload: string;
  readonly metric: string;
  readonly says: string;
  /** Best of the peers, measured with the harness in `peers/` on the same kind of machine (quick disk). */
  readonly peer: string;
}

const LINES: readonly Line[] = [
  {
    workload: "W1",
    metric: "runs/s",
    says: "5 durable steps, 256 in flight",
    peer: "Restate 1,444",
  },
  {
    workload: "W1",
    metric: "cpu per 1000 runs",
    says: "the same, CPU of everything",
    peer: "Restate 1.26 s",
  },
  {
    workload: "W2",
    metric: "1-step p50",
    says: "one run of 1 step at a time",
    peer: "DBOS 2.5 ms",
  },
  {
    workload: "W2",
    metric: "5-step p50",
    says: "one run of 5 steps at a time",
    peer: "DBOS 6.0 ms",
  },
  {
    workload: "W3",
    metric: "1000 children",
    says: "1,000 children of one run",
    peer: "Restate 405 ms",
  },
  {
    workload: "W3",
    metric: "1000 parallel steps",
    says: "1,000 parallel steps of one run",
    peer: "Mastra 364 ms (no flush)",
  },
  {
    workload: "W4",
    metric: "enqueue tasks/s",
    says: "tasks enqueued in calls of 1,000",
    peer: "pg-boss 101,802/s",
  },
  {
    workload: "W4",
    metric: "drain tasks/s",
    says: "tasks drained by one process",
    peer: "graphile-worker 44,634/s",
  },
  {
    workload: "W5",
    metric: "memory per parked run, slope",
    says: "memory of a sleeping run",
    peer: "Restate 12,471 B",
  },
  {
    workload: "W5",
    metric: "disk per parked run",
    says: "disk of a sleeping run",
    peer: "Restate 235 B",
  },
  {
    workload: "W6",
    metric: "runs resumed/s, signals",
    says: "waiting runs that get a signal",
    peer: "Mastra 1,572/s",
  },
  {
    workload: "W6",
    metric: "runs resumed/s, events by content",
    says: "waiting runs found by an event's content",
    peer: "",
  },
  {
    workload: "W7",
    metric: "restart to first resumed step",
    says: "kill -9, 1,000 runs: first resumed step",
    peer: "",
  },
  {
    workload: "W7",
    metric: "recovery seconds",
    says: "kill -9, 1,000 runs: all complete",
    peer: "Restate 1.9 s",
  },
  {
    workload: "W8",
    metric: "process start to first result",
    says: "process start to first result",
    peer: "OpenWorkflow 179 ms",
  },
  {
    workload: "events",
    metric: "events/s, 1000000 waiting",
    says: "events that each find one of 1,000,000 waiting runs",
    peer: "",
  },
  {
    workload: "events",
    metric: "runs told by one event/s, 100000 waiting",
    says: "one event for 100,000 waiting runs",
    peer: "",
  },
  {
    workload: "events",
    metric: "one event for many: slowest run beside it",
    says: "the slowest other run of 1 step meanwhile",
    peer: "",
  },
  {
    workload: "journal",
    metric: "resume, steps in a row",
    says: "cold resume, 200,000 steps in a row",
    peer: "",
  },
  {
    workload: "journal",
    metric: "resume, 1000 steps side by side",
    says: "cold resume, 200,000 steps, 1,000 side by side",
    peer: "",
  },
  { workload: "kill9", metric: "lost", says: "acknowledged and lost over random kills", peer: "" },
  {
    workload: "kill9",
    metric: "recorded steps repeated",
    says: "recorded steps repeated over random kills",
    peer: "",
  },
];

/** Writes docs/performance.md from the figures of this run; lines without a figure are left out. */
export function writePage(figures: readonly Figure[], durability: string): void {
  const rows = LINES.flatMap(({ workload, metric, says, peer }) => {
    const figure = figures.find((one) => one.workload === workload && one.metric === metric);
    if (figure === undefined) return [];
    return [`| ${workload} | ${says} | ${shown(figure)} | ${peer} |`];
  });
  const text = `# Performance: ours beside the best peer of each line

Written by \`npm run bench -- --write\`; every figure is of that one run. ${os.availableParallelism()} cores, Node ${process.versions.node},
${durability}, load ${os.loadavg()[0]?.toFixed(1)} at its end. Workloads and peers: proof/benchmarks/peers/README.md.
Peers' figures: the same harness and kind of machine, each with its own durable setting, on a quick disk.

| | | OpenClaw | best peer |
|---|---|---:|---:|
${rows.join("\n")}

What the lines mean, how each is measured, and what our runs showed on a slow disk: proof/benchmarks/README.md.
`;
  fs.writeFileSync(PAGE, text);
}

function shown({ value, unit }: Figure): string {
  const rounded = Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(3));
  return `${rounded.toLocaleString("en-US")} ${unit}`;
}
