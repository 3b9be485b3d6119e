// Vercel Workflow (npm "workflow") on its PostgreSQL world and on its local (JSON files) world, inside a Nitro
// node-server build. Build first: npm --prefix workflow-app i --legacy-peer-deps && npm --prefix workflow-app run build
import fs from "node:fs";
import path from "node:path";
import { execFileSync } from "node:child_process";
import * as L from "./bench-kit.mjs";
const { want, now, sleep, until } = L;
const APP = path.join(L.HERE, "workflow-app");
const v = (p) =>
  JSON.parse(fs.readFileSync(path.join(APP, "node_modules", p, "package.json"), "utf8")).version;

async function app(env, port) {
  const p = L.start(process.execPath, [path.join(APP, ".output/server/index.mjs")], {
    name: "workflow-app",
    cwd: APP,
    env: {
      ...process.env,
      PORT: String(port),
      NITRO_PORT: String(port),
      HOST: "127.0.0.1",
      NITRO_HOST: "127.0.0.1",
      NODE_ENV: "production",
      ...env,
    },
  });
  p.op = async (body) => {
    const r = await fetch(`http://127.0.0.1:${port}/op`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(280000),
    });
    if (!r.ok) throw new Error(`${r.status} ${(await r.text()).slice(0, 500)} ${L.tail(p.log)}`);
    return r.json();
  };
  p.ready = () =>
    until(
      async () => {
        await fetch(`http://127.0.0.1:${port}/`);
        return true;
      },
      { what: "workflow app", everyMs: 5 },
    );
  return p;
}

