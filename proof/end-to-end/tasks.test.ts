import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { sqliteReader } from "@claw/store-sqlite";
import { ownFolder } from "./own-folder.ts";

const APP = join(import.meta.dirname, "tasks-app.ts");
const TASKS = 3_000;
const LIVES = 6;

test("after kill -9 in the middle of tasks each is found again, and what was completed never runs again", async (t) => {
  const store = join(ownFolder(t), "store.db");
  const keys = new Map<number, string>();
  let left = new Set(Array.from({ length: TASKS }, (_, at) => at));
  let repeated = 0;
  for (let life = 1; life <= LIVES; life++) {
    const bodiesMax = life === LIVES ? 0 : 150 + life * 97;
    const child = spawn(
      process.execPath,
      [APP, store, `${bodiesMax}`, life === 1 ? `${TASKS}` : "0"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    t.after(() => child.kill("SIGKILL"));
    const said = text(child.stdout);
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    assert.ok(life === LIVES ? code === 0 : signal === "SIGKILL", `${code} ${signal}`);
    for (const line of (await said).trim().split("\n")) {
      const [number, key = ""] = line.split(" ");
      const n = Number(number);
      assert.ok(left.has(n), `task ${n} was completed before life ${life}`);
      assert.equal(keys.get(n) ?? key, key, "the key is stable");
      if (keys.has(n)) repeated++;
      keys.set(n, key);
    }
    const reader = sqliteReader({ path: store });
    assert.deepEqual(await reader.check(), []);
    left = new Set(reader.tasks.list({ limit: TASKS }).map(({ input }) => Number(input)));
    reader.close();
  }
  assert.equal(keys.size, TASKS);
  assert.equal(new Set(keys.values()).size, TASKS);
  assert.equal(left.size, 0);
  assert.ok(repeated >= TASKS / 10, `${repeated} attempts were repetitions`);
});
