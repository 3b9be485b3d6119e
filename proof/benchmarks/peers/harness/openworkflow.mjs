// OpenWorkflow on SQLite (node:sqlite) and on PostgreSQL.
import path from "node:path";
import * as L from "./bench-kit.mjs";
const { want, now, sleep, until } = L;
let mid = 0;
async function app(env) {
  const p = L.startNode("openworkflow-app.mjs", [], env);
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
  for (const kind of (process.env.BACKENDS || "sqlite,postgres").split(",")) {
    const dur = kind === "sqlite" ? "SQLite WAL, synchronous=FULL" : L.PG_DUR;
    const rep = L.reporter(`openworkflow-${kind}`, L.version("openworkflow"), dur);
    L.noise(rep);
    const dir = L.tmp(`ow-${kind}`),
      pg = kind === "postgres" ? await L.startPostgres() : null;
    let nth = 0;
    const fresh = async () =>
      pg
        ? { DB_URL: await pg.createDb(`ow${++nth}`) }
        : { SQLITE: path.join(dir, `db${++nth}.sqlite`) };
    const pids = (a) => (pg ? { postgres: pg.pid, app: a.pid } : { app: a.pid });
    const size = async (env) => {
      if (!pg) return L.du(dir);
      const c = await L.pgClient(env.DB_URL);
      const s = Number((await c.query("select pg_database_size(current_database()) s")).rows[0].s);
      await c.end();
      return s;
    };
    const mem = (a) => L.pss(a.pid) + (pg ? L.pss(pg.pid) : 0);
    const env = await fresh();
    try {
      if (want("W8")) {
        const ts = [];
        for (let i = 0; i < 4; i++) {
          const t = now(),
            p = L.startNode("openworkflow-app.mjs", [], { ...env, FIRST: "1" });
          await p.next("first");
          ts.push(now() - t);
          await L.stop(p, "SIGKILL");
        }
        rep("W8", "cold start, empty database", ts[0], "ms");
        rep("W8", "cold start, migrated database", L.pct(ts.slice(1), 50), "ms", "median of 3");
      }
      let a = await app(env);
      if (want("W1")) {
        await a.do("throughput", { wf: "five", n: 50, win: 50 });
        const n = L.N("W1_N", 600),
          pr = L.probe(pids(a)),
          { secs } = await a.do("throughput", { wf: "five", n, win: 256 });
        rep(
          "W1",
          "runs/s",
          n / secs,
          "runs/s",
          `5 steps, window 256, N=${n}, worker concurrency 256 in the same process`,
        );
        rep("W1", "durable steps/s", (5 * n) / secs, "steps/s");
        L.reportCpu(rep, "W1", pr(), n);
      }
      if (want("W2"))
        for (const [k, wf] of [
          ["1-step", "one"],
          ["5-step", "five"],
        ]) {
          const { t } = await a.do("latency", { wf, n: 40 });
          rep(
            "W2",
            `${k} p50`,
            L.pct(t, 50),
            "ms",
            "n=40, run row polled every ms (result() polls every 1 s); worker poll backs off when idle",
          );
          rep("W2", `${k} p99`, L.pct(t, 99), "ms", "n=40");
        }
      if (want("W3")) {
        const pr = L.probe(pids(a));
        const { ms } = await a.do("call", { wf: "fan", arg: { n: 1000 } }).catch((e) => {
          rep("W3", "1000 parallel steps", Infinity, "ms", `failed: ${String(e).slice(0, 150)}`);
          return {};
        });
        if (ms) {
          rep("W3", "1000 parallel steps", ms, "ms", "one run");
          L.reportCpu(rep, "W3", pr(), 1000);
        }
      }
      await L.stop(a, "SIGKILL");
      if (want("W5")) {
        const e = await fresh();
        a = await app(e);
        await sleep(1000);
        const n = L.N("W5_N", 5000),
          m0 = mem(a),
          d0 = await size(e),
          t = now();
        await a.do("startMany", { wf: "park", n });
        let c,
          ok = 0;
        do {
          await sleep(100);
          c = (await a.do("count")).parked;
        } while (c < n && now() - t < 100000);
        const s = (now() - t) / 1000;
        await sleep(3000);
        rep("W5", `RSS per parked run (${n})`, (mem(a) - m0) / n, "B", `PSS delta; ${c} parked`);
        rep("W5", `disk per parked run (${n})`, ((await size(e)) - d0) / n, "B");
        rep("W5", `park rate (${n})`, c / s, "runs/s");
        await L.stop(a, "SIGKILL");
      }
      if (want("W6")) {
        const e = await fresh();
        a = await app(e);
        const n = L.N("W6_N", 2000);
        await a.do("startMany", { wf: "wait", n, prefix: "w" });
        const t = now();
        let c;
        do {
          await sleep(100);
          c = (await a.do("count")).parked;
        } while (c < n && now() - t < 100000);
        await sleep(2000);
        const pr = L.probe(pids(a)),
          r = await a.do("signal", { n, win: 64, prefix: "w" });
        rep(
          "W6",
          "runs resumed/s",
          r.resumed / r.secs,
          "runs/s",
          `N=${n}, ${r.resumed} resumed; signals at ${L.round(n / r.sent)}/s`,
        );
        L.reportCpu(rep, "W6", pr(), r.resumed || 1);
        await L.stop(a, "SIGKILL");
      }
      if (want("W7")) {
        const e = await fresh(),
          n = 1000,
          file = path.join(L.tmp("crash"), `ow-${kind}`);
        a = await app({ ...e, CRASH_LOG: file, CONC: "1000" });
        await a.do("startMany", { wf: "crash", n, prefix: "c" });
        await until(() => L.countLines(file, "C ") >= 1500, { everyMs: 5, timeoutMs: 60000 });
        const t = now();
        a.kill("SIGKILL");
        await a.ended;
        const b = L.analyseCrash(file);
        a = await app({ ...e, CRASH_LOG: file, CONC: "1000" });
        const ok = await until(() => L.distinctDone(file) >= n, {
            timeoutMs: 100000,
            everyMs: 50,
          }).then(
            () => 1,
            () => 0,
          ),
          x = L.analyseCrash(file);
        rep(
          "W7",
          "recovery seconds (kill app)",
          ok ? (now() - t) / 1000 : Infinity,
          "s",
          `${n} runs x 5 steps of 20 ms; ${b.done} done at kill, ${x.done} at end; ${x.reexec} step bodies run again, of them ${x.dupCompleted} already recorded; lease 30 s`,
        );
        rep("W7", "completed steps repeated (kill app)", x.dupCompleted, "steps");
        await L.stop(a, "SIGKILL");
      }
    } catch (e) {
      console.error(kind, e);
    }
    if (pg) await pg.stop();
  }
});
