// Queue peers: graphile-worker and pg-boss on PostgreSQL, BullMQ on Redis (appendfsync always and everysec).
// Each: W4 (20k jobs in, then drained by one worker process), W5 (delayed jobs parked), W7 (kill -9 the worker), W8.
import path from "node:path";
import * as L from "./bench-kit.mjs";
const { want, now, sleep, until } = L;
const payload = { x: "y".repeat(190) };
const n = 20000;
const ask = (h) => {
  const r = h.next("count");
  h.send({ type: "count" });
  return r;
};
async function worker(env) {
  const p = L.startNode("queues-worker.mjs", [], env);
  await p.next("up");
  return p;
}

async function suite(peer, rep, srv, env, q) {
  if (want("W4")) {
    for (const tuned of ["", "1"]) {
      if (tuned && !q.tuned) continue;
      const name = tuned ? q.tuned : q.plain;
      if (!tuned || !q.sameEnqueue) {
        for (const [k, f] of q.enqueue) {
          const m = k.startsWith("one") ? 5000 : n;
          const pr = L.probe({ server: srv.pid }),
            s = await f(m);
          rep("W4", `enqueue/s (${k})`, m / s, "jobs/s", `N=${m}`);
          L.reportCpu((w, c, ...x) => rep(w, `enqueue ${c} (${k})`, ...x), "W4", pr(), m);
        }
        await q.clear();
      }
      const dn = tuned ? n : q.plainN || n;
      await q.enqueue[0][1](dn);
      const h = await worker({ ...env, TUNED: tuned });
      const pr = L.probe({ server: srv.pid, worker: h.pid }),
        t = now();
      let c;
      do {
        await sleep(25);
        c = (await ask(h)).job;
      } while (c < dn && now() - t < 180000);
      rep(
        "W4",
        `drain jobs/s (${name})`,
        c / ((now() - t) / 1000),
        "jobs/s",
        `${c}/${dn} jobs, one worker process`,
      );
      L.reportCpu((w, k, ...x) => rep(w, `drain ${k} (${name})`, ...x), "W4", pr(), c);
      await L.stop(h, "SIGKILL");
      await q.clear();
    }
  }
  if (want("W2") && q.one) {
    const h = await worker(env);
    const t = [];
    for (let i = 0; i < 120; i++) {
      const a = now(),
        f = h.next("first");
      await q.one();
      await f;
      if (i >= 20) t.push(now() - a);
    }
    rep("W2", "job add to job start p50", L.pct(t, 50), "ms", "n=100, idle worker");
    rep("W2", "job add to job start p99", L.pct(t, 99), "ms", "n=100");
    await L.stop(h, "SIGKILL");
  }
  if (want("W5")) {
    const h = await worker(env);
    await sleep(1000);
    const m0 = { s: L.pss(srv.pid), w: L.pss(h.pid) },
      d0 = await q.size();
    await q.delayed(10000);
    await sleep(3000);
    const m1 = { s: L.pss(srv.pid), w: L.pss(h.pid) },
      d1 = await q.size();
    rep(
      "W5",
      "RSS per parked job (10000)",
      (m1.s + m1.w - m0.s - m0.w) / 10000,
      "B",
      `PSS delta; server ${L.round((m1.s - m0.s) / 10000)}, worker ${L.round((m1.w - m0.w) / 10000)}; a delayed job, not a workflow`,
    );
    rep("W5", "disk per parked job (10000)", (d1 - d0) / 10000, "B", `${q.sizeNote}`);
    await L.stop(h, "SIGKILL");
    await q.clear();
  }
  if (want("W7")) {
    const file = path.join(L.tmp("crash"), `${peer}-${Math.random()}`);
    let h = await worker({ ...env, CONC: "1000", CRASH_LOG: file });
    await q.crash(1000);
    await until(() => L.countLines(file, "D ") >= 200, { everyMs: 2, what: "first jobs" });
    const t = now();
    h.kill("SIGKILL");
    await h.ended;
    const b = L.analyseCrash(file);
    h = await worker({ ...env, CONC: "1000", CRASH_LOG: file });
    const lim = Number(process.env.W7_MAX || 100000);
    const ok = await until(() => L.distinctDone(file) >= 1000, {
      timeoutMs: lim,
      everyMs: 50,
    }).then(
      () => 1,
      () => 0,
    );
    const a = L.analyseCrash(file);
    rep(
      "W7",
      "recovery seconds (kill worker)",
      ok ? (now() - t) / 1000 : Infinity,
      "s",
      `${ok ? "" : `not complete after ${lim / 1000} s; `}1000 one-step jobs of 100 ms; ${b.done} done at kill, ${a.done} at end; ${a.reexec} bodies run again; ${q.crashNote}`,
    );
    await L.stop(h, "SIGKILL");
  }
  if (want("W8")) {
    const ts = [];
    for (let i = 0; i < 3; i++) {
      await q.one();
      const t = now();
      const h = L.startNode("queues-worker.mjs", [], env);
      await h.next("first");
      ts.push(now() - t);
      await L.stop(h, "SIGKILL");
      await sleep(200);
    }
    rep(
      "W8",
      "cold start, migrated",
      L.pct(ts, 50),
      "ms",
      "worker process start to first waiting job run; server up; median of 3",
    );
  }
}
const chunks = (m, size, f) =>
  L.windowed(Math.ceil(m / size), 4, (i) => f(Math.min(size, m - i * size), i));

