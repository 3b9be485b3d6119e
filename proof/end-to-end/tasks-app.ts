// Run by tasks.test.ts as a process of its own: works off tasks and ends itself in the middle of it.
import { writeSync } from "node:fs";
import { setImmediate as pass } from "node:timers/promises";
import { openRuntime } from "@claw/runtime";
import { type StepContext, task } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";

const [, , path = "", bodiesMax = "0", enqueue = "0"] = process.argv;
let begun = 0;

const work = task<number>("work", { retry: { initial: "1ms" } }, async (n, step: StepContext) => {
  writeSync(1, `${n} ${step.key}\n`);
  if (++begun === Number(bodiesMax)) process.kill(process.pid, "SIGKILL");
  await pass();
  if (n % 10 === 0 && step.attempt === 1) throw new Error("not at once");
});

const store = sqliteStore({ path });
const claw = await openRuntime({ store, workflows: [], tasks: [work] });
if (enqueue !== "0") {
  await claw.enqueueMany(
    work,
    Array.from({ length: Number(enqueue) }, (_, at) => at),
  );
}
while ((await claw.tasks({ limit: 1 })).length > 0) await pass();
await claw.stop();
