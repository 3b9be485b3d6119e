// A show: the hub is killed with SIGKILL while deliveries come in, started again on the same store, and
// everything that it had acknowledged is completed. Run it with `node examples/hub/kill.ts`.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RunSummary } from "@claw/core/protocol";
import { sqliteReader } from "@claw/store-sqlite";
import { allSamples, deliver, type Sample } from "./src/corpus.ts";

const MAIN = join(import.meta.dirname, "..", "..", "apps", "cli", "src", "main.ts");
const SECRET = "the-secret-of-this-show";
const KILL_AFTER = 150;
const SENDERS = 8;
const RUNS_MAX = 10_000;
const SETTLE_MS_MAX = 60_000;

const folder = mkdtempSync(join(tmpdir(), "claw-kill-"));
const store = join(folder, "hub.db");

interface Hub {
  readonly process: ChildProcess;
  readonly url: string;
}

async function startHub(): Promise<Hub> {
  const hub = join(import.meta.dirname, "src", "index.ts");
  const child = spawn(process.execPath, [MAIN, "start", hub, "--store", store, "--port", "0"], {
    cwd: folder,
    env: {
      ...process.env,
      CLAW_GITHUB_SECRET: SECRET,
      CLAW_HUB_DIGESTS: join(folder, "digests"),
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface({ input: child.stderr })) {
    const url = /^ready (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    say(line.replace(store, "hub.db"));
    child.stderr.resume();
    return { process: child, url };
  }
  throw new Error("the hub did not start");
}

/** Delivers until all is delivered or the hub is gone; answers the ids that were acknowledged. */
async function deliverAll(
  hub: Hub,
  samples: ReadonlyMap<string, Sample>,
  onAck: (count: number) => void,
): Promise<{ readonly acked: Set<string>; readonly duplicates: number }> {
  const acked = new Set<string>();
  const waiting = [...samples];
  let duplicates = 0;
  const sender = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [id, sample] = next;
      const answer = await deliver(hub.url, SECRET, id, sample);
      acked.add(id);
      if (answer.status === "duplicate") duplicates += 1;
      onAck(acked.size);
    }
  };
  // A sender whose hub is gone gives up, as GitHub does after its timeout.
  await Promise.allSettled(Array.from({ length: SENDERS }, sender));
  return { acked, duplicates };
}

/** Runs by status, or null while the store is being replaced. */
async function look(): Promise<readonly RunSummary[]> {
  const reader = sqliteReader({ path: store });
  try {
    return await reader.list({ limit: RUNS_MAX });
  } finally {
    reader.close();
  }
}

async function settle(): Promise<readonly RunSummary[]> {
  const deadline = performance.now() + SETTLE_MS_MAX;
  while (performance.now() < deadline) {
    const runs = await look();
    if (runs.every(({ status }) => status !== "running")) return runs;
    await new Promise((next) => setImmediate(next));
  }
  throw new Error("the runs did not settle");
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function countBy(runs: readonly RunSummary[]): string {
  const counts = new Map<string, number>();
  for (const { status } of runs) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
}

/** The delivery ids that runs of the intake were started by. */
function takenIn(runs: readonly RunSummary[]): string[] {
  return runs
    .filter(({ workflow }) => workflow === "intake")
    .map(({ cause }) => cause.slice(cause.lastIndexOf(" ") + 1));
}

async function main(): Promise<void> {
  const samples = new Map(allSamples().map((sample, index) => [`delivery-${index}`, sample]));
  const first = await startHub();
  const died = once(first.process, "close");
  const { acked } = await deliverAll(first, samples, (count) => {
    if (count === KILL_AFTER) first.process.kill("SIGKILL");
  });
  await died;
  say(`kill -9 after ${acked.size} of ${samples.size} deliveries were acknowledged`);
  const left = await look();
  say(`in the file: ${countBy(left)}`);
  const known = new Set(takenIn(left));
  const lost = [...acked].filter((id) => !known.has(id));
  say(`acknowledged but not in the file: ${lost.length}`);

  const second = await startHub();
  const rest = new Map([...samples].filter(([id]) => !acked.has(id)));
  const { acked: late, duplicates } = await deliverAll(second, rest, () => {});
  say(`delivered the other ${late.size}: ${duplicates} were known already`);
  const runs = await settle();
  const ids = takenIn(runs);
  const completed = runs.filter(
    ({ workflow, status }) => workflow === "intake" && status === "completed",
  );
  say(`runs: ${countBy(runs)}`);
  say(
    `deliveries completed: ${completed.length} of ${samples.size}, started twice: ${ids.length - new Set(ids).size}`,
  );
  const ended = once(second.process, "close");
  second.process.kill("SIGTERM");
  await ended;
  const isWhole =
    lost.length === 0 && completed.length === samples.size && new Set(ids).size === ids.length;
  say(isWhole ? "nothing was lost, nothing was done twice" : "NOT AS PROMISED");
  process.exitCode = isWhole ? 0 : 1;
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
