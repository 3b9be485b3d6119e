// Run by quarantine.test.ts as a process of its own: two of its workflows end the process.
import { setTimeout as pause } from "node:timers/promises";
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";

const [, , path = "", mode = ""] = process.argv;
const INNOCENTS = 4;

const exits = workflow("exits", async (ctx) => {
  await ctx.run("exit", async () => {
    await pause(10);
    process.exit(3);
  });
});
const kills = workflow("kills", async (ctx) => {
  await ctx.run("kill", async () => {
    await pause(10);
    process.kill(process.pid, "SIGKILL");
    return pause(60_000);
  });
});
// Longer than the guilty take: in memory together with them it never gets this done.
const innocent = workflow("innocent", (ctx) => ctx.run("work", () => pause(80, "done")));

const workflows = [exits, kills, innocent];
const claw = await openRuntime({ store: sqliteStore({ path }), workflows });
if (mode === "begin") {
  for (let at = 0; at < INNOCENTS; at++) await claw.start(innocent, null);
  await claw.start(exits, null);
  await claw.start(kills, null);
}
for (;;) {
  const runs = await claw.list();
  const lines = runs.map(({ workflow: name, status }) => `${name} ${status}`).sort();
  if (runs.length > INNOCENTS && !lines.some((line) => line.endsWith("running"))) {
    for (const line of lines) console.log(line);
    break;
  }
  await pause(5);
}
await claw.stop();
