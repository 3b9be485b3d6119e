// DBOS application process (the user's code; DBOS runs in-process). Driven over IPC by dbos.mjs.
import { DBOS } from "@dbos-inc/dbos-sdk";
import * as L from "./bench-kit.mjs";
const { now, sleep } = L;

const log = process.env.CRASH_LOG ? L.crashLog(process.env.CRASH_LOG) : () => {};
const count = { job: 0, parked: 0, resumed: 0 };
const one = async () => 1;
const wfN = (n) => async () => {
  let x = 0;
  for (let i = 0; i < n; i++) x += await DBOS.runStep(one, { name: `s${i}` });
  return x;
};
const W = {
  zero: DBOS.registerWorkflow(async () => 0, { name: "zero" }),
  one: DBOS.registerWorkflow(wfN(1), { name: "one" }),
  five: DBOS.registerWorkflow(wfN(5), { name: "five" }),
  job: DBOS.registerWorkflow(
    async (p) => {
      count.job++;
    },
    { name: "job" },
  ),
  child: DBOS.registerWorkflow(async (i) => i, { name: "child" }),
  park: DBOS.registerWorkflow(
    async () => {
      count.parked++;
      await DBOS.sleep(3600_000);
    },
    { name: "park" },
  ),
  wait: DBOS.registerWorkflow(
    async () => {
      count.parked++;
      const v = await DBOS.recv("go", 3600);
      count.resumed++;
      return v;
    },
    { name: "wait" },
  ),
  crash: DBOS.registerWorkflow(
    async (id) => {
      for (let i = 0; i < 5; i++) {
        await DBOS.runStep(
          async () => {
            log("S", id, i);
            await sleep(20);
            log("E", id, i);
            return i;
          },
          { name: `s${i}` },
        );
        log("C", id, i);
      }
      log("D", id);
    },
    { name: "crash" },
  ),
};
W.fan = DBOS.registerWorkflow(
  async (n) => {
    const hs = await Promise.all(
      Array.from({ length: n }, (_, i) => DBOS.startWorkflow(W.child)(i)),
    );
    return (await Promise.all(hs.map((h) => h.getResult()))).length;
  },
  { name: "fan" },
);
W.fanSteps = DBOS.registerWorkflow(
  async (n) =>
    (
      await Promise.allSettled(
        Array.from({ length: n }, (_, i) => DBOS.runStep(async () => i, { name: `s${i}` })),
      )
    ).length,
  { name: "fanSteps" },
);

DBOS.setConfig({
  name: "peers",
  systemDatabaseUrl: process.env.SYS_URL,
  logLevel: "error",
  applicationVersion: "v1",
  executorID: "local",
  systemDatabasePoolSize: Number(process.env.POOL || 10),
  ...(process.env.LISTEN === undefined
    ? {}
    : { listenQueues: process.env.LISTEN ? [process.env.LISTEN] : ["none"] }),
});
await DBOS.launch();
if (process.env.QUEUE)
  await DBOS.registerQueue("q", { onConflict: "always_update", ...JSON.parse(process.env.QUEUE) });

const ops = {
  async throughput({ wf, n, win }) {
    return { secs: await L.windowed(n, win, () => (0, W[wf])()) };
  },
  async latency({ wf, n }) {
    return { t: await L.latencies(n, () => (0, W[wf])()) };
  },
  async call({ wf, arg }) {
    const t = now();
    await (0, W[wf])(arg);
    return { ms: now() - t };
  },
  async startMany({ wf, n, win = 64, prefix = "x" }) {
    return {
      secs: await L.windowed(n, win, (i) =>
        DBOS.startWorkflow(W[wf], { workflowID: `${prefix}-${i}` })(`${prefix}-${i}`),
      ),
    };
  },
  async enqueue({ n, win, payload }) {
    return {
      secs: await L.windowed(n, win, () => DBOS.startWorkflow(W.job, { queueName: "q" })(payload)),
    };
  },
  async signal({ n, win, prefix }) {
    const t = now();
    const sent = await L.windowed(n, win, (i) => DBOS.send(`${prefix}-${i}`, 1, "go"));
    while (count.resumed < n) await sleep(10);
    return { sent, secs: (now() - t) / 1000 };
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
  await (0, W.five)();
  process.send?.({ type: "first" });
}
(await import("./bench-kit.mjs")).autoProfile();
