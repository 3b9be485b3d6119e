// The process that W7 kills: 5 steps of 20 ms a run. It writes `S run step` when a body is entered and
// `C run step` once the engine let the workflow pass the step; both unbuffered, to a file of its own.
import fs from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";

const [storeFile = "", logFile = "", startCount = "0"] = process.argv.slice(2);
const handle = fs.openSync(logFile, "a");
const log = (line: string): void => void fs.writeSync(handle, `${line}\n`);

const crash = workflow("crash", async (ctx, name: string) => {
  for (let at = 0; at < 5; at++) {
    await ctx.run(`s${at}`, async () => {
      log(`S ${name} ${at}`);
      await pause(20);
      log(`E ${name} ${at}`);
      return at;
    });
    log(`C ${name} ${at}`);
  }
  log(`D ${name}`);
});

const claw = await openRuntime({ store: sqliteStore({ path: storeFile }), workflows: [crash] });
process.send?.({ ready: true, durability: claw.store.durability });
const starts = Array.from({ length: Number(startCount) }, (_, at) => claw.start(crash, `r${at}`));
await Promise.all(starts);
process.send?.({ started: starts.length });