L.main(async () => {
  const which = new Set((process.env.PEERS || "graphile-worker,pg-boss,bullmq").split(","));
  if (which.has("graphile-worker") || which.has("pg-boss")) {
    const pg = await L.startPostgres();
    if (which.has("graphile-worker")) {
      const peer = "graphile-worker",
        rep = L.reporter(peer, L.version(peer), L.PG_DUR),
        url = await pg.createDb("gw");
      L.noise(rep);
      const { makeWorkerUtils } = await import("graphile-worker");
      const { default: pgm } = await import("pg");
      const pool = new pgm.Pool({ connectionString: url, max: 10 });
      const u = await makeWorkerUtils({ pgPool: pool });
      await u.migrate();
      await suite(
        peer,
        rep,
        pg,
        { PEER: peer, DB_URL: url },
        {
          plain: "concurrency 64, no batching",
          tuned: "concurrency 64, localQueue 500, batched completion",
          sameEnqueue: true,
          enqueue: [
            [
              "addJobs, 1000 a call",
              (m) =>
                chunks(m, 1000, (k) =>
                  u.addJobs(Array.from({ length: k }, () => ({ identifier: "job", payload }))),
                ),
            ],
            [
              "one addJob a call, window 64",
              (m) => L.windowed(m, 64, () => u.addJob("job", payload)),
            ],
          ],
          one: () => u.addJob("ping", {}),
          delayed: (m) =>
            chunks(m, 1000, (k) =>
              u.addJobs(
                Array.from({ length: k }, () => ({
                  identifier: "job",
                  payload,
                  runAt: new Date(Date.now() + 3600e3),
                })),
              ),
            ),
          crash: (m) =>
            u.addJobs(
              Array.from({ length: m }, (_, i) => ({
                identifier: "crash",
                payload: { id: `j${i}` },
              })),
            ),
          clear: () => pool.query("truncate graphile_worker._private_jobs"),
          size: async () =>
            Number((await pool.query("select pg_database_size(current_database()) s")).rows[0].s),
          sizeNote: "database size, no WAL",
          crashNote:
            "jobs locked by a dead worker are retried after 4 hours by default (forceUnlockWorkers by hand)",
        },
      );
      await pool.end();
    }
    if (which.has("pg-boss")) {
      const peer = "pg-boss",
        rep = L.reporter(peer, L.version(peer), L.PG_DUR),
        url = await pg.createDb("boss");
      L.noise(rep);
      const { PgBoss } = await import("pg-boss");
      const boss = new PgBoss({
        connectionString: url,
        max: 10,
        supervise: false,
        schedule: false,
      });
      boss.on("error", () => {});
      await boss.start();
      for (const q of ["job", "crash", "ping"])
        await boss.createQueue(q, {
          notify: q === "ping",
          ...(q === "crash" ? { expireInSeconds: 30, retryLimit: 3 } : {}),
        });
      const c = await L.pgClient(url);
      await suite(
        peer,
        rep,
        pg,
        { PEER: peer, DB_URL: url },
        {
          plain: "batchSize 64, poll 0.5 s, no burst",
          plainN: 2560,
          tuned: "batchSize 500, 2 local workers, burst",
          sameEnqueue: true,
          enqueue: [
            [
              "insert, 1000 a call",
              (m) =>
                chunks(m, 1000, (k) =>
                  boss.insert(
                    "job",
                    Array.from({ length: k }, () => ({ data: payload })),
                  ),
                ),
            ],
            [
              "one send a call, window 64",
              (m) => L.windowed(m, 64, () => boss.send("job", payload)),
            ],
          ],
          one: () => boss.send("ping", {}),
          delayed: (m) =>
            chunks(m, 1000, (k) =>
              boss.insert(
                "job",
                Array.from({ length: k }, () => ({ data: payload, startAfter: 3600 })),
              ),
            ),
          crash: (m) =>
            boss.insert(
              "crash",
              Array.from({ length: m }, (_, i) => ({ data: { id: `j${i}` } })),
            ),
          clear: () => boss.deleteAllJobs("job"),
          size: async () =>
            Number((await c.query("select pg_database_size(current_database()) s")).rows[0].s),
          sizeNote: "database size, no WAL",
          crashNote:
            "expireInSeconds set to 30 here (default 900); supervise every 5 s; a batch is acknowledged as a whole, batchSize 1000",
        },
      );
      await c.end();
      await boss.stop({ graceful: false });
    }
    await pg.stop();
  }
  if (which.has("bullmq"))
    for (const fsync of (process.env.FSYNC || "everysec,always").split(",")) {
      const r = await L.startRedis(fsync),
        rep = L.reporter("bullmq", L.version("bullmq"), `Redis 7 AOF, appendfsync ${fsync}`);
      L.noise(rep);
      const { Queue } = await import("bullmq");
      const connection = { host: "127.0.0.1", port: r.port };
      const Q = Object.fromEntries(
        ["job", "crash", "ping"].map((k) => [k, new Queue(k, { connection })]),
      );
      await suite(
        "bullmq",
        rep,
        r,
        { PEER: "bullmq", REDIS_PORT: String(r.port) },
        {
          plain: "concurrency 64",
          sameEnqueue: true,
          enqueue: [
            [
              "addBulk, 1000 a call",
              (m) =>
                chunks(m, 1000, (k) =>
                  Q.job.addBulk(Array.from({ length: k }, () => ({ name: "j", data: payload }))),
                ),
            ],
            ["one add a call, window 64", (m) => L.windowed(m, 64, () => Q.job.add("j", payload))],
          ],
          one: () => Q.ping.add("p", {}),
          delayed: (m) =>
            chunks(m, 1000, (k) =>
              Q.job.addBulk(
                Array.from({ length: k }, () => ({
                  name: "j",
                  data: payload,
                  opts: { delay: 3600e3 },
                })),
              ),
            ),
          crash: (m) =>
            Q.crash.addBulk(
              Array.from({ length: m }, (_, i) => ({ name: "c", data: { id: `j${i}` } })),
            ),
          clear: () => Q.job.obliterate({ force: true }),
          size: async () => r.disk(),
          sizeNote: "AOF file",
          crashNote: "stalled check every 30 s by default, lock 30 s",
        },
      );
      for (const q of Object.values(Q)) await q.close();
      await r.stop();
    }
});
