import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { postgresStore } from "@claw/store-postgres";
import pg from "pg";
import { startPostgres } from "../servers/postgres-server.ts";

// The server counts: what clients send is at top level, what functions do inside is not.

const server = await startPostgres(18, {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.track": "top",
});
const admin = new pg.Client({ connectionString: server.url });
await admin.connect();
await admin.query("CREATE EXTENSION pg_stat_statements");
after(async () => {
  await admin.end();
  await server.stop();
});

const steps = workflow("steps", async (ctx, count: number) => {
  let sum = 0;
  for (let n = 1; n <= count; n++) sum += await ctx.run("add", () => n);
  return sum;
});
/** Statements of a node at work that are not commits: hints, leases, looks at what is due; at bounded times. */
const BESIDE_MAX = 0.5;

interface Counted {
  readonly runs: number;
  readonly commits: number;
  /** Statements that write batches. */
  readonly batches: number;
  /** All statements of the runs' time. */
  readonly all: number;
}

async function counted(window: number, runs: number): Promise<Counted> {
  const schema = `window_${window}`;
  const claw = await openRuntime({
    store: postgresStore({ url: server.url, schema }),
    workflows: [steps],
  });
  try {
    const before = claw.stats().commits;
    await admin.query("SELECT pg_stat_statements_reset()");
    for (let at = 0; at < runs; at += window) {
      const begun = Array.from({ length: window }, async () => claw.start(steps, 5));
      await Promise.all(begun.map(async (run) => (await run).result()));
    }
    const { rows } = await admin.query<{ batches: string; all: string }>(
      `SELECT coalesce(sum(calls) FILTER (WHERE query LIKE '%.commit(%'), 0) AS batches,
         sum(calls) AS all
       FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%'`,
    );
    const [row] = rows;
    return {
      runs,
      commits: claw.stats().commits - before,
      batches: Number(row?.batches),
      all: Number(row?.all),
    };
  } finally {
    await claw.stop();
  }
}

/** What is wrong with figures; empty when a commit is one statement, whatever its size. */
function excess({ commits, batches, all, runs }: Counted): string[] {
  const wrong: string[] = [];
  if (batches !== commits) wrong.push(`${batches} statements for ${commits} commits`);
  if (all / commits > 1 + BESIDE_MAX) wrong.push(`${all} statements beside ${commits} commits`);
  if (batches > runs * 7) wrong.push(`${batches} commits for ${runs} runs of 5 steps`);
  return wrong;
}

test("a commit is one statement, whatever the number of runs in it", async (t) => {
  for (const [window, runs] of [
    [1, 40],
    [16, 320],
    [256, 2_560],
  ] as const) {
    const figures = await counted(window, runs);
    const { commits, batches, all } = figures;
    t.diagnostic(
      `window ${window}: ${(batches / commits).toFixed(2)} statements a commit, ${(all / commits).toFixed(2)} with all others; ` +
        `${(runs / commits).toFixed(1)} runs a commit, ${(all / runs).toFixed(3)} statements a run`,
    );
    assert.deepEqual(excess(figures), []);
  }
});

test("the count notices a statement for each run", () => {
  assert.deepEqual(excess({ runs: 256, commits: 6, batches: 6, all: 7 }), []);
  assert.notDeepEqual(excess({ runs: 256, commits: 6, batches: 6, all: 6 + 256 }), []);
  assert.notDeepEqual(excess({ runs: 256, commits: 6, batches: 12, all: 12 }), []);
  assert.notDeepEqual(excess({ runs: 40, commits: 400, batches: 400, all: 400 }), []);
});
