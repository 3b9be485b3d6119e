// Restate: single-node server (all roles) + one handler process over HTTP/2 + this process as client.
import http from "node:http";
import path from "node:path";
import { createRequire } from "node:module";
import * as L from "./bench-kit.mjs";
const { want, now, sleep, until } = L;

const PARTS = process.env.PARTS || "24";
const rep = L.reporter(
  "restate",
  `server ${L.version("@restatedev/restate-server")}, sdk ${L.version("@restatedev/restate-sdk")}`,
  `replicated loglet (1 node), WAL fsync on; ${PARTS} partitions${PARTS === "24" ? " (default)" : ""}`,
);
const BIN = createRequire(import.meta.url).resolve(
  `@restatedev/restate-server-linux-${process.arch}/bin/restate-server`,
);
const agent = new http.Agent({ keepAlive: true, maxSockets: 512 });
function req(port, method, p, body) {
  return new Promise((res, rej) => {
    const data = body === undefined ? undefined : JSON.stringify(body);
    const r = http.request(
      {
        port,
        host: "127.0.0.1",
        method,
        path: p,
        agent,
        headers: data
          ? { "content-type": "application/json", "content-length": Buffer.byteLength(data) }
          : {},
      },
      (m) => {
        const c = [];
        m.on("data", (d) => c.push(d));
        m.on("error", rej);
        m.on("end", () => {
          const s = Buffer.concat(c).toString();
          m.statusCode < 300 ? res(s) : rej(new Error(`${m.statusCode} ${s}`));
        });
      },
    );
    r.on("error", rej);
    if (data) r.write(data);
    r.end();
  });
}
async function server(dir, env = {}) {
  const ing = env.ING || (await L.freePort()),
    adm = env.ADM || (await L.freePort()),
    node = env.NODE_P || (await L.freePort());
  const o = { dir, ing, adm, node };
  o.up = () =>
    L.start(BIN, ["--no-logo"], {
      name: "restate-server",
      env: {
        ...process.env,
        RESTATE_BASE_DIR: dir,
        RESTATE_NODE_NAME: "n1",
        RESTATE_LISTEN_MODE: "tcp",
        RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
        RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
        RESTATE_ADVERTISED_HOST: "127.0.0.1",
        RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ing}`,
        RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${adm}`,
        RESTATE_DISABLE_TELEMETRY: "true",
        RESTATE_LOG_FILTER: "warn",
        RESTATE_DEFAULT_NUM_PARTITIONS: PARTS,
      },
    });
  o.p = o.up();
  o.healthy = () =>
    until(
      async () => {
        await req(adm, "GET", "/health");
        return true;
      },
      { what: "restate admin", everyMs: 10 },
    );
  o.register = (svcPort) =>
    until(
      () => req(adm, "POST", "/deployments", { uri: `http://127.0.0.1:${svcPort}`, force: true }),
      { what: "registration", everyMs: 10 },
    );
  return o;
}
async function svc(port, env = {}) {
  const p = L.startNode("restate-svc.mjs", [], { SVC_PORT: String(port), ...env });
  await p.next("up");
  return p;
}
const ask = (h) => {
  const r = h.next("count");
  h.send({ type: "count" });
  return r;
};

