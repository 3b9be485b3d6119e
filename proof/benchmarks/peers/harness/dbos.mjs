// DBOS Transact for TypeScript on PostgreSQL.
import path from "node:path";
import * as L from "./bench-kit.mjs";
const { want, now, sleep, until } = L;
const rep = L.reporter("dbos", L.version("@dbos-inc/dbos-sdk"), L.PG_DUR);
let mid = 0;
async function app(env) {
  const p = L.startNode("dbos-app.mjs", [], env);
  await p.next("up");
  p.do = async (op, args, ms = 300000) => {
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
  L.noise(rep);
  const pg = await L.startPostgres();
  const url = pg.url("dbos");
  if (want("W8")) {
    const ts = [];
    let t = now(),
      p = L.startNode("dbos-app.mjs", [], { SYS_URL: url, FIRST: "1" });
    await p.next("first");
    rep(
      "W8",
      "cold start, empty database",
      now() - t,
      "ms",
      "PostgreSQL already up; database creation + migrations + launch + 5-step run",
    );
    await L.stop(p, "SIGKILL");
    for (let i = 0; i < 3; i++) {
      t = now();
      p = L.startNode("dbos-app.mjs", [], { SYS_URL: url, FIRST: "1" });
      await p.next("first");
      ts.push(now() - t);
      await L.stop(p, "SIGKILL");
    }
    rep(
      "W8",
      "cold start, migrated database",
      L.pct(ts, 50),
      "ms",
      "process start + launch + 5-step run; median of 3",
    );
  }
  if (want("W1"))
    for (const pool of [10, 20]) {
      const a = await app({ SYS_URL: url, POOL: String(pool) });
      await a.do("throughput", { wf: "five", n: 300, win: 256 });
      const n = L.N("W1_N", 3000),
        pr = L.probe({ postgres: pg.pid, app: a.pid });
      const { secs } = await a.do("throughput", { wf: "five", n, win: 256 });
      rep(
        "W1",
        `runs/s (pool ${pool})`,
        n / secs,
        "runs/s",
        `5 steps, window 256, N=${n}${pool === 10 ? ", default pool" : ""}`,
      );
      rep("W1", `durable steps/s (pool ${pool})`, (5 * n) / secs, "steps/s");
      L.reportCpu((w, m, ...x) => rep(w, `${m} (pool ${pool})`, ...x), "W1", pr(), n);
      await L.stop(a, "SIGKILL");
    }
  let a = await app({ SYS_URL: url, POOL: "20" });
  if (want("W2"))
    for (const [k, wf] of [
      ["1-step", "one"],
      ["5-step", "five"],
      ["0-step", "zero"],
    ]) {
      const { t } = await a.do("latency", { wf, n: 200 });
      rep("W2", `${k} p50`, L.pct(t, 50), "ms", "n=200");
      rep("W2", `${k} p99`, L.pct(t, 99), "ms", "n=200");
    }
  if (want("W3"))
    for (const [k, wf] of [
      ["1000 child workflows", "fan"],
      ["1000 parallel steps", "fanSteps"],
    ]) {
      await a.do("call", { wf, arg: 100 });
      const t = [],
        pr = L.probe({ postgres: pg.pid, app: a.pid });
      for (let i = 0; i < 3; i++) t.push((await a.do("call", { wf, arg: 1000 })).ms);
      rep("W3", k, L.pct(t, 50), "ms", "median of 3, pool 20");
      L.reportCpu((w, m, ...x) => rep(w, `cpu per 1000 children (${k})`, ...x), "W3", pr(), 3000);
    }
  await L.stop(a, "SIGKILL");
  if (want("W4")) {
    const n = 20000;
    for (const [name, q, m] of [
      ["worker concurrency 64, default 1 s poll", { workerConcurrency: 64 }, 640],
      [
        "worker concurrency 1000, 20 ms poll",
        { workerConcurrency: 1000, minPollingIntervalMs: 20 },
        n,
      ],
    ]) {
      const e = await app({ SYS_URL: url, POOL: "20", LISTEN: "", QUEUE: JSON.stringify(q) });
      const pr = L.probe({ postgres: pg.pid, app: e.pid });
      const { secs } = await e.do("enqueue", { n: m, win: 64, payload: "y".repeat(200) });
      if (m === n) {
        rep(
          "W4",
          "enqueue/s",
          n / secs,
          "jobs/s",
          "startWorkflow with queueName, 64 at once, pool 20",
        );
        L.reportCpu((w, k, ...x) => rep(w, `enqueue ${k}`, ...x), "W4", pr(), n);
      }
      await L.stop(e, "SIGKILL");
      const w = await app({ SYS_URL: url, POOL: "20" });
      const pr2 = L.probe({ postgres: pg.pid, app: w.pid });
      const t = now();
      let c;
      const lim = 240000;
      do {
        await sleep(50);
        c = (await w.do("count")).job;
      } while (c < m && now() - t < lim);
      rep(
        "W4",
        `drain jobs/s (${name})`,
        c / ((now() - t) / 1000),
        "jobs/s",
        `${c}/${m} jobs, one worker process, job = workflow without steps`,
      );
      if (m === n) L.reportCpu((w2, k, ...x) => rep(w2, `drain ${k}`, ...x), "W4", pr2(), c);
      await L.stop(w, "SIGKILL");
    }
  }
  if (want("W5")) {
    const n = L.N("W5_N", 10000),
      u = await pg.createDb("dbos5");
    const b = await app({ SYS_URL: u, POOL: "20" });
    await b.do("throughput", { wf: "one", n: 200, win: 64 });
    await sleep(1500);
    const m0 = { app: L.pss(b.pid), pg: L.pss(pg.pid) };
    const c = await L.pgClient(u);
    const sz = async () =>
      Number((await c.query("select pg_database_size(current_database()) s")).rows[0].s);
    const d0 = await sz();
    const { secs } = await b.do("startMany", { wf: "park", n, prefix: "p" });
    while ((await b.do("count")).parked < n) await sleep(50);
    await sleep(5000);
    const m1 = { app: L.pss(b.pid), pg: L.pss(pg.pid) },
      d1 = await sz();
    rep(
      "W5",
      `RSS per parked run (${n})`,
      (m1.app + m1.pg - m0.app - m0.pg) / n,
      "B",
      `PSS delta; app ${L.round((m1.app - m0.app) / n)} B, postgres ${L.round((m1.pg - m0.pg) / n)} B; parked runs stay in app memory`,
    );
    rep("W5", `disk per parked run (${n})`, (d1 - d0) / n, "B", `database size, without WAL`);
    rep("W5", `park rate (${n})`, n / secs, "runs/s");
    rep("W5", "app base PSS", m0.app / 1048576, "MiB");
    rep("W5", "postgres base PSS", m0.pg / 1048576, "MiB", "incl. touched shared buffers");
    const pr = L.probe({ postgres: pg.pid, app: b.pid });
    await sleep(10000);
    const us = pr();
    rep(
      "W5",
      "idle CPU with parked runs",
      ((us.postgres + us.app) / 10) * 100,
      "% of a core",
      `postgres ${L.round(us.postgres * 10)}, app ${L.round(us.app * 10)}; ${n} sleeping`,
    );
    await c.end();
    await L.stop(b, "SIGKILL");
  }
  if (want("W6")) {
    const n = 5000,
      u = await pg.createDb("dbos6"),
      b = await app({ SYS_URL: u, POOL: "20" });
    await b.do("startMany", { wf: "wait", n, prefix: "w" });
    while ((await b.do("count")).parked < n) await sleep(50);
    await sleep(3000);
    const pr = L.probe({ postgres: pg.pid, app: b.pid });
    const r = await b.do("signal", { n, win: 64, prefix: "w" });
    rep(
      "W6",
      "runs resumed/s",
      n / r.secs,
      "runs/s",
      `DBOS.send to recv, same process; sends at ${L.round(n / r.sent)}/s`,
    );
    L.reportCpu(rep, "W6", pr(), n);
    await L.stop(b, "SIGKILL");
  }
  if (want("W7")) {
    const n = 1000,
      file = path.join(L.tmp("crash"), "log"),
      u = await pg.createDb("dbos7");
    let b = await app({ SYS_URL: u, POOL: "20", CRASH_LOG: file });
    await b.do("startMany", { wf: "crash", n, prefix: "c", win: 64 });
    await until(() => L.countLines(file, "C ") >= 1500, { everyMs: 5 });
    const t = now();
    b.kill("SIGKILL");
    await b.ended;
    const before = L.analyseCrash(file);
    b = await app({ SYS_URL: u, POOL: "20", CRASH_LOG: file });
    await until(() => L.distinctDone(file) >= n, { timeoutMs: 150000, everyMs: 50 }).catch(
      () => {},
    );
    const d = (now() - t) / 1000,
      x = L.analyseCrash(file);
    rep(
      "W7",
      "recovery seconds (kill app)",
      d,
      "s",
      `${n} runs x 5 steps of 20 ms; ${before.done} done at kill; ${x.done}/${n} done; ${x.reexec} step bodies run again, of them ${x.dupCompleted} already recorded`,
    );
    rep("W7", "completed steps repeated (kill app)", x.dupCompleted, "steps");
    await L.stop(b, "SIGKILL");
  }
  await pg.stop();
});
