// npm run bench:peers [-- --only restate,dbos --workloads W1,W2 --partitions 1 --rounds 1]: peers and ours in one run.
// JSON lines and the table go to stdout, progress to stderr. What is missing is installed first.
import os from "node:os";
import { parseArgs } from "node:util";
import { flushMs, inFolder } from "../report.ts";
import { compare } from "./compare.ts";
import { type Figures, measureOurs, measurePeer, PEERS, whyNot } from "./measure.ts";
import { installHarness } from "./install.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "restate,dbos" },
    workloads: { type: "string", default: "W1,W2" },
    partitions: { type: "string", default: "1" },
    rounds: { type: "string", default: "1" },
  },
});

// A disk and neighbours that change from minute to minute move everything that waits for them.
const conditions: string[] = [];

process.exitCode = await main();

async function main(): Promise<number> {
  const wanted = values.only.split(",");
  const unknown = wanted.filter((name) => !PEERS.includes(name));
  if (unknown.length > 0) {
    say(`there is no peer ${unknown.join(", ")}; choose from ${PEERS.join(", ")}`);
    return 2;
  }
  const peers = wanted.filter((name) => {
    const reason = whyNot(name);
    if (reason !== null) say(`${name} is left out: ${reason}`);
    return reason === null;
  });
  if (!(await installHarness(say))) return 1;
  // Ours before and after the peers: the machine is not the same from minute to minute.
  const ours: Figures[] = [await measured("ours", () => measureOurs(values.workloads))];
  const theirs: Figures[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const name of peers) {
      const env = { ONLY: values.workloads, PARTS: values.partitions };
      theirs.push(await measured(name, () => measurePeer(name, env)));
    }
    ours.push(await measured("ours", () => measureOurs(values.workloads)));
  }
  process.stdout.write(`\n${compare(ours, theirs)}\nBefore each part:\n`);
  for (const line of conditions) process.stdout.write(`  ${line}\n`);
  return [...ours, ...theirs].every(({ ok }) => ok) ? 0 : 1;
}

async function measured(name: string, measure: () => Promise<Figures>): Promise<Figures> {
  const load = (os.loadavg()[0] ?? 0).toFixed(2);
  const flush = (await inFolder(async (folder) => flushMs(folder))).toFixed(2);
  conditions.push(`${name}: load ${load}, flush p50 ${flush} ms`);
  say(`${name}: ${values.workloads} (load of the machine ${load}, flush p50 ${flush} ms) ...`);
  const figures = await measure();
  if (!figures.ok) say(`${name} failed`);
  return figures;
}

function say(text: string): void {
  process.stderr.write(`bench:peers: ${text}\n`);
}
