import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { test } from "node:test";
import { openRuntime } from "@claw/runtime";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { ownFolder } from "./own-folder.ts";
import { CROWD, crowded } from "./spread-event-workflow.ts";

const APP = path.join(import.meta.dirname, "spread-event-app.ts");

test("an event that very many runs wait for reaches each of them once, although its process was killed on the way", async (t) => {
  const file = path.join(ownFolder(t), "store.db");
  const child = spawn(process.execPath, [APP, file], { stdio: ["ignore", "ignore", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  assert.equal(signal, "SIGKILL");
  const reader = sqliteReader({ path: file });
  t.after(() => reader.close());
  const open = await reader.list({ status: "waiting", limit: CROWD });
  assert.ok(open.length > CROWD / 2, `${open.length} runs were not told yet`);

  const claw = await openRuntime({ store: sqliteStore({ path: file }), workflows: [crowded] });
  t.after(() => claw.stop());
  const all = await reader.list({ limit: CROWD + 1 });
  assert.equal(all.length, CROWD);
  for (const { id } of all) {
    await claw.run(id).result();
    const record = await claw.find(id);
    const output: unknown = JSON.parse(record?.output ?? "");
    const isShort = Number(record?.input) % 8 === 0;
    assert.deepEqual(output, isShort ? ["first"] : ["first", "second"]);
    assert.equal(record?.journal.length, isShort ? 1 : 2);
  }
});
