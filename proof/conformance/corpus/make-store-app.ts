import { openRuntime } from "@claw/runtime";
import { sqliteStore } from "@claw/store-sqlite";
import { corpus, workflows } from "./workflows.ts";

// Makes a store with runs in every state and ends as a crash would: node make-store-app.ts FILE
corpus.isMaking = true;
const claw = await openRuntime({ store: sqliteStore({ path: process.argv[2] ?? "" }), workflows });
const quick = await claw.start("quick", "Ada", { idempotencyKey: "first" });
await quick.result();
await (await claw.start("refused", undefined)).ended();
await claw.publish({ type: "corpus.paid", id: "early", source: "/corpus", data: { order: 1 } });
const open = ["nap", "ask", "wait", "family"];
for (const name of open) await claw.start(name, undefined);
const typo = await claw.start("typo", undefined);
await claw.start("busy", undefined);
const shown = async (): Promise<string> => {
  const runs = await claw.list();
  return runs
    .map(({ workflow, status }) => `${workflow} ${status}`)
    .sort()
    .join(", ");
};
const wanted =
  "ask waiting, ask waiting, busy running, family waiting, nap waiting, quick completed, refused failed, typo bug, wait waiting";
while ((await shown()) !== wanted) await new Promise((resolve) => setImmediate(resolve));
await claw.signal(typo.id, "late", { came: "while held" }, { id: "once" });
process.kill(process.pid, "SIGKILL");
