import { openRuntime } from "@claw/runtime";
import { sqliteStore } from "@claw/store-sqlite";
import { FEATURES, INLINE_BYTES, laterTasks, laterWorkflows } from "./later.ts";
import { corpus, workflows } from "./workflows.ts";

// Makes a store with runs in every state and ends as a crash would: node make-store-app.ts FILE [VERSION],
// with what an earlier schema version knew.
corpus.isMaking = true;
const store = sqliteStore({ path: process.argv[2] ?? "" });
const { schemaVersion } = await store.open();
await store.close();
const version = Number(process.argv[3] ?? schemaVersion);
const claw = await openRuntime({
  store,
  workflows: [...workflows, ...laterWorkflows],
  // Nothing of its queue is done here.
  tasks: laterTasks,
  queues: { corpus: { concurrency: 0 } },
  limits: { inlineBytesMax: INLINE_BYTES },
});
const statusOf = async (run: string): Promise<string> => (await claw.find(run))?.status ?? "";
for (const { since, leave } of Object.values(FEATURES)) {
  if (since <= version) await leave(claw, statusOf);
}
const quick = await claw.start("quick", "Ada", { idempotencyKey: "first" });
await quick.result();
await (await claw.start("refused", undefined)).ended();
await claw.publish({ type: "corpus.paid", id: "early", source: "/corpus", data: { order: 1 } });
const open = ["nap", "ask", "wait", "family"];
for (const name of open) await claw.start(name, undefined);
const typo = await claw.start("typo", undefined);
await claw.start("busy", undefined);
const first = new Set(workflows.map(({ name }) => name));
const shown = async (): Promise<string> => {
  const runs = await claw.list();
  return runs
    .filter(({ workflow }) => first.has(workflow))
    .map(({ workflow, status }) => `${workflow} ${status}`)
    .sort()
    .join(", ");
};
const wanted =
  "ask waiting, ask waiting, busy running, family waiting, nap waiting, quick completed, refused failed, typo bug, wait waiting";
while ((await shown()) !== wanted) await new Promise((resolve) => setImmediate(resolve));
await claw.signal(typo.id, "late", { came: "while held" }, { id: "once" });
process.kill(process.pid, "SIGKILL");
