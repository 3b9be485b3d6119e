import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { openRuntime } from "@claw/runtime";
import { isClawError, workflow } from "@claw/sdk";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { finishAll, startApp } from "./kill-nine.ts";
import { KillNineJudge } from "./kill-nine-judge.ts";
import { ownFolder } from "./own-folder.ts";
import { followWitness } from "./witness.ts";

const LIVES = 5;
const STOP_WITHIN_MS = 5_000;

test("SIGTERM in the middle of work stops cleanly, and the next process goes on from there", async (t) => {
  const folder = ownFolder(t);
  const [store, witness] = [path.join(folder, "stop.db"), path.join(folder, "witness")];
  fs.writeFileSync(witness, "");
  const follower = followWitness(witness);
  const judge = new KillNineJudge();
  for (let life = 1; life <= LIVES; life++) {
    const { next, open } = judge;
    const app = startApp({ store, witness, life, next, open, finish: false });
    t.after(() => app.child.kill("SIGKILL"));
    const exited = once(app.child, "exit");
    await app.said("works");
    await pause(life * 17);
    const toldAt = performance.now();
    app.child.kill("SIGTERM");
    assert.deepEqual(await exited, [0, null], app.errors());
    assert.ok(performance.now() - toldAt < STOP_WITHIN_MS, "stopping took too long");
    const lines = follower.next();
    const stopped = lines.indexOf("Q");
    assert.ok(
      stopped > 0 && lines.slice(stopped).every((line) => !line.startsWith("S ")),
      "a body was entered after the stop",
    );
    assert.ok(!fs.existsSync(`${store}-wal`), "a log was left beside the store");
    judge.read(lines);
    look(store, judge);
  }
  await finishAll({ store, witness, life: LIVES + 1, next: judge.next, open: [], finish: true });
  judge.read(follower.next());
  const reader = sqliteReader({ path: store });
  const findings = judge.conclude(reader);
  reader.close();
  assert.deepEqual(findings.problems, []);
  assert.ok(findings.requests > LIVES, "too little was done");
});

test("stop() answers everybody who still waits for a result with CLAW-3005", async (t) => {
  const folder = ownFolder(t);
  const waits = workflow("waits", async (ctx) => ctx.receive("never"));
  const store = sqliteStore({ path: path.join(folder, "stop.db") });
  const claw = await openRuntime({ store, workflows: [waits] });
  t.after(() => claw.stop());
  const run = await claw.start(waits, undefined);
  const waiting = Promise.allSettled([run.result(), run.ended(), run.result({ timeout: "1h" })]);
  await claw.stop();
  const settled = await Promise.race([waiting, pause(1_000, [], { ref: false })]);
  assert.deepEqual(
    settled.map((one) => one.status === "rejected" && isClawError(one.reason, "CLAW-3005")),
    [true, true, true],
  );
});

test("stop() twice, and from two places at once, is one stop", async (t) => {
  const folder = ownFolder(t);
  const claw = await openRuntime({
    store: sqliteStore({ path: path.join(folder, "stop.db") }),
    workflows: [],
  });
  await Promise.all([claw.stop(), claw.stop()]);
  await claw.stop();
});

function look(store: string, judge: KillNineJudge): void {
  const reader = sqliteReader({ path: store });
  judge.look(reader);
  assert.deepEqual(reader.check(), []);
  reader.close();
}
