import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import type { Clock } from "@claw/core/ports";
import { type Claw, openRuntime } from "@claw/runtime";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { workflows } from "./corpus/workflows.ts";

const CORPUS = join(import.meta.dirname, "corpus");
const VERSIONS = readdirSync(CORPUS).filter((file) => file.endsWith(".sql"));

/** Long after the stores were made: what sleeps in them is due. */
const LATER: Clock = {
  now: () => Date.now() + 7_200_000,
  after: (delayMs, fire) => {
    const timer = setTimeout(fire, Math.min(delayMs, 60_000));
    return () => clearTimeout(timer);
  },
};

/** A store file made of a dump of the corpus. */
function restore(t: TestContext, dump: string): string {
  const folder = mkdtempSync(join(tmpdir(), "claw-version-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "claw.db");
  const db = new DatabaseSync(path);
  db.exec(readFileSync(join(CORPUS, dump), "utf8"));
  db.close();
  return path;
}

async function open(t: TestContext, path: string): Promise<Claw> {
  const retention = { completed: "never", failed: "never" } as const;
  const store = sqliteStore({ path });
  const claw = await openRuntime({ store, workflows, retention, clock: LATER });
  t.after(() => claw.stop());
  return claw;
}

test("the corpus has a store of the first schema version and of later ones", () => {
  assert.ok(VERSIONS.includes("schema-01.sql") && VERSIONS.length >= 3, VERSIONS.join(", "));
});

for (const dump of VERSIONS) {
  test(`${dump}: a store of this version is migrated, and its runs go on to their ends`, async (t) => {
    const path = restore(t, dump);
    const claw = await open(t, path);
    const runs = await claw.list({ limit: 100 });
    const idOf = (workflow: string): string =>
      runs.find((run) => run.workflow === workflow && run.parentRun === "")?.id ?? "";
    assert.equal((await claw.find(idOf("quick")))?.output, '"hi Ada"');
    assert.equal((await claw.find(idOf("refused")))?.status, "failed");
    assert.equal((await claw.start("quick", "Ada", { idempotencyKey: "first" })).existing, true);
    await claw.publish({ type: "corpus.paid", data: { order: 7 } });
    for (const { id, workflow } of runs) if (workflow === "ask") await claw.signal(id, "answer", 5);
    const outputs = await Promise.all(
      ["nap", "wait", "family", "busy", "typo"].map((name) =>
        claw.run(idOf(name)).result({ timeout: "20s" }),
      ),
    );
    assert.deepEqual(outputs, [3, true, 5, 3, { came: "while held" }]);
    await claw.stop();
    const reader = sqliteReader({ path });
    t.after(() => reader.close());
    assert.deepEqual(await reader.check(), []);
    assert.equal(
      (await reader.list({ limit: 100 })).every(({ endedAt }) => endedAt !== null),
      true,
    );
  });

  test(`${dump}: migrated, it has the schema of a new store`, async (t) => {
    const path = restore(t, dump);
    await (await open(t, path)).stop();
    const fresh = join(path, "..", "fresh.db");
    await (await open(t, fresh)).stop();
    assert.deepEqual(schemaOf(path), schemaOf(fresh));
  });
}

// Names of tables, columns and indexes: the texts differ where a column was added.
function schemaOf(path: string): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db
    .prepare(`
      SELECT m.type, m.name, group_concat(c.name, ',') AS columns
      FROM sqlite_schema m LEFT JOIN pragma_table_info(m.name) c
      GROUP BY m.type, m.name ORDER BY m.type, m.name`)
    .all();
  db.close();
  return rows.map((row) => ({ ...row }));
}
