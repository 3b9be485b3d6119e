// Run by guilty.test.ts as a process of its own: one of its workflows does what no process survives, or ends.
import { setTimeout as pause } from "node:timers/promises";
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";

const [, , path = "", mode = "", begin = ""] = process.argv;
const INNOCENTS = 4;

/** What each guilty workflow does. */
const GUILT: Readonly<Record<string, () => unknown>> = {
  // A body that takes memory without end.
  memory: async () => {
    const taken: unknown[] = [];
    for (;;) {
      for (let at = 0; at < 1_000; at++) taken.push(new Array(1_000).fill(at));
      await pause(0);
    }
  },
  // Code that never ends a turn: nothing in this process runs any more.
  loop: () => {
    for (;;);
  },
};

const guilty = workflow("guilty", async (ctx) => {
  if (mode === "loop") {
    await ctx.run("before", () => 1);
    return GUILT["loop"]?.();
  }
  return ctx.run("guilt", () => GUILT[mode]?.());
});
const innocent = workflow("innocent", async (ctx, n: number) => {
  await ctx.sleep("1s");
  return ctx.run("work", () => n);
});

const claw = await openRuntime({ store: sqliteStore({ path }), workflows: [guilty, innocent] });
if (begin === "begin") {
  for (let at = 0; at < INNOCENTS; at++) await claw.start(innocent, at);
  await claw.start(guilty, null);
}
console.log("begun");
for (;;) {
  const runs = await claw.list();
  const lines = runs.map(({ workflow: name, status }) => `${name} ${status}`).sort();
  const isOpen = (line: string): boolean => /running$|waiting$/.test(line);
  if (runs.length > INNOCENTS && !lines.some(isOpen)) {
    for (const line of lines) console.log(line);
    break;
  }
  await pause(20);
}
await claw.stop();
