import path from "node:path";
import { setImmediate as pass } from "node:timers/promises";
import { openRuntime } from "@claw/runtime";
import { event, workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { cpuSeconds, inFolder, percentile, progress, report, windowed } from "./report.ts";

const WINDOW = 256;
const Paid = event("bench.paid");
let resumed = 0;

const bySignal = workflow("by-signal", async (ctx) => {
  await ctx.receive("go");
  resumed++;
});
const byEvent = workflow("by-event", async (ctx, order: number) => {
  await ctx.waitFor(Paid, { match: { order } });
  resumed++;
});

// The workflows count while the loop that asks lets them run.
function missing(runs: number): boolean {
  return resumed < runs;
}

/** W6: waiting runs that get a signal each, and waiting runs that are found by an event's content. */
export async function measureResume(runs = 5_000, rounds = 5): Promise<void> {
  await inFolder(async (folder) => {
    const store = sqliteStore({ path: path.join(folder, "w6.db") });
    const claw = await openRuntime({ store, workflows: [bySignal, byEvent] });
    const { durability } = claw.store;
    const signals = async (): Promise<(at: number) => Promise<unknown>> => {
      const starts = Array.from({ length: runs }, () => claw.start(bySignal, undefined));
      const ids = (await Promise.all(starts)).map((run) => run.id);
      return (at) => claw.signal(ids[at] ?? "", "go");
    };
    const events = async (round: number): Promise<(at: number) => Promise<unknown>> => {
      const first = round * runs;
      await Promise.all(Array.from({ length: runs }, (_, at) => claw.start(byEvent, first + at)));
      return (at) => claw.publish({ type: Paid.type, data: { order: first + at } });
    };
    for (const [what, prepare] of [
      ["signals", signals],
      ["events by content", events],
    ] as const) {
      progress(`W6: ${runs} waiting runs, ${what}, ${rounds} times`);
      const rates: number[] = [];
      let cpu = 0;
      for (let round = 0; round < rounds; round++) {
        const wake = await prepare(round);
        await claw.flush();
        resumed = 0;
        const before = { cpu: cpuSeconds(), at: performance.now() };
        await windowed(runs, WINDOW, async (at) => void (await wake(at)));
        while (missing(runs)) await pass();
        await claw.flush();
        rates.push(runs / ((performance.now() - before.at) / 1_000));
        cpu += cpuSeconds() - before.cpu;
      }
      const value = percentile(rates, 50);
      const note = `window ${WINDOW}, median of ${rounds}, best ${Math.round(Math.max(...rates))}`;
      report(
        { workload: "W6", metric: `runs resumed/s, ${what}`, value, unit: "runs/s", note },
        durability,
      );
      const metric = `cpu per 1000 resumed, ${what}`;
      report(
        { workload: "W6", metric, value: (cpu / (runs * rounds)) * 1_000, unit: "s" },
        durability,
      );
    }
    await claw.stop();
  });
}
