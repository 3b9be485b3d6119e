// One worker process for the queue peers. PEER selects the library; counts go to the parent over IPC.
import * as L from "./bench-kit.mjs";
const { sleep } = L;
const peer = process.env.PEER,
  url = process.env.DB_URL,
  conc = Number(process.env.CONC || 64);
const log = process.env.CRASH_LOG ? L.crashLog(process.env.CRASH_LOG) : () => {};
let job = 0;
process.on("message", (m) => {
  if (m.type === "count") process.send({ type: "count", job });
});
const crash = async (id) => {
  log("S", id, 0);
  await sleep(100);
  log("D", id);
};

if (peer === "graphile-worker") {
  const { run, Logger } = await import("graphile-worker");
  const batch = process.env.TUNED
    ? { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
    : {};
  await run({
    preset: {
      worker: {
        connectionString: url,
        concurrentJobs: conc,
        maxPoolSize: 20,
        pollInterval: 1000,
        ...batch,
      },
    },
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    taskList: {
      job: async () => {
        job++;
      },
      crash: async (p) => crash(p.id),
      ping: async () => process.send({ type: "first" }),
    },
  });
}
if (peer === "pg-boss") {
  const { PgBoss } = await import("pg-boss");
  const boss = new PgBoss({
    connectionString: url,
    max: 20,
    schedule: false,
    useListenNotify: true,
    superviseIntervalSeconds: 5,
    maintenanceIntervalSeconds: 5,
  });
  boss.on("error", () => {});
  await boss.start();
  for (const q of ["job", "crash", "ping"])
    await boss
      .createQueue(q, {
        notify: q === "ping",
        ...(q === "crash" ? { expireInSeconds: 30, retryLimit: 3 } : {}),
      })
      .catch(() => {});
  const opt = process.env.TUNED
    ? { batchSize: 500, localConcurrency: 2, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
    : { batchSize: 64, pollingIntervalSeconds: 0.5 };
  await boss.work("job", opt, async (jobs) => {
    job += jobs.length;
  });
  await boss.work("crash", { batchSize: 1000, pollingIntervalSeconds: 0.5 }, async (jobs) => {
    await Promise.all(jobs.map((j) => crash(j.data.id)));
  });
  await boss.work("ping", { pollingIntervalSeconds: 0.5 }, async () => {
    process.send({ type: "first" });
  });
}
if (peer === "bullmq") {
  const { Worker } = await import("bullmq");
  const connection = { host: "127.0.0.1", port: Number(process.env.REDIS_PORT) };
  new Worker(
    "job",
    async () => {
      job++;
    },
    { connection, concurrency: conc, removeOnComplete: { count: 0 } },
  );
  new Worker("crash", async (j) => crash(j.data.id), { connection, concurrency: 1000 });
  new Worker(
    "ping",
    async () => {
      process.send({ type: "first" });
    },
    { connection },
  );
}
process.send({ type: "up" });
