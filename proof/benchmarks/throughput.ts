import path from "node:path";
import { openRuntime } from "@claw/runtime";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { cpuSeconds, flushMs, inFolder, progress, report, windowed } from "./report.ts";
import { steps } from "./workflows.ts";

const WINDOW = 256;
const WARM_RUNS = 4_000;
const ENTRIES_PER_RUN = 5;

/** W1: runs of 5 no-op durable steps, 256 in flight, client in the same process. */
export async function measureThroughput(runs = 40_000): Promise<void> {
  await inFolder(async (folder) => {
    const file = path.join(folder, "w1.db");
    const five = steps("five", ENTRIES_PER_RUN);
    const claw = await openRuntime({ store: sqliteStore({ path: file }), workflows: [five] });
    const { durability } = claw.store;
    const flush = flushMs(folder);
    const one = async (): Promise<void> => {
      const run = await claw.start(five, 0);
      const sum = await run.result();
      if (sum !== ENTRIES_PER_RUN) throw new Error(`a run gave ${sum}`);
    };
    await windowed(WARM_RUNS, WINDOW, one);
    progress(`W1: ${runs} runs of 5 steps, ${WINDOW} in flight, ${durability}`);
    const before = { cpu: cpuSeconds(), at: performance.now(), stats: claw.stats() };
    await windowed(runs, WINDOW, one);
    const seconds = (performance.now() - before.at) / 1_000;
    const cpu = cpuSeconds() - before.cpu;
    const stats = claw.stats();
    await claw.stop();
    const commits = stats.commits - before.stats.commits;
    const note = `5 steps, window ${WINDOW}, N=${runs}, ${commits} commits, flush p50 ${flush.toFixed(3)} ms`;
    report(
      { workload: "W1", metric: "runs/s", value: runs / seconds, unit: "runs/s", note },
      durability,
    );
    report(
      { workload: "W1", metric: "durable steps/s", value: (5 * runs) / seconds, unit: "steps/s" },
      durability,
    );
    const perThousand = (cpu / runs) * 1_000;
    const whole = "user + system of the whole process, client included";
    report(
      { workload: "W1", metric: "cpu per 1000 runs", value: perThousand, unit: "s", note: whole },
      durability,
    );
    await verify(file, runs + WARM_RUNS, durability);
  });
}

// The file is opened again by other means: every run must be there with all its entries.
async function verify(file: string, expected: number, durability: string): Promise<void> {
  const reader = sqliteReader({ path: file });
  let before: string | undefined;
  let complete = 0;
  for (;;) {
    const page = await reader.list({ limit: 1_000, ...(before === undefined ? {} : { before }) });
    if (page.length === 0) break;
    for (const { id, status } of page) {
      const run = await reader.find(id);
      if (status === "completed" && run?.journal.length === ENTRIES_PER_RUN) complete++;
    }
    before = page.at(-1)?.id;
  }
  reader.close();
  report(
    {
      workload: "W1",
      metric: "runs with all entries after reopening",
      value: complete,
      unit: "runs",
      note: `of ${expected} started`,
    },
    durability,
  );
  if (complete !== expected) throw new Error(`${expected - complete} runs are not whole`);
}
