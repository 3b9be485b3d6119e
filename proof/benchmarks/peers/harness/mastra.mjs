// Mastra workflows with LibSQLStore (a local SQLite file), driver and engine in one process as Mastra is used.
import path from "node:path";
import { Mastra } from "@mastra/core";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { LibSQLStore } from "@mastra/libsql";
import { z } from "zod";
import * as L from "./bench-kit.mjs";
const { want, now } = L;
const any = z.any();
const S = { inputSchema: any, outputSchema: any };
const noop = (id) => createStep({ id, ...S, execute: async () => ({ v: 1 }) });
const seq = (id, n) => {
  let w = createWorkflow({ id, ...S });
  for (let i = 0; i < n; i++) w = w.then(noop(`${id}-s${i}`));
  return w.commit();
};
const one = seq("one", 1),
  five = seq("five", 5);
const fan = createWorkflow({ id: "fan", ...S })
  .foreach(noop("item"), { concurrency: 1000 })
  .commit();
const wait = createWorkflow({ id: "wait", ...S })
  .then(
    createStep({
      id: "gate",
      ...S,
      resumeSchema: any,
      suspendSchema: any,
      execute: async ({ resumeData, suspend }) => (resumeData ? { v: 1 } : await suspend({})),
    }),
  )
  .commit();
L.main(async () => {
  const dir = L.tmp("mastra"),
    storage = new LibSQLStore({ id: "s", url: `file:${path.join(dir, "m.db")}` });
  const mastra = new Mastra({ storage, workflows: { one, five, fan, wait }, logger: false });
  const rep = L.reporter(
    "mastra",
    `core ${L.version("@mastra/core")}, libsql ${L.version("@mastra/libsql")}`,
    "libSQL WAL, synchronous=NORMAL (store default: no fsync per commit)",
  );
  L.noise(rep);
  const W = (k) => mastra.getWorkflow(k);
  const go = async (k, inputData = {}) => {
    const r = await W(k).createRun();
    const x = await r.start({ inputData });
    if (x.status !== "success" && x.status !== "suspended")
      throw new Error(JSON.stringify(x).slice(0, 400));
    return r;
  };
  await go("five");
  if (want("W1")) {
    await L.windowed(30, 16, () => go("five"));
    const n = L.N("W1_N", 400),
      pr = L.probe({});
    const s = await L.windowed(n, 256, () => go("five"));
    rep("W1", "runs/s", n / s, "runs/s", `5 steps, window 256, N=${n}`);
    rep(
      "W1",
      "durable steps/s",
      (5 * n) / s,
      "steps/s",
      "a snapshot of the whole run is stored at every step",
    );
    L.reportCpu(rep, "W1", pr(), n);
  }
  if (want("W2"))
    for (const [k, w] of [
      ["1-step", "one"],
      ["5-step", "five"],
    ]) {
      const t = await L.latencies(100, () => go(w), 5);
      rep("W2", `${k} p50`, L.pct(t, 50), "ms", "n=100");
      rep("W2", `${k} p99`, L.pct(t, 99), "ms", "n=100");
    }
  if (want("W3")) {
    const pr = L.probe({}),
      t = now();
    await go(
      "fan",
      Array.from({ length: 1000 }, (_, i) => i),
    );
    rep("W3", "1000 parallel steps (foreach)", now() - t, "ms", "one run");
    L.reportCpu(rep, "W3", pr(), 1000);
  }
  if (want("W5")) {
    const n = L.N("W5_N", 1000);
    global.gc?.();
    const m0 = L.pss(process.pid),
      d0 = L.du(dir),
      ids = [],
      t = now();
    await L.windowed(n, 64, async () => {
      ids.push((await go("wait")).runId);
    });
    const s = (now() - t) / 1000;
    global.gc?.();
    rep(
      "W5",
      `RSS per parked run (${n})`,
      (L.pss(process.pid) - m0) / n,
      "B",
      "suspended, run objects dropped; PSS delta",
    );
    rep("W5", `disk per parked run (${n})`, (L.du(dir) - d0) / n, "B", "WAL included");
    rep("W5", `park rate (${n})`, n / s, "runs/s");
    if (want("W6")) {
      const pr = L.probe({}),
        r = await L.windowed(n, 64, async (i) => {
          const run = await W("wait").createRun({ runId: ids[i] });
          await run.resume({ step: "gate", resumeData: { ok: 1 } });
        });
      rep("W6", "runs resumed/s", n / r, "runs/s", `N=${n}, resume to completion`);
      L.reportCpu(rep, "W6", pr(), n);
    }
  }
});