L.main(async () => {
  L.noise(rep);
  if (want("W8")) {
    const ts = [];
    for (let i = 0; i < 3; i++) {
      const t = now();
      const sp = await L.freePort();
      const s = await server(L.tmp(`cold${i}`));
      const h = L.startNode("restate-svc.mjs", [], { SVC_PORT: String(sp) });
      await s.healthy();
      await s.register(sp);
      await until(
        async () => {
          await req(s.ing, "POST", "/svc/five", {});
          return true;
        },
        { everyMs: 5 },
      );
      ts.push(now() - t);
      await L.stop(h);
      await L.stop(s.p, "SIGKILL");
    }
    rep(
      "W8",
      "cold start, empty data",
      L.pct(ts, 50),
      "ms",
      "server + handler process + registration + 5-step run; median of 3",
    );
  }
  const sp = await L.freePort();
  const crash = path.join(L.tmp("crash"), "log");
  const s = await server(L.tmp("data"));
  let h = await svc(sp, { CRASH_LOG: crash });
  await s.healthy();
  await s.register(sp);
  await until(() => req(s.ing, "POST", "/svc/zero", {}));
  const call = (p, b = {}) => req(s.ing, "POST", p, b);
  const pids = () => ({ server: s.p.pid, handler: h.pid });

  if (want("W1")) {
    for (const [name, mk] of [
      ["service handler", () => "/svc/five"],
      ["workflow", (i) => `/flow/w${Date.now()}-${i}/run`],
    ]) {
      await L.windowed(500, 256, (i) => call(mk(`warm${i}`)));
      const n = L.N("W1_N", 4000);
      const pr = L.probe(pids());
      const secs = await L.windowed(n, 256, (i) => call(mk(i)));
      rep("W1", `runs/s (${name})`, n / secs, "runs/s", `5 steps, window 256, N=${n}`);
      rep("W1", `durable steps/s (${name})`, (5 * n) / secs, "steps/s", "ctx.run");
      L.reportCpu((w, m, ...a) => rep(w, `${m} (${name})`, ...a), "W1", pr(), n);
    }
  }
  if (want("W2")) {
    for (const [k, p] of [
      ["1-step", "/svc/one"],
      ["5-step", "/svc/five"],
      ["0-step", "/svc/zero"],
    ]) {
      const t = await L.latencies(300, () => call(p));
      rep("W2", `${k} p50`, L.pct(t, 50), "ms", "n=300, service handler");
      rep("W2", `${k} p99`, L.pct(t, 99), "ms", "n=300");
    }
  }
  if (want("W3")) {
    for (const [k, p] of [
      ["1000 child invocations", "/svc/fan"],
      ["1000 parallel ctx.run steps", "/svc/fanSteps"],
    ]) {
      await call(p, 100);
      const t = [],
        pr = L.probe(pids());
      for (let i = 0; i < 3; i++) {
        const a = now();
        await call(p, 1000);
        t.push(now() - a);
      }
      rep("W3", k, L.pct(t, 50), "ms", "median of 3");
      L.reportCpu((w, m, ...a) => rep(w, `cpu per 1000 children (${k})`, ...a), "W3", pr(), 3000);
    }
  }
  if (want("W4")) {
    const n = 20000,
      payload = { x: "y".repeat(190) };
    const c0 = (await ask(h)).job,
      pr = L.probe(pids()),
      t0 = now();
    const e = await L.windowed(n, 256, () => call("/svc/job/send", payload));
    await until(async () => (await ask(h)).job - c0 >= n, {
      timeoutMs: 240000,
      everyMs: 50,
      what: "drain",
    });
    rep(
      "W4",
      "enqueue/s",
      n / e,
      "jobs/s",
      "one-way sends over HTTP ingress, window 256; execution starts at once and competes",
    );
    rep(
      "W4",
      "enqueue+drain jobs/s",
      n / ((now() - t0) / 1000),
      "jobs/s",
      "first send to last execution",
    );
    L.reportCpu(rep, "W4", pr(), n);
  }
  if (want("W5")) {
    const n = L.N("W5_N", 10000);
    await sleep(2000);
    const m0 = { server: L.pss(s.p.pid), handler: L.pss(h.pid) },
      d0 = L.du(s.dir);
    const c0 = (await ask(h)).parked;
    const t0 = now();
    await L.windowed(n, 256, () => call("/sleeper/park/send"));
    await until(async () => (await ask(h)).parked - c0 >= n, {
      timeoutMs: 200000,
      everyMs: 100,
      what: "park",
    });
    const parkS = (now() - t0) / 1000;
    await sleep(5000);
    const m1 = { server: L.pss(s.p.pid), handler: L.pss(h.pid) },
      d1 = L.du(s.dir);
    rep(
      "W5",
      `RSS per parked run (${n})`,
      (m1.server + m1.handler - m0.server - m0.handler) / n,
      "B",
      `PSS delta; server ${L.round((m1.server - m0.server) / n)} B, handler ${L.round((m1.handler - m0.handler) / n)} B; inactivityTimeout 1 s so runs are suspended`,
    );
    rep(
      "W5",
      `disk per parked run (${n})`,
      (d1 - d0) / n,
      "B",
      `allocated blocks of the data dir (RocksDB preallocates its WAL files, so small growth is hidden)`,
    );
    rep(
      "W5",
      `park rate (${n})`,
      n / parkS,
      "runs/s",
      "send to parked; at most 1000 invocations open at once by default",
    );
    rep("W5", "server base PSS", m0.server / 1048576, "MiB", "before parking");
    rep("W5", "handler base PSS", m0.handler / 1048576, "MiB");
  }
  if (want("W6")) {
    const n = 5000,
      tag = Date.now();
    const c0 = await ask(h);
    await L.windowed(n, 256, (i) => call(`/waiter/${tag}-${i}/run/send`));
    await until(async () => (await ask(h)).parked - c0.parked >= n, {
      timeoutMs: 200000,
      everyMs: 100,
      what: "park",
    });
    await sleep(3000);
    const r0 = (await ask(h)).resumed,
      pr = L.probe(pids()),
      t0 = now();
    const e = await L.windowed(n, 256, (i) => call(`/waiter/${tag}-${i}/signal`, 1));
    await until(async () => (await ask(h)).resumed - r0 >= n, {
      timeoutMs: 200000,
      everyMs: 20,
      what: "resume",
    });
    rep(
      "W6",
      "runs resumed/s",
      n / ((now() - t0) / 1000),
      "runs/s",
      `workflow promise resolved by a signal handler, suspended waiters; signals acknowledged at ${L.round(n / e)}/s`,
    );
    L.reportCpu(rep, "W6", pr(), n);
  }
  if (want("W7")) {
    const n = 1000;
    for (const what of ["handler", "handler+server"]) {
      const file = path.join(L.tmp("crash"), `log-${what}`);
      await L.stop(h, "SIGKILL");
      h = await svc(sp, { CRASH_LOG: file });
      await L.windowed(n, 256, (i) => call("/svc/crash/send", `${what}-${i}`));
      await until(() => L.countLines(file, "C ") >= 1500, { everyMs: 5, what: "half way" });
      const t0 = now();
      h.kill("SIGKILL");
      await h.ended;
      if (what !== "handler") {
        s.p.kill("SIGKILL");
        await s.p.ended;
        s.p = s.up();
      }
      const before = L.analyseCrash(file);
      h = await svc(sp, { CRASH_LOG: file });
      await until(() => L.distinctDone(file) >= n, {
        timeoutMs: 150000,
        everyMs: 50,
        what: "recovery",
      }).catch(() => {});
      const a = L.analyseCrash(file),
        d = (now() - t0) / 1000;
      rep(
        "W7",
        `recovery seconds (kill ${what})`,
        d,
        "s",
        `${n} runs x 5 steps of 20 ms; ${before.done} done at kill; ${a.done}/${n} done; ${a.reexec} step bodies run again, of them ${a.dupCompleted} already recorded`,
      );
      rep("W7", `completed steps repeated (kill ${what})`, a.dupCompleted, "steps");
    }
  }
  await L.stop(h);
  await L.stop(s.p, "SIGTERM", 5000);
});
