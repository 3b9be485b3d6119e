// A process that opens an empty store, runs 5 steps and says so: the subject of W8.
import module from "node:module";

module.enableCompileCache();
const { openRuntime } = await import("@claw/runtime");
const { sqliteStore } = await import("@claw/store-sqlite");
const { steps } = await import("./workflows.ts");

const five = steps("five", 5);
const store = sqliteStore({ path: process.argv[2] ?? "w8.db" });
const claw = await openRuntime({ store, workflows: [five] });
const sum = await (await claw.start(five, 0)).result();
process.send?.({ sum, durability: claw.store.durability });
await claw.stop();
process.disconnect?.();
