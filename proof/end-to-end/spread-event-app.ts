// Publishes an event that very many runs wait for, and kills itself as soon as it was told that the event is durable.
import { openRuntime } from "@claw/runtime";
import { sqliteStore } from "@claw/store-sqlite";
import { CROWD, crowded, Opened } from "./spread-event-workflow.ts";

const claw = await openRuntime({
  store: sqliteStore({ path: process.argv[2] ?? "" }),
  workflows: [crowded],
});
await Promise.all(Array.from({ length: CROWD }, (_, at) => claw.start(crowded, at)));
await claw.flush();
await claw.publish({ type: Opened.type, data: "first" });
await claw.publish({ type: Opened.type, data: "second" });
process.kill(process.pid, "SIGKILL");
