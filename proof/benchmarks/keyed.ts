import path from "node:path";
import { type Claw, openRuntime, type RunHandle } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { cpuSeconds, inFolder, progress, report } from "./report.ts";

/** Starts under way at once. */
const WINDOW = 256;

const counter = workflow(
  "counter",
  { key: (name: string) => name, mailbox: { max: 1_000_000 }, initialState: 0 },
  async (ctx, name) => {
    if (name === "one" && ctx.state.get() === 0) await ctx.receive("go");
    ctx.state.set(ctx.state.get() + 1);
  },
);

const plain = workflow("plain", (ctx, name: string) => ctx.info.id === name);

/** Seconds of the clock and of this process's CPU for so many runs. */
interface Spent {
  readonly seconds: number;
  readonly cpu: number;
}

/** Runs of keys: as many keys with one run each, then as many runs behind one key. */
export async function measureKeyed(count = 10_000): Promise<void> {
  await inFolder(async (folder) => {
    const store = sqliteStore({ path: path.join(folder, "keyed.db") });
    const claw = await openRuntime({ store, workflows: [counter, plain] });
    const { durability } = claw.store;
    const figures = (metric: string, { seconds, cpu }: Spent, note: string): void => {
      const per = { workload: "keyed", note };
      const rate = { ...per, metric: `${metric} runs/s`, value: count / seconds, unit: "runs/s" };
      report(rate, durability);
      const each = (cpu / count) * 1_000;
      report({ ...per, metric: `${metric} cpu per 1000`, value: each, unit: "s" }, durability);
    };
    progress(`keyed: ${count} runs without a key, ${count} keys, ${count} runs behind one key`);
    const names = Array.from({ length: count }, (_, at) => `key ${at}`);
    const without = await spent(() => each(names, (name) => claw.start(plain, name)));
    figures("no key", without, "the same number of runs, started and ended");
    const keys = await spent(() => each(names, (name) => claw.start(counter, name)));
    figures("one run a key", keys, "started and ended, each sets the state of its key");
    await measureOneKey(claw, count, figures);
    await claw.stop();
  });
}

async function measureOneKey(
  claw: Claw,
  count: number,
  figures: (metric: string, spent: Spent, note: string) => void,
): Promise<void> {
  const first = await claw.start(counter, "one");
  const behind = Array.from({ length: count }, () => "one");
  const handles: RunHandle[] = [];
  const queued = await spent(() =>
    each(behind, async (name) => {
      handles.push(await claw.start(counter, name));
      return null;
    }),
  );
  figures("queued behind one key", queued, "started only: each waits in the store");
  const { waiting } = await claw.state(counter, "one");
  if (waiting !== count) throw new Error(`${waiting} of ${count} runs wait`);
  const drained = await spent(async () => {
    await claw.signal(first.id, "go");
    await Promise.all(handles.map((handle) => handle.result()));
  });
  figures(
    "one key, drained",
    drained,
    "one after the other: a commit and a look-up between two of them",
  );
  const { state } = await claw.state(counter, "one");
  if (state !== count + 1) throw new Error(`the state is ${state} after ${count + 1} runs`);
}

async function each(
  names: readonly string[],
  start: (name: string) => Promise<RunHandle | null>,
): Promise<void> {
  let at = 0;
  const worker = async (): Promise<void> => {
    for (let name = names[at++]; name !== undefined; name = names[at++]) {
      await (await start(name))?.result();
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
}

async function spent(work: () => Promise<void>): Promise<Spent> {
  const [cpu, at] = [cpuSeconds(), performance.now()];
  await work();
  return { seconds: (performance.now() - at) / 1_000, cpu: cpuSeconds() - cpu };
}
