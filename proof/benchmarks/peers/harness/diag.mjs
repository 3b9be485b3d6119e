// Where the PostgreSQL engines spend it: transactions, WAL and statements per 5-step run. RUNS runs, window 64.
import fs from "node:fs";
import path from "node:path";
import { execFileSync } from "node:child_process";
import * as L from "./bench-kit.mjs";
const runs = L.N("RUNS", 300);
let mid = 0;
async function app(file, env) {
  const p = L.startNode(file, [], env);
  await p.next("up");
  p.do = async (op, args, ms = 200000) => {
    const id = ++mid;
    const r = p.next(`r${id}`, ms);
    p.send({ id, op, args });
    const x = await r;
    if (x.error) throw new Error(x.error);
    return x;
  };
  return p;
}
L.main(async () => {
  const pg = await L.startPostgres({ shared_preload_libraries: "pg_stat_statements" });
  const measure = async (peer, ver, url, fn, n = runs) => {
    const rep = L.reporter(peer, ver, L.PG_DUR);
    const c = await L.pgClient(url);
    await c.query("create extension if not exists pg_stat_statements");
    await c.query("select pg_stat_statements_reset()");
    await c.query("checkpoint");
    const d = await L.pgWork(url);
    await fn();
    const w = await d(n);
    rep(
      "W1",
      "writing transactions per 5-step run",
      w.xids,
      "tx",
      `${n} runs; WAL ${L.round(w.wal)} B per run, full-page images after a checkpoint included`,
    );
    const rows = (
      await c.query(
        `select calls, total_exec_time ms, query from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = current_database() and query not ilike '%pg_stat%' order by calls desc limit 14`,
      )
    ).rows;
    const all = (
      await c.query(
        `select sum(calls)::float8 n, sum(total_exec_time) ms from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = current_database() and query not ilike '%pg_stat%'`,
      )
    ).rows[0];
    rep(
      "W1",
      "SQL statements per 5-step run",
      all.n / n,
      "statements",
      `execution ${L.round(all.ms / n)} ms per run`,
    );
    for (const r of rows)
      console.log(
        `${peer}  ${(r.calls / n).toFixed(2)}/run  ${(r.ms / r.calls).toFixed(3)} ms  ${r.query.replace(/\s+/g, " ").slice(0, 150)}`,
      );
    await c.end();
  };
  const which = new Set((process.env.PEERS || "dbos,openworkflow,workflow").split(","));
  if (which.has("dbos")) {
    const url = pg.url("dbosdiag"),
      a = await app("dbos-app.mjs", { SYS_URL: url, POOL: "20" });
    await a.do("throughput", { wf: "five", n: 50, win: 50 });
    await measure("dbos", L.version("@dbos-inc/dbos-sdk"), url, () =>
      a.do("throughput", { wf: "five", n: runs, win: 64 }),
    );
    await L.stop(a, "SIGKILL");
  }
  if (which.has("openworkflow")) {
    const url = await pg.createDb("owdiag"),
      a = await app("openworkflow-app.mjs", { DB_URL: url });
    await a.do("throughput", { wf: "five", n: 20, win: 20 });
    await measure("openworkflow-postgres", L.version("openworkflow"), url, () =>
      a.do("throughput", { wf: "five", n: runs, win: 64 }),
    );
    await L.stop(a, "SIGKILL");
  }
  if (which.has("workflow")) {
    const APP = path.join(L.HERE, "workflow-app"),
      url = await pg.createDb("wfdiag"),
      port = await L.freePort();
    execFileSync(
      process.execPath,
      [path.join(APP, "node_modules/@workflow/world-postgres/bin/setup.js")],
      {
        env: { ...process.env, WORKFLOW_POSTGRES_URL: url, DATABASE_URL: url },
        cwd: APP,
        stdio: "ignore",
      },
    );
    const p = L.start(process.execPath, [path.join(APP, ".output/server/index.mjs")], {
      name: "wf",
      cwd: APP,
      env: {
        ...process.env,
        PORT: String(port),
        NITRO_PORT: String(port),
        HOST: "127.0.0.1",
        NITRO_HOST: "127.0.0.1",
        WORKFLOW_TARGET_WORLD: "@workflow/world-postgres",
        WORKFLOW_POSTGRES_URL: url,
        WORKFLOW_POSTGRES_WORKER_CONCURRENCY: "50",
        WORKFLOW_POSTGRES_MAX_POOL_SIZE: "52",
      },
    });
    const c = await L.pgClient(url),
      done = async () =>
        Number(
          (await c.query(`select count(*) n from workflow.workflow_runs where status='completed'`))
            .rows[0].n,
        );
    const go = async (n) => {
      const d0 = await done();
      await L.until(
        async () =>
          (
            await fetch(`http://127.0.0.1:${port}/op`, {
              method: "POST",
              body: JSON.stringify({ op: "start", name: "five", n, win: 64 }),
              headers: { "content-type": "application/json" },
            })
          ).ok,
        { what: "wf" },
      );
      await L.until(async () => (await done()) - d0 >= n, { timeoutMs: 150000, everyMs: 200 });
    };
    await go(5);
    await measure(
      "workflow",
      JSON.parse(fs.readFileSync(path.join(APP, "node_modules/workflow/package.json"))).version,
      url,
      () => go(60),
      60,
    );
    await c.end();
    await L.stop(p, "SIGKILL");
  }
  await pg.stop();
});
