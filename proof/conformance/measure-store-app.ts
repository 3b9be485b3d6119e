import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Batch, CommitItem, Store, Transition } from "@claw/core/ports";
import { encodeEntry, newRunId, type RunId, type StartRow } from "@claw/core/protocol";
import { sqliteStore } from "@claw/store-sqlite";

// What a store costs by itself: CPU microseconds per run of STEPS steps, in batches of BATCH runs, each
// run with one transition per commit, as the runtime sends them. Usage: measure-store-app.ts [runs] [batch] [steps]
const [runs = 51_200, batchSize = 256, steps = 5] = process.argv.slice(2).map(Number);

const NOTHING = {
  type: "transition" as const,
  namespace: "default",
  start: null,
  dedup: null,
  entries: "",
  acks: [],
  waits: [],
  unwaits: [],
  starts: [],
  messages: [],
  events: [],
  phase: null,
  park: null,
  hold: null,
  finish: null,
};

function startRow(id: RunId, startedAt: number): StartRow {
  return {
    id,
    namespace: "default",
    workflow: "five-steps",
    version: 1,
    input: "1",
    startedAt,
    parentRun: "",
    parentCall: "",
    cause: "",
  };
}

function word(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

// All transitions of one group of runs, by commit; made before the clock starts.
function group(nowMs: number): CommitItem[][] {
  const commits: CommitItem[][] = Array.from({ length: steps + 1 }, () => []);
  for (let n = 0; n < batchSize; n++) {
    const id = newRunId(nowMs, word() % 4096, [word(), word(), word()]);
    const start = startRow(id, nowMs);
    const common = { ...NOTHING, run: id, startedAt: nowMs };
    let journal = "";
    commits[0]?.push({ ...common, start, firstSeq: 1, seq: 0 } satisfies Transition);
    for (let seq = 1; seq <= steps; seq++) {
      const at = nowMs + seq;
      const entries = encodeEntry(
        { seq, at, kind: "s", call: `step-${seq}`, attempt: 1, print: "1x2y3z4", data: "1" },
        nowMs,
      );
      journal += entries;
      const finish = {
        start,
        ending: {
          status: "completed" as const,
          endedAt: at,
          output: "1",
          error: null,
          abandoned: [],
        },
        journal,
        hadJournal: true,
        hadWaits: false,
        hadInbox: false,
      };
      const last = seq === steps ? finish : null;
      commits[seq]?.push({ ...common, entries, firstSeq: seq, seq, finish: last });
    }
  }
  return commits;
}

const folder = mkdtempSync(join(process.env["CLAW_MEASURE_IN"] ?? tmpdir(), "claw-measure-"));
const path = join(folder, "claw.db");
const store: Store = sqliteStore({ path });
const { incarnation } = await store.open();
let number = 0;
const spent = { cpu: 0, user: 0, wall: 0 };
for (let done = 0; done < runs; done += batchSize) {
  const commits = group(Date.now());
  const cpu = process.cpuUsage();
  const wall = performance.now();
  for (const items of commits) {
    const batch: Batch = { incarnation, number: ++number, nowMs: Date.now(), items };
    await store.commit(batch);
  }
  if (done < 4 * batchSize) continue;
  const { user, system } = process.cpuUsage(cpu);
  spent.cpu += user + system;
  spent.user += user;
  spent.wall += (performance.now() - wall) * 1_000;
}
const measured = runs - 4 * batchSize;
const each = (us: number): string => (us / measured).toFixed(2);
process.stdout.write(
  `us per run of ${steps} steps, batches of ${batchSize}: cpu ${each(spent.cpu)} ` +
    `(user ${each(spent.user)}), wall ${each(spent.wall)}; ` +
    `file ${(statSync(path).size / runs).toFixed(0)} bytes per run\n`,
);
await store.close();
rmSync(folder, { recursive: true });
