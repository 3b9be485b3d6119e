import path from "node:path";
import { setImmediate as pass } from "node:timers/promises";
import { encodeEntry, ENTRY_KINDS } from "@claw/core/protocol";
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { cpuSeconds, inFolder, percentile, progress, report } from "./report.ts";

const WIDTH = 1_000;
const ENTRIES_PER_TRANSITION = 500;
const STARTED_AT = 1_700_000_000_000;

const inARow = workflow("in-a-row", async (ctx, count: number) => {
  let sum = 0;
  for (let at = 0; at < count; at++) sum += await ctx.run("step", () => 1);
  await ctx.receive("go");
  return sum;
});
const sideBySide = workflow("side-by-side", async (ctx, count: number) => {
  let sum = 0;
  const items = Array.from({ length: WIDTH }, (_, at) => at);
  for (let at = 0; at < count / WIDTH; at++) {
    sum += (await ctx.map("wave", items, (inner) => inner.run("step", () => 1))).length;
  }
  await ctx.receive("go");
  return sum;
});

/** A run with a journal of 200,000 entries is taken up again: microseconds an entry, memory. */
export async function measureJournal(entries = 200_000, rounds = 3): Promise<void> {
  for (const [shape, what] of [
    [inARow, "steps in a row"],
    [sideBySide, `${WIDTH} steps side by side`],
  ] as const) {
    const wall: number[] = [];
    const cpu: number[] = [];
    let durability = "";
    for (let round = 0; round < rounds; round++) {
      await inFolder(async (folder) => {
        const store = path.join(folder, "journal.db");
        progress(`journal: ${entries} entries, ${what}, round ${round + 1} of ${rounds}`);
        const id = shape === inARow ? await writeRow(store, entries) : await fill(store, entries);
        const claw = await openRuntime({
          store: sqliteStore({ path: store }),
          workflows: [inARow, sideBySide],
        });
        durability = claw.store.durability;
        const before = { at: performance.now(), cpu: cpuSeconds() };
        await claw.signal(id, "go");
        const sum = await claw.run(id).result();
        wall.push(((performance.now() - before.at) * 1_000) / entries);
        cpu.push(((cpuSeconds() - before.cpu) * 1e6) / entries);
        await claw.stop();
        if (sum !== entries) throw new Error(`the run gave ${String(sum)} of ${entries}`);
      });
    }
    const note = `${entries} entries, from signal to result, median of ${rounds}, cpu ${percentile(cpu, 50).toFixed(2)} us an entry`;
    const metric = `resume, ${what}`;
    const value = percentile(wall, 50);
    report({ workload: "journal", metric, value, unit: "us/entry", note }, durability);
  }
}

// The steps run here, so that the journal is what the runtime writes.
async function fill(store: string, entries: number): Promise<string> {
  const claw = await openRuntime({ store: sqliteStore({ path: store }), workflows: [sideBySide] });
  const { id } = await claw.start(sideBySide, entries);
  while (claw.stats().active > 0) await pass();
  await claw.stop();
  return id;
}

// Steps in a row are a flush each, so their entries are written as the runtime would write them.
async function writeRow(path: string, count: number): Promise<string> {
  const store = sqliteStore({ path });
  const { incarnation } = await store.open();
  const id = "run_01hf7yat000000000000000000";
  const start = {
    id,
    namespace: "default",
    workflow: "in-a-row",
    version: 1,
    input: String(count),
    startedAt: STARTED_AT,
    parentRun: "",
    parentCall: "",
    cause: "",
  };
  const rest = {
    type: "transition",
    run: id,
    namespace: "default",
    startedAt: STARTED_AT,
    dedup: null,
    acks: [],
    waits: [],
    unwaits: [],
    starts: [],
    messages: [],
    events: [],
    phase: null,
    hold: null,
    finish: null,
  } as const;
  let number = 0;
  for (let seq = 0; seq < count; ) {
    const firstSeq = seq + 1;
    let text = "";
    for (; seq < count && seq < firstSeq - 1 + ENTRIES_PER_TRANSITION; seq++) {
      const call = seq === 0 ? "step" : `step#${seq}`;
      const entry = { seq: seq + 1, at: STARTED_AT + seq, call, attempt: 1, print: "", data: "1" };
      text += encodeEntry({ ...entry, kind: ENTRY_KINDS.stepCompleted }, STARTED_AT);
    }
    const park = seq < count ? null : { due: null, waits: 1, inboxSeen: 0 };
    const item = { ...rest, start: firstSeq === 1 ? start : null, entries: text, firstSeq };
    number++;
    await store.commit({ incarnation, number, nowMs: STARTED_AT, items: [{ ...item, seq, park }] });
  }
  await store.close();
  return id;
}
