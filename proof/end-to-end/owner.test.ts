import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { type TestContext, test } from "node:test";
import { openRuntime } from "@claw/runtime";
import { isClawError, workflow } from "@claw/sdk";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { type App, type LifePlan, startApp } from "./kill-nine.ts";
import { ownFolder } from "./own-folder.ts";
import { until } from "./until.ts";
import { followWitness } from "./witness.ts";

const FREE_WITHIN_MS = 1_000;

const quick = workflow("quick", () => 1);

test("a second process is refused with CLAW-4001, which says what to do, and the owner works on", async (t) => {
  const plan = planFor(t);
  const owner = started(t, plan);
  await owner.said("works");
  const witness = followWitness(plan.witness);
  const second = openRuntime({ store: sqliteStore({ path: plan.store }), workflows: [] });
  await assert.rejects(second, (error) => {
    assert.ok(isClawError(error, "CLAW-4001"), String(error));
    assert.match(error.message, /is owned by a running process/);
    assert.match(error.message, /Stop that process, or send commands to it/);
    assert.equal(error.retryable, false);
    return true;
  });
  witness.next();
  await until("another commit of the owner", () => {
    return witness.next().some((line) => line.startsWith("E "));
  });
});

test("the store has no owner any more as soon as its owner was killed with SIGKILL", async (t) => {
  const plan = planFor(t);
  const owner = started(t, plan);
  await owner.said("works");
  owner.child.kill("SIGKILL");
  await once(owner.child, "exit");
  const killedAt = performance.now();
  const store = sqliteStore({ path: plan.store });
  await store.open();
  const freeAfterMs = performance.now() - killedAt;
  await store.close();
  t.diagnostic(`owned again ${freeAfterMs.toFixed(1)} ms after the end of the process`);
  assert.ok(freeAfterMs < FREE_WITHIN_MS);
});

test("of two processes that start at the same moment one owns the store and the other says why not", async (t) => {
  const plan = planFor(t);
  const apps = [started(t, plan), started(t, plan)];
  const refused = await Promise.race(
    apps.map(async (app) => {
      await once(app.child, "exit");
      return app;
    }),
  );
  assert.match(refused.errors(), /CLAW-4001/);
  const owner = apps.find((app) => app !== refused);
  await owner?.said("works");
});

test("a foreign program that locks the database stops the work, but does not end the ownership", async (t) => {
  const { store: file } = planFor(t);
  const claw = await openRuntime({ store: sqliteStore({ path: file }), workflows: [quick] });
  t.after(() => claw.stop());
  const foreign = new DatabaseSync(file);
  t.after(() => foreign.close());
  foreign.exec("BEGIN IMMEDIATE");
  await assert.rejects(claw.start(quick, null), (error) => isClawError(error, "CLAW-4005"));
  // By now the runtime has tried in vain to open the store again, more than once.
  const end = performance.now() + 1_000;
  while (performance.now() < end) {
    const other = sqliteStore({ path: file });
    const refused = (error: unknown): boolean => isClawError(error, "CLAW-4001");
    await assert.rejects(async () => other.open(), refused);
    await pause(20);
  }
  foreign.exec("ROLLBACK");
  await until("working again", async () => {
    try {
      await claw.start(quick, null);
      return true;
    } catch (error) {
      if (isClawError(error, "CLAW-4005")) return false;
      throw error;
    }
  });
});

test("a store that has an owner can be read by everybody", async (t) => {
  const plan = planFor(t);
  await started(t, plan).said("works");
  const reader = sqliteReader({ path: plan.store });
  t.after(() => reader.close());
  assert.deepEqual(await reader.check(), []);
});

function planFor(t: TestContext): LifePlan {
  const folder = ownFolder(t);
  const [store, witness] = [path.join(folder, "owned.db"), path.join(folder, "witness")];
  fs.writeFileSync(witness, "");
  return { store, witness, life: 1, next: 0, open: [], finish: false };
}

function started(t: TestContext, plan: LifePlan): App {
  const app = startApp(plan);
  t.after(() => app.child.kill("SIGKILL"));
  return app;
}
