import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { EXPECTED } from "./expected.ts";
import { proveMutations } from "./prove-mutations.ts";
import { runSeeds } from "./pool.ts";
import type { WorldReport } from "./report.ts";
import { runWorld } from "./world.ts";

/** Seeds of a full run. */
const SEEDS_DEFAULT = 1_000;
/** From this many seeds on everything must have occurred and the floor holds. */
const FULL_RUN_SEEDS = 200;
/** What the median world must reach; see the design of the simulator. */
const FLOOR = { nodes: 3, runs: 20, turns: 5_000, faults: 3 } as const;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    verbose: { type: "boolean", default: false },
    mutations: { type: "boolean", default: false },
  },
});

if (values.mutations) process.exitCode = (await proveMutations(print)) ? 0 : 1;
else if (values.seed !== undefined) await one(Number(values.seed));
else await many(Number(values.seeds ?? SEEDS_DEFAULT));
process.exit();

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function one(seed: number): Promise<void> {
  const result = await runWorld(seed, values.verbose);
  for (const line of result.trace) print(line);
  const { turns, runs, nodes, faults, problems } = result;
  print(`seed ${seed}: ${nodes} nodes, ${runs} runs, ${turns} turns, ${faults} faults`);
  for (const problem of problems) print(`  ${problem}`);
  if (problems.length > 0) print(`replay: npm run sim -- --seed ${seed} --verbose`);
  print(problems.length > 0 ? "0 passed, 1 failed" : "1 passed, 0 failed");
  process.exitCode = problems.length > 0 ? 1 : 0;
}

async function many(count: number): Promise<void> {
  const text = readFileSync(join(import.meta.dirname, "seeds.json"), "utf8");
  const kept = JSON.parse(text) as number[];
  const fresh = Array.from({ length: count }, (_, at) => at + 1).filter((n) => !kept.includes(n));
  const seeds = [...kept, ...fresh];
  const reports: WorldReport[] = [];
  const begun = performance.now();
  await runSeeds(seeds, (report) => {
    reports.push(report);
    if (report.problems.length > 0) {
      print(`seed ${report.seed} failed: ${report.problems[0]}`);
      print(`replay: npm run sim -- --seed ${report.seed} --verbose`);
    }
    if (reports.length % 100 === 0) process.stderr.write(`${reports.length}/${seeds.length}\n`);
  });
  const seconds = (performance.now() - begun) / 1_000;
  const full = count >= FULL_RUN_SEEDS;
  const missing = summarise(reports, seconds, full);
  const failed = reports.filter(({ problems }) => problems.length > 0).length;
  print(`${reports.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && missing === 0 && reports.length === seeds.length ? 0 : 1;
}

// Prints the counts and medians; answers how many expectations were not met.
function summarise(reports: readonly WorldReport[], seconds: number, full: boolean): number {
  const totals = new Map<string, number>();
  for (const { counts } of reports) {
    for (const [name, count] of Object.entries(counts)) {
      totals.set(name, (totals.get(name) ?? 0) + count);
    }
  }
  for (const name of [...totals.keys()].sort())
    print(`${String(totals.get(name)).padStart(10)}  ${name}`);
  let missing = 0;
  const miss = (what: string): void => {
    print(`not reached: ${what}`);
    if (full) missing++;
  };
  for (const name of EXPECTED) if (!totals.has(name)) miss(name);
  for (const [name, least] of Object.entries(FLOOR)) {
    const median = medianOf(reports.map((report) => report[name as keyof typeof FLOOR]));
    print(`median ${name}: ${median}`);
    if (median < least) miss(`median ${name} of ${least}`);
  }
  print(
    `${(reports.length / seconds).toFixed(1)} seeds/s, slowest ${Math.round(Math.max(...reports.map(({ ms }) => ms)))} ms`,
  );
  return missing;
}

function medianOf(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
}
