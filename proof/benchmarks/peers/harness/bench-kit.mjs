// What the workloads need: result lines, measures of a stretch of work, crash log analysis.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { selfCpu } from "./accounting.mjs";
import { HERE, N, now, round, sleep } from "./pace.mjs";
import { tmp } from "./processes.mjs";

export * from "./accounting.mjs";
export * from "./pace.mjs";
export * from "./processes.mjs";
export * from "./servers.mjs";

const RESULTS = process.env.RESULTS || path.join(HERE, "results.jsonl");
export function version(pkg) {
  return JSON.parse(fs.readFileSync(path.join(HERE, "node_modules", pkg, "package.json"), "utf8"))
    .version;
}
/** One JSON line per measurement: {peer, version, workload, metric, value, unit, durability, note}. */
export function reporter(peer, ver, durability) {
  return (workload, metric, value, unit, note = "", dur = durability) => {
    const line = JSON.stringify({
      peer,
      version: ver,
      workload,
      metric,
      value: round(value),
      unit,
      durability: dur,
      note,
    });
    console.log(line);
    if (RESULTS !== "-") fs.appendFileSync(RESULTS, line + "\n");
  };
}

// ---- small maths
export function pct(a, p) {
  const s = [...a].sort((x, y) => x - y);
  return s[Math.min(s.length - 1, Math.floor((p / 100) * s.length))];
}
/** Runs fn(i) for i in 0..n-1 with at most `win` in flight; resolves to wall seconds. */
export async function windowed(n, win, fn) {
  const t0 = now();
  let i = 0;
  await Promise.all(
    Array.from({ length: Math.min(win, n) }, async () => {
      while (i < n) await fn(i++);
    }),
  );
  return (now() - t0) / 1000;
}
export async function latencies(n, fn, warm = 20) {
  for (let i = 0; i < warm; i++) await fn(`w${i}`);
  const out = [];
  for (let i = 0; i < n; i++) {
    const t = now();
    await fn(i);
    out.push(now() - t);
  }
  return out;
}

// ---- crash log: lines "S run step" (step body entered), "E run step" (body done), "C run step" (engine let the
// workflow go past the step, so it is recorded), "D run" (workflow body finished).
export function crashLog(file) {
  const fd = fs.openSync(file, "a");
  return (k, run, step = "") => fs.writeSync(fd, `${k} ${run} ${step}\n`);
}
export function analyseCrash(file, killAtLine) {
  const lines = fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
  const started = new Map();
  const recorded = new Set();
  const done = new Set();
  let reexec = 0,
    dupCompleted = 0;
  for (const l of lines) {
    const [k, run, step] = l.split(" ");
    const id = `${run}/${step}`;
    if (k === "S") {
      if (started.has(id)) reexec++;
      if (recorded.has(id)) dupCompleted++;
      started.set(id, 1);
    } else if (k === "C") recorded.add(id);
    else if (k === "D") done.add(run);
  }
  return { lines: lines.length, steps: started.size, reexec, dupCompleted, done: done.size };
}
export function countLines(file, prefix) {
  try {
    const s = fs.readFileSync(file, "latin1");
    let n = 0;
    for (let i = s.indexOf(prefix); i >= 0; i = s.indexOf(prefix, i + 1))
      if (i === 0 || s[i - 1] === "\n") n++;
    return n;
  } catch {
    return 0;
  }
}
export function distinctDone(file) {
  try {
    const d = new Set();
    for (const l of fs.readFileSync(file, "latin1").split("\n")) if (l.startsWith("D ")) d.add(l);
    return d.size;
  } catch {
    return 0;
  }
}

// ---- what the disk and the neighbours are like right now: goes beside each peer's lines
export function noise(rep) {
  const f = path.join(tmp("probe"), "f"),
    fd = fs.openSync(f, "w"),
    b = Buffer.alloc(4096, 1),
    t = [];
  for (let i = 0; i < 300; i++) {
    const a = now();
    fs.writeSync(fd, b, 0, 4096, i * 4096);
    fs.fdatasyncSync(fd);
    t.push(now() - a);
  }
  fs.closeSync(fd);
  const c0 = selfCpu(),
    w0 = now();
  let x = 0;
  for (let i = 0; i < 2e8; i++) x = (x + i) | 0;
  const w = now() - w0,
    c = (selfCpu() - c0) * 1000;
  rep(
    "noise",
    "4 KiB append + fdatasync p50",
    pct(t, 50),
    "ms",
    `p99 ${round(pct(t, 99))} ms; 2e8-turn loop ${round(w)} ms wall, ${round(c)} ms CPU; load ${os.loadavg()[0].toFixed(2)}`,
    "fdatasync",
  );
}

// ---- PROF=file: profile this process for PROF_MS from PROF_WAIT after its start; self time by package or node part
export async function autoProfile() {
  if (!process.env.PROF) return;
  const { Session } = await import("node:inspector/promises");
  await sleep(N("PROF_WAIT", 3000));
  const s = new Session();
  s.connect();
  await s.post("Profiler.enable");
  await s.post("Profiler.setSamplingInterval", { interval: 500 });
  await s.post("Profiler.start");
  await sleep(N("PROF_MS", 5000));
  const { profile } = await s.post("Profiler.stop");
  const by = new Map(),
    fn = new Map(),
    id = new Map(profile.nodes.map((n) => [n.id, n]));
  profile.samples.forEach((x, i) => {
    const c = id.get(x).callFrame,
      m = /node_modules\/((?:@[^/]+\/)?[^/]+)/g;
    let pkg, r;
    while ((r = m.exec(c.url))) pkg = r[1];
    const k =
        pkg ||
        c.url
          .split("/")
          .slice(0, 2)
          .join("/")
          .replace(/^file:.*/, "app") ||
        c.functionName,
      d = profile.timeDeltas[i];
    by.set(k, (by.get(k) || 0) + d);
    const f = `${c.functionName || "(anonymous)"} ${k}`;
    fn.set(f, (fn.get(f) || 0) + d);
  });
  const tot = profile.timeDeltas.reduce((a, b) => a + b, 0),
    top = (m, n) =>
      [...m]
        .sort((a, b) => b[1] - a[1])
        .slice(0, n)
        .map(([k, v]) => `${((100 * v) / tot).toFixed(1)}% ${k}`);
  fs.writeFileSync(process.env.PROF, JSON.stringify({ by: top(by, 14), fn: top(fn, 25) }, null, 1));
}
