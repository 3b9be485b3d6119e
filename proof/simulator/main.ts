import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CROWD_SEEDS } from "./crowd.ts";
import { EXPECTED } from "./expected.ts";
import { proveMutations } from "./prove-mutations.ts";
import { runSeeds } from "./pool.ts";
import type { WorldReport } from "./report.ts";
import { writeCounts, writePlanted } from "./proof-page.ts";
import { runWorld } from "./world.ts";

/** Seeds of a full run. */
const SEEDS_DEFAULT = 2_000;
/** From this many seeds on everything must have occurred and the floor holds. */
const FULL_RUN_SEEDS = 200;
/** Seeds of a soak between two lines, unless `--seeds` says another number. */
const SOAK_SEEDS = 100;
/** Of so many worlds one more is of several nodes at once. */
const CROWD_SHARE = 4;
const SEEDS_FILE = join(import.meta.dirname, "seeds.json");
/** What the median world must reach; see the design of the simulator. */
const FLOOR = { nodes: 3, runs: 20, turns: 5_000, faults: 3 } as const;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    verbose: { type: "boolean", default: false },
    mutations: { type: "boolean", default: false },
    forever: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});

if (values.mutations) await planted();
else if (values.forever) await forever();
else if (values.seed !== undefined) await one(Number(values.seed));
else await many(Number(values.seeds ?? SEEDS_DEFAULT));
process.exit();

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function planted(): Promise<void> {
  const lines: string[] = [];
  const sound = await proveMutations((line) => {
    lines.push(line);
    print(line);
  });
  if (values.write) writePlanted(lines);
  process.exitCode = sound ? 0 : 1;
}

// Until a seed fails or somebody stops it; a machine that is free overnight has this to do.
async function forever(): Promise<void> {
  const begun = performance.now();
  let seed = Number(values.seed ?? 1) - 1;
  let done = 0;
  const failed: number[] = [];
  const between = Number(values.seeds ?? SOAK_SEEDS);
  while (failed.length === 0) {
    const seeds = Array.from({ length: between }, () => ++seed);
    await runSeeds(seeds, (report) => {
      done++;
      if (failedSeed(report)) failed.push(report.seed);
      return failed.length > 0;
    });
    const seconds = Math.round((performance.now() - begun) / 1_000);
    print(
      `${done} worlds up to seed ${seed} in ${seconds} s, ${failed.length > 0 ? "one failed" : "all passed"}`,
    );
  }
  process.exitCode = 1;
}

// Prints a failure and, with --keep, has every later run begin with it. True when it has failed.
function failedSeed({ seed, problems }: WorldReport): boolean {
  if (problems.length === 0) return false;
  print(`seed ${seed} failed: ${problems[0]}`);
  print(`replay: npm run sim -- --seed ${seed} --verbose`);
  const kept = keptSeeds();
  if (values.keep && !kept.includes(seed)) {
    const text = [...kept, seed].sort((a, b) => a - b).join(", ");
    writeFileSync(SEEDS_FILE, `[${text}]\n`);
  }
  return true;
}

function keptSeeds(): number[] {
  return JSON.parse(readFileSync(SEEDS_FILE, "utf8")) as number[];
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
  const kept = keptSeeds();
  const fresh = Array.from({ length: count }, (_, at) => at + 1).filter((n) => !kept.includes(n));
  const crowds = Array.from(
    { length: Math.ceil(count / CROWD_SHARE) },
    (_, at) => CROWD_SEEDS + at,
  );
  const seeds = [...kept, ...fresh, ...crowds.filter((n) => !kept.includes(n))];
  const reports: WorldReport[] = [];
  const begun = performance.now();
  await runSeeds(seeds, (report) => {
    reports.push(report);
    failedSeed(report);
    if (reports.length % 100 === 0) process.stderr.write(`${reports.length}/${seeds.length}\n`);
  });
  const seconds = (performance.now() - begun) / 1_000;
  const full = count >= FULL_RUN_SEEDS;
  const missing = summarise(reports, seconds, full);
  if (values.write) writeCounts(reports, seconds);
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
