import path from "node:path";
import { setImmediate as pass } from "node:timers/promises";
import { type Claw, openRuntime } from "@claw/runtime";
import { event, workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { cpuSeconds, inFolder, progress, report, windowed } from "./report.ts";

const START_AT_ONCE = 1_000;
const WINDOW = 256;
/** Odd and no divisor of any count used: its multiples visit every waiting run once, in no order. */
const STRIDE = 7_919_999;
const Paid = event("bench.paid");
const Opened = event("bench.opened");
let resumed = 0;

const byContent = workflow("by-content", async (ctx, order: number) => {
  await ctx.waitFor(Paid, { match: { order } });
  resumed++;
});
const together = workflow("together", async (ctx) => {
  await ctx.waitFor(Opened);
  resumed++;
});
const beside = workflow("beside", (ctx) => ctx.run("step", () => 1));

// The workflows count while the loop that asks lets them run.
function missing(runs: number): boolean {
  return resumed < runs;
}

/** Events that each find one of very many waiting runs by content, and one event that finds very many. */
export async function measureEvents(
  waiting = 1_000_000,
  events = 100_000,
  crowd = 100_000,
): Promise<void> {
  await inFolder(async (folder) => {
    const store = sqliteStore({ path: path.join(folder, "events.db") });
    const claw = await openRuntime({ store, workflows: [byContent, together, beside] });
    const { durability } = claw.store;
    const seconds = await park(claw, waiting, (at) => claw.start(byContent, at));
    const note = `${waiting} runs that wait for content of their own, in ${seconds.toFixed(1)} s`;
    report(
      { workload: "events", metric: "waits/s", value: waiting / seconds, unit: "runs/s", note },
      durability,
    );
    await measureMatches(claw, waiting, events, durability);
    await park(claw, crowd, () => claw.start(together, undefined));
    await measureCrowd(claw, crowd, durability);
    await claw.stop();
  });
}

async function park(
  claw: Claw,
  count: number,
  start: (at: number) => Promise<unknown>,
): Promise<number> {
  const begin = performance.now();
  for (let done = 0; done < count; done += START_AT_ONCE) {
    if (done % 100_000 === 0) progress(`events: ${done} of ${count} wait`);
    const many = Math.min(START_AT_ONCE, count - done);
    await Promise.all(Array.from({ length: many }, (_, at) => start(done + at)));
  }
  await claw.flush();
  return (performance.now() - begin) / 1_000;
}

async function measureMatches(
  claw: Claw,
  waiting: number,
  events: number,
  durability: string,
): Promise<void> {
  progress(`events: ${events} events, each for one of ${waiting} waiting runs`);
  resumed = 0;
  const before = { cpu: cpuSeconds(), at: performance.now() };
  await windowed(events, WINDOW, async (at) => {
    await claw.publish({ type: Paid.type, data: { order: (at * STRIDE) % waiting } });
  });
  while (missing(events)) await pass();
  await claw.flush();
  const rate = events / ((performance.now() - before.at) / 1_000);
  const cpu = ((cpuSeconds() - before.cpu) / events) * 1_000;
  const note = `window ${WINDOW}, ${events} events in random order, each run to its end`;
  for (const [metric, value, unit] of [
    [`events/s, ${waiting} waiting`, rate, "events/s"],
    ["cpu per 1000 events", cpu, "s"],
  ] as const) {
    report({ workload: "events", metric, value, unit, note }, durability);
  }
}

// While the crowd is told, other runs are started one after the other: how long the slowest took.
async function measureCrowd(claw: Claw, crowd: number, durability: string): Promise<void> {
  progress(`events: one event for ${crowd} waiting runs`);
  resumed = 0;
  const begin = performance.now();
  let slowest = 0;
  const publishing = claw.publish({ type: Opened.type, data: null });
  const published = publishing.then(() => performance.now() - begin);
  while (missing(crowd)) {
    const at = performance.now();
    await (await claw.start(beside, undefined)).result();
    slowest = Math.max(slowest, performance.now() - at);
  }
  await claw.flush();
  const seconds = (performance.now() - begin) / 1_000;
  const note = `one event, ${crowd} waiting runs, each run to its end`;
  for (const [metric, value, unit] of [
    [`runs told by one event/s, ${crowd} waiting`, crowd / seconds, "runs/s"],
    ["one event for many: published after", await published, "ms"],
    ["one event for many: slowest run beside it", slowest, "ms"],
  ] as const) {
    report({ workload: "events", metric, value, unit, note }, durability);
  }
}
