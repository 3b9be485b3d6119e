// npm run bench:peers [-- --only restate,dbos --workloads W1,W2 --partitions 1]: peers and ours in one run.
// JSON lines and the table go to stdout, progress to stderr. What is missing is installed first.
import os from "node:os";
import { parseArgs } from "node:util";
import { compare } from "./compare.ts";
import { type Figures, measureOurs, measurePeer, PEERS, whyNot } from "./measure.ts";
import { installHarness } from "./install.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "restate,dbos" },
    workloads: { type: "string", default: "W1,W2" },
    partitions: { type: "string", default: "1" },
  },
});

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
  for (const name of peers) {
    const env = { ONLY: values.workloads, PARTS: values.partitions };
    theirs.push(await measured(name, () => measurePeer(name, env)));
  }
  ours.push(await measured("ours", () => measureOurs(values.workloads)));
  process.stdout.write(`\n${compare(ours, theirs)}`);
  return [...ours, ...theirs].every(({ ok }) => ok) ? 0 : 1;
}

async function measured(name: string, measure: () => Promise<Figures>): Promise<Figures> {
  const load = (os.loadavg()[0] ?? 0).toFixed(2);
  say(`${name}: ${values.workloads} (load of the machine ${load}) ...`);
  const figures = await measure();
  if (!figures.ok) say(`${name} failed`);
  return figures;
}

function say(text: string): void {
  process.stderr.write(`bench:peers: ${text}\n`);
}
