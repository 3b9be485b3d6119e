// The process that is killed: a runtime, and a client that repeats whatever was not acknowledged.
// What it does it writes to the witness: L life, I key (intent), A key run, G run signal, P event, R run output,
// B and E around each commit, S for each body, X for an error that nobody may see.
import { setTimeout as pause } from "node:timers/promises";
import type { Store } from "@claw/core/ports";
import { openRuntime } from "@claw/runtime";
import { sqliteStore } from "@claw/store-sqlite";
import type { LifePlan } from "./kill-nine.ts";
import { arrived, keyOf, shapeOf, witnessedWorkflows } from "./kill-nine-workflows.ts";
import { openWitness } from "./witness.ts";

const LANES = 40;
/** Above this many runs in memory the client starts no new ones. */
const ACTIVE_MAX = 120;
const RESULT_TIMEOUT = "40s";
const QUIET_WITHIN_MS = 20_000;

const plan = JSON.parse(process.argv[2] ?? "") as LifePlan;
const witness = openWitness(plan.witness);
witness.write(`L ${plan.life}`);
process.send?.("opening");
const claw = await openRuntime({
  store: watched(sqliteStore({ path: plan.store })),
  workflows: witnessedWorkflows(witness),
  // Every second life parks what waits longer than a few milliseconds, the others keep it in memory.
  limits: { parkGraceMs: plan.life % 2 === 0 ? 3 : 1_000 },
});
process.send?.("works");
process.once("SIGTERM", () => {
  witness.write("T");
  void claw.stop().then(() => witness.write("Q"));
});

// The last life asks for everything once more: every repetition must meet its first run.
const left = plan.finish ? [...Array(plan.next).keys()] : [...plan.open];
let next = plan.next;
await Promise.all(Array.from({ length: LANES }, lane));
if (plan.finish) {
  await quiet();
  await claw.stop();
  process.disconnect?.();
}

function watched(store: Store): Store {
  return {
    ...store,
    commit: (batch) => {
      witness.write(`B ${batch.number}`);
      const answer = store.commit(batch);
      if (answer instanceof Promise) throw new Error("this store answers at once");
      witness.write(`E ${batch.number}`);
      return answer;
    },
  };
}

async function lane(): Promise<void> {
  for (;;) {
    const at = left.shift() ?? (plan.finish ? undefined : next);
    if (at === undefined) return;
    if (at === next) {
      if (claw.stats().active > ACTIVE_MAX) {
        await pause(2);
        continue;
      }
      next++;
      witness.write(`I ${keyOf(at)}`);
    }
    try {
      await drive(at);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      // Stopping refuses what is asked for; only that may be seen.
      if (code === "CLAW-3005") return;
      witness.write(`X ${keyOf(at)} ${message.replaceAll("\n", " ")}`);
    }
  }
}

async function drive(at: number): Promise<void> {
  const key = keyOf(at);
  const shape = shapeOf(at);
  const run = await claw.start(shape, key, { idempotencyKey: key });
  witness.write(`A ${key} ${run.id}`);
  // Often before the run asks for it: waiting looks back to the run's start.
  if (shape === "parcel") await publish(key);
  if (shape === "mail") {
    for (const note of ["a", "b"]) {
      await claw.signal(run.id, "note", note, { id: `${key}.${note}` });
      witness.write(`G ${run.id} ${note}`);
    }
  }
  const output = await run.result({ timeout: RESULT_TIMEOUT });
  witness.write(`R ${run.id} ${JSON.stringify(output)}`);
}

async function publish(key: string): Promise<void> {
  await claw.publish({ type: arrived.type, source: "/post", id: key, data: { key } });
  witness.write(`P ${key}`);
}

// Children, detached and triggered runs have nobody who waits for their result.
async function quiet(): Promise<void> {
  const end = performance.now() + QUIET_WITHIN_MS;
  for (;;) {
    const open = [
      ...(await claw.list({ status: "running" })),
      ...(await claw.list({ status: "waiting" })),
    ];
    if (open.length === 0) return;
    if (performance.now() > end) {
      for (const { id, workflow } of open) witness.write(`X ${workflow} ${id} does not end`);
      return;
    }
    await pause(10);
  }
}
