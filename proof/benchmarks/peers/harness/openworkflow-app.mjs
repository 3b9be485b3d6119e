// OpenWorkflow application process: client and worker together. Driven over IPC by openworkflow.mjs.
import { OpenWorkflow } from "openworkflow";
import * as L from "./bench-kit.mjs";
const { now, sleep } = L;
const log = process.env.CRASH_LOG ? L.crashLog(process.env.CRASH_LOG) : () => {};
const count = { parked: 0, resumed: 0, done: 0 };
let backend;
if (process.env.SQLITE) {
  const { BackendSqlite } = await import("openworkflow/sqlite");
  backend = BackendSqlite.connect(process.env.SQLITE);
} else {
  const { BackendPostgres } = await import("openworkflow/postgres");
  backend = await BackendPostgres.connect(process.env.DB_URL);
}
const ow = new OpenWorkflow({ backend });
const steps =
  (n) =>
  async ({ step }) => {
    let x = 0;
    for (let i = 0; i < n; i++) x += await step.run({ name: `s${i}` }, async () => 1);
    count.done++;
    return x;
  };
const W = {
  one: ow.defineWorkflow({ name: "one" }, steps(1)),
  five: ow.defineWorkflow({ name: "five" }, steps(5)),
  fan: ow.defineWorkflow(
    { name: "fan" },
    async ({ input, step }) =>
      (
        await Promise.all(
          Array.from({ length: input.n }, (_, i) => step.run({ name: `s${i}` }, async () => i)),
        )
      ).length,
  ),
  park: ow.defineWorkflow({ name: "park" }, async ({ step }) => {
    count.parked++;
    await step.sleep("zzz", "1h");
  }),
  wait: ow.defineWorkflow({ name: "wait" }, async ({ input, step }) => {
    count.parked++;
    await step.waitForSignal({ name: "w", signal: input.id, timeout: "1h" });
    count.resumed++;
  }),
  crash: ow.defineWorkflow({ name: "crash" }, async ({ input, step }) => {
    const id = input.id;
    for (let i = 0; i < 5; i++) {
      await step.run({ name: `s${i}` }, async () => {
        log("S", id, i);
        await sleep(20);
        log("E", id, i);
        return i;
      });
      log("C", id, i);
    }
    log("D", id);
  }),
};
const worker = ow.newWorker({ concurrency: Number(process.env.CONC || 256) });
await worker.start();
const finished = async (h, everyMs = 1) => {
  for (;;) {
    const r = await backend.getWorkflowRun({ workflowRunId: h.workflowRun.id });
    if (r.status === "completed" || r.status === "succeeded") return r;
    if (r.status === "failed") throw new Error(JSON.stringify(r.error));
    await sleep(everyMs);
  }
};
const ops = {
  async throughput({ wf, n, win }) {
    const d0 = count.done;
    let inflight = 0,
      i = 0;
    const t = now();
    while (count.done - d0 < n) {
      const k = Math.min(n - i, win - (i - (count.done - d0)));
      if (k > 0) {
        await Promise.all(Array.from({ length: k }, () => W[wf].run({})));
        i += k;
      } else await sleep(2);
    }
    return { secs: (now() - t) / 1000 };
  },
  async latency({ wf, n }) {
    return { t: await L.latencies(n, async () => finished(await W[wf].run({})), 5) };
  },
  async call({ wf, arg }) {
    const t = now();
    await finished(await W[wf].run(arg), 5);
    return { ms: now() - t };
  },
  async startMany({ wf, n, win = 64, prefix = "x" }) {
    return { secs: await L.windowed(n, win, (i) => W[wf].run({ id: `${prefix}-${i}` })) };
  },
  async signal({ n, win, prefix }) {
    const t = now();
    const sent = await L.windowed(n, win, (i) =>
      ow.sendSignal({ signal: `${prefix}-${i}`, data: { v: 1 } }),
    );
    while (count.resumed < n && now() - t < 150000) await sleep(10);
    return { sent, secs: (now() - t) / 1000, resumed: count.resumed };
  },
  async count() {
    return { ...count };
  },
};
process.on("message", async (m) => {
  try {
    process.send({ type: `r${m.id}`, ...(await ops[m.op](m.args || {})) });
  } catch (e) {
    process.send({ type: `r${m.id}`, error: String(e.stack) });
  }
});
process.send?.({ type: "up" });
if (process.env.FIRST) {
  await finished(await W.five.run({}));
  process.send?.({ type: "first" });
}
(await import("./bench-kit.mjs")).autoProfile();