L.main(async () => {
  const pg = await L.startPostgres(),
    url = await pg.createDb("wf");
  const rep = L.reporter(
    "workflow",
    `workflow ${v("workflow")}, world-postgres ${v("@workflow/world-postgres")}, nitro ${v("nitro")}`,
    `${L.PG_DUR} (world-postgres)`,
  );
  L.noise(rep);
  execFileSync(
    process.execPath,
    [path.join(APP, "node_modules/@workflow/world-postgres/bin/setup.js")],
    {
      env: { ...process.env, WORKFLOW_POSTGRES_URL: url, DATABASE_URL: url },
      cwd: APP,
      stdio: "ignore",
    },
  );
  const c = await L.pgClient(url);
  const done = async (name) =>
    Number(
      (
        await c.query(
          `select count(*) n from workflow.workflow_runs where status='completed' and name like $1`,
          [`%${name}`],
        )
      ).rows[0].n,
    );
  const CONC = process.env.CONC || "50";
  const env = (x = {}) => ({
    WORKFLOW_TARGET_WORLD: "@workflow/world-postgres",
    WORKFLOW_POSTGRES_URL: url,
    WORKFLOW_POSTGRES_WORKER_CONCURRENCY: CONC,
    WORKFLOW_POSTGRES_MAX_POOL_SIZE: String(Number(CONC) + 2),
    ...x,
  });
  const port = await L.freePort();
  let a = await app(env(), port);
  await a.ready();
  const runs = async (name, n, win) => {
    const d0 = await done(name),
      t = now();
    const s = await a.op({ op: "start", name, n, win });
    let d;
    do {
      await sleep(20);
      d = (await done(name)) - d0;
    } while (d < n && now() - t < 200000);
    return { secs: (now() - t) / 1000, d, startMs: s.ms };
  };
  await runs("five", 20, 20);
  if (want("W1")) {
    const n = L.N("W1_N", 500),
      pr = L.probe({ postgres: pg.pid, app: a.pid });
    const r = await runs("five", n, 256);
    rep(
      "W1",
      "runs/s",
      r.d / r.secs,
      "runs/s",
      `5 steps, all ${n} started at once (256 starts at a time), ${r.d} done; worker concurrency ${CONC} (default 10), starts at ${L.round(n / (r.startMs / 1000))}/s`,
    );
    rep("W1", "durable steps/s", (5 * r.d) / r.secs, "steps/s");
    L.reportCpu(rep, "W1", pr(), r.d);
  }
  if (want("W2"))
    for (const [k, name] of [
      ["1-step", "one"],
      ["5-step", "five"],
    ]) {
      const t = [];
      for (let i = 0; i < 40; i++) {
        const r = await runs(name, 1, 1);
        t.push(r.secs * 1000);
      }
      rep(
        "W2",
        `${k} p50`,
        L.pct(t, 50),
        "ms",
        "n=40; completion seen in the database, polled every 20 ms (run.returnValue polls every 1 s)",
      );
      rep("W2", `${k} p99`, L.pct(t, 99), "ms", "n=40");
    }
  if (want("W3")) {
    const pr = L.probe({ postgres: pg.pid, app: a.pid }),
      d0 = await done("fan"),
      t = now();
    await a.op({ op: "start", name: "fan", arg: 1000 });
    let ok = await until(async () => (await done("fan")) > d0, {
      timeoutMs: 180000,
      everyMs: 50,
    }).then(
      () => 1,
      () => 0,
    );
    rep(
      "W3",
      "1000 parallel steps",
      ok ? now() - t : Infinity,
      "ms",
      ok ? "one run" : "not complete after 180 s",
    );
    if (ok) L.reportCpu(rep, "W3", pr(), 1000);
  }
  if (want("W5")) {
    const n = L.N("W5_N", 2000);
    await sleep(2000);
    const sz = async () =>
      Number((await c.query("select pg_database_size(current_database()) s")).rows[0].s);
    const m0 = { a: L.pss(a.pid), p: L.pss(pg.pid) },
      d0 = await sz(),
      t = now();
    await a.op({ op: "start", name: "park", n, win: 64 });
    const parked = async () =>
      Number((await c.query(`select count(*) n from workflow.workflow_waits`)).rows[0].n);
    const ok = await until(async () => (await parked()) >= n, {
      timeoutMs: 150000,
      everyMs: 100,
    }).then(
      () => 1,
      (e) => 0,
    );
    const s = (now() - t) / 1000;
    await sleep(4000);
    const m1 = { a: L.pss(a.pid), p: L.pss(pg.pid) },
      d1 = await sz();
    rep(
      "W5",
      `RSS per parked run (${n})`,
      (m1.a + m1.p - m0.a - m0.p) / n,
      "B",
      `PSS delta; app ${L.round((m1.a - m0.a) / n)}, postgres ${L.round((m1.p - m0.p) / n)}; ${ok ? "all parked" : "not all parked"}`,
    );
    rep("W5", `disk per parked run (${n})`, (d1 - d0) / n, "B", `database size, no WAL`);
    rep("W5", `park rate (${n})`, n / s, "runs/s");
  }
  if (want("W6")) {
    const n = L.N("W6_N", 1000);
    await a.op({ op: "start", name: "wait", n, win: 64, prefix: "h" });
    await until(
      async () =>
        Number((await c.query("select count(*) n from workflow.workflow_hooks")).rows[0].n) >= n,
      { timeoutMs: 150000, everyMs: 100, what: "hooks" },
    );
    await sleep(1000);
    const d0 = await done("wait"),
      pr = L.probe({ postgres: pg.pid, app: a.pid }),
      t = now();
    await a.op({ op: "signal", n, win: 64, prefix: "h" });
    await until(async () => (await done("wait")) - d0 >= n, {
      timeoutMs: 150000,
      everyMs: 50,
      what: "resume",
    });
    rep(
      "W6",
      "runs resumed/s",
      n / ((now() - t) / 1000),
      "runs/s",
      `hook resume, N=${n}, to run completed`,
    );
    L.reportCpu(rep, "W6", pr(), n);
  }
  if (want("W7")) {
    const n = L.N("W7_N", 200),
      file = path.join(L.tmp("crash"), "log");
    await L.stop(a, "SIGKILL");
    a = await app(env({ CRASH_LOG: file }), port);
    await a.ready();
    await a.op({ op: "start", name: "crash", n, win: 64, prefix: "c" });
    await until(() => L.countLines(file, "E ") >= n * 1.5, {
      everyMs: 5,
      timeoutMs: 100000,
      what: "half way",
    });
    const t = now();
    a.kill("SIGKILL");
    await a.ended;
    const b = L.analyseCrash(file);
    a = await app(env({ CRASH_LOG: file }), port);
    await a.ready();
    const lim = 100000,
      ok = await until(() => L.distinctDone(file) >= n, { timeoutMs: lim, everyMs: 50 }).then(
        () => 1,
        () => 0,
      );
    const x = L.analyseCrash(file);
    rep(
      "W7",
      "recovery seconds (kill app)",
      ok ? (now() - t) / 1000 : Infinity,
      "s",
      `${n} runs x 5 steps of 20 ms; ${b.done} done at kill, ${x.done} at end${ok ? "" : ` (gave up after ${lim / 1000} s: jobs locked by the dead graphile worker wait 4 h)`}; ${x.reexec} step bodies run again`,
    );
  }
  await L.stop(a, "SIGKILL");
  if (want("W8")) {
    const ts = [];
    for (let i = 0; i < 3; i++) {
      const d0 = await done("five"),
        t = now();
      a = await app(env(), port);
      await a.ready();
      await a.op({ op: "start", name: "five" });
      await until(async () => (await done("five")) > d0, { everyMs: 5 });
      ts.push(now() - t);
      await L.stop(a, "SIGKILL");
    }
    rep(
      "W8",
      "cold start, migrated database",
      L.pct(ts, 50),
      "ms",
      "built Nitro server start to first 5-step run completed; median of 3",
    );
  }
  await c.end();
  await pg.stop();
});
