import * as fs from "node:fs";
import { type Claw, openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { postgresStore } from "@claw/store-postgres";
import pg from "pg";
import { type PostgresServer, startPostgres } from "../servers/postgres-server.ts";
import { cpuSeconds, percentile, report, windowed } from "./report.ts";
import { steps } from "./workflows.ts";

const WINDOW = 256;
const STEPS = 5;
/** Of the kernel, for the times in /proc. */
const TICKS_PER_SECOND = 100;
const VERSION = 18;

const five = steps("five", STEPS);
const sleeper = workflow("sleeper", (ctx) => ctx.sleep("1h"));

/** W1, W2 and W5 on a PostgreSQL of their own, fsync and synchronous_commit on, its CPU included. */
export async function measurePostgres(runs = 20_000, lone = 300, parked = 50_000): Promise<void> {
  const server = await startPostgres(VERSION);
  try {
    await onSchema(server, "w1", (claw) => measureMany(claw, server, runs));
    await onSchema(server, "w2", (claw) => measureLone(claw, lone));
    await onSchema(server, "w5", (claw) => measureParked(claw, server, parked));
  } finally {
    await server.stop();
  }
}

async function onSchema(
  { url }: PostgresServer,
  schema: string,
  measure: (claw: Claw) => Promise<void>,
): Promise<void> {
  const store = postgresStore({ url, schema });
  const claw = await openRuntime({ store, workflows: [five, sleeper] });
  try {
    await measure(claw);
  } finally {
    await claw.stop();
  }
}

async function one(claw: Claw): Promise<void> {
  const sum = await (await claw.start(five, 0)).result();
  if (sum !== STEPS) throw new Error(`a run gave ${sum}`);
}

async function measureMany(claw: Claw, server: PostgresServer, runs: number): Promise<void> {
  await windowed(Math.ceil(runs / 10), WINDOW, () => one(claw));
  const before = { own: cpuSeconds(), server: serverSeconds(server), at: performance.now() };
  await windowed(runs, WINDOW, () => one(claw));
  const seconds = (performance.now() - before.at) / 1_000;
  const own = cpuSeconds() - before.own;
  const theirs = serverSeconds(server) - before.server;
  const { durability } = claw.store;
  const perThousand = (cpu: number): string => ((cpu / runs) * 1_000).toFixed(3);
  const note = `process ${perThousand(own)} s, database ${perThousand(theirs)} s; target 0.20`;
  const value = ((own + theirs) / runs) * 1_000;
  report({ workload: "W1", metric: "runs/s", value: runs / seconds, unit: "runs/s" }, durability);
  report({ workload: "W1", metric: "cpu per 1000 runs", value, unit: "s", note }, durability);
}

async function measureLone(claw: Claw, runs: number): Promise<void> {
  const times: number[] = [];
  const { commits } = claw.stats();
  for (let at = 0; at < runs; at++) {
    const begun = performance.now();
    await one(claw);
    times.push(performance.now() - begun);
  }
  const { durability } = claw.store;
  const perRun = (claw.stats().commits - commits) / runs;
  const p50 = percentile(times, 50);
  report({ workload: "W2", metric: "5 steps p50", value: p50, unit: "ms" }, durability);
  report(
    { workload: "W2", metric: "commits per run", value: perRun, unit: "commits", note: "target 7" },
    durability,
  );
}

async function measureParked(claw: Claw, server: PostgresServer, runs: number): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const size = async (): Promise<number> => {
    const { rows } = await client.query<{ bytes: string }>(
      `SELECT sum(pg_total_relation_size(c.oid)) AS bytes FROM pg_class c
       JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'w5' AND relkind = 'r'`,
    );
    return Number(rows[0]?.bytes);
  };
  try {
    const before = await size();
    await windowed(runs, WINDOW, async () => void (await claw.start(sleeper, undefined)));
    await claw.flush();
    const value = ((await size()) - before) / runs;
    const note = `${runs} runs, ${claw.stats().active} in memory; target 400 when parked in the start transition, else 700`;
    report(
      { workload: "W5", metric: "database per parked run", value, unit: "B", note },
      claw.store.durability,
    );
  } finally {
    await client.end();
  }
}

// User and system time of the server and of all that it has forked, ended ones included.
function serverSeconds(server: PostgresServer): number {
  const own = server.pid;
  const ticks = server.pids().map((pid) => {
    const text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const [user = 0, system = 0, userEnded = 0, systemEnded = 0] = fields.slice(11, 15);
    return user + system + (pid === own ? userEnded + systemEnded : 0);
  });
  return ticks.reduce((sum, part) => sum + part, 0) / TICKS_PER_SECOND;
}
