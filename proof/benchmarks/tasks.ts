import path from "node:path";
import { type Claw, openRuntime } from "@claw/runtime";
import { type AnyTask, task } from "@claw/sdk";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { cpuSeconds, flushMs, inFolder, progress, report } from "./report.ts";

/** Inputs of one call of `enqueueMany`, as of the peers' batched calls. */
const CALL_INPUTS = 1_000;
/** With the field's name the stored input has 200 bytes. */
const INPUT = { x: "y".repeat(192) };
const LOOK_EVERY_MS = 5;

/** Seconds of the clock and of this process's CPU. */
interface Spent {
  readonly seconds: number;
  readonly cpu: number;
}

/** W4: tasks of 200 B, enqueued in calls of 1,000, then drained by a process that finds them in the store. */
export async function measureTasks(count = 200_000): Promise<void> {
  await inFolder(async (folder) => {
    const file = path.join(folder, "w4.db");
    let done = 0;
    const job = task<unknown, void>("job", { queue: "jobs" }, () => {
      done++;
    });
    progress(`W4: ${count} tasks of 200 B, calls of ${CALL_INPUTS}`);
    const isOpen = (): boolean => done < count;
    const flushes = [flushMs(folder)];
    const paused = await open(file, job, 0);
    const { durability } = paused.store;
    const enqueued = await spent(() => enqueueAll(paused, job, count));
    await paused.stop();
    if (done > 0) throw new Error("a task ran before the drain");
    flushes.push(flushMs(folder));
    let claw: Claw | null = null;
    const drained = await spent(async () => {
      claw = await open(file, job, 100);
      while (isOpen()) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      await claw.flush();
    });
    await (claw as Claw | null)?.stop();
    flushes.push(flushMs(folder));
    const note = `N=${count}, flush p50 ${flushes.map((ms) => ms.toFixed(3)).join(", ")} ms before, between, after`;
    figures("enqueue", `enqueueMany, ${CALL_INPUTS} a call, one call at a time; ${note}`, enqueued);
    figures("drain", "one process, opening included, ends durable", drained);
    await verify(file, count, done, durability);

    function figures(what: string, text: string, { seconds, cpu }: Spent): void {
      const common = { workload: "W4", note: text };
      const rate = {
        ...common,
        metric: `${what} tasks/s`,
        value: count / seconds,
        unit: "tasks/s",
      };
      report(rate, durability);
      const each = (cpu / count) * 1_000;
      report(
        { ...common, metric: `${what} cpu per 1000 tasks`, value: each, unit: "s" },
        durability,
      );
    }
  });
}

function open(file: string, job: AnyTask, concurrency: number): Promise<Claw> {
  const queues = { jobs: { concurrency } };
  const store = sqliteStore({ path: file });
  return openRuntime({ store, workflows: [], tasks: [job], queues });
}

async function enqueueAll(claw: Claw, job: AnyTask, count: number): Promise<void> {
  for (let at = 0; at < count; at += CALL_INPUTS) {
    const inputs = Array.from({ length: Math.min(CALL_INPUTS, count - at) }, () => INPUT);
    await claw.enqueueMany(job, inputs);
  }
}

async function spent(work: () => Promise<void>): Promise<Spent> {
  const [cpu, at] = [cpuSeconds(), performance.now()];
  await work();
  return { seconds: (performance.now() - at) / 1_000, cpu: cpuSeconds() - cpu };
}

// The file is opened again by other means: nothing may be left, and nothing may have run twice.
async function verify(
  file: string,
  count: number,
  done: number,
  durability: string,
): Promise<void> {
  const reader = sqliteReader({ path: file });
  const left = reader.tasks.list({ limit: 10 });
  const findings = await reader.check();
  reader.close();
  const figure = { workload: "W4", metric: "tasks left after reopening", unit: "tasks" };
  report({ ...figure, value: left.length, note: `of ${count}, ${done} bodies ran` }, durability);
  if (left.length > 0 || done !== count) throw new Error("not every task ran exactly once");
  if (findings.length > 0) throw new Error(`the store is not sound: ${findings[0]?.message}`);
}
