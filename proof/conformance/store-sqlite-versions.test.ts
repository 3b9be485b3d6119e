import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import type { Clock } from "@claw/core/ports";
import { type Claw, openRuntime } from "@claw/runtime";
import { sqliteReader, sqliteStore } from "@claw/store-sqlite";
import { laterTasks, laterWorkflows, mailed } from "./corpus/later.ts";
import { workflows } from "./corpus/workflows.ts";

const CORPUS = join(import.meta.dirname, "corpus");
const VERSIONS = readdirSync(CORPUS).filter((file) => file.endsWith(".sql"));

/** Two hours after a store was made: what sleeps in it is due, what it remembers is not expired, today as in years. */
function laterThan(path: string): Clock {
  const db = new DatabaseSync(path, { readOnly: true });
  const made = Number(db.prepare("SELECT max(started_at) AS at FROM runs").get()?.["at"]);
  db.close();
  const ahead = made + 7_200_000 - Date.now();
  return {
    now: () => Date.now() + ahead,
    after: (delayMs, fire) => {
      const timer = setTimeout(fire, Math.max(0, Math.min(delayMs, 60_000)));
      return () => clearTimeout(timer);
    },
  };
}

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

async function open(t: TestContext, path: string, made = path): Promise<Claw> {
  const retention = { completed: "never", failed: "never" } as const;
  const store = sqliteStore({ path });
  const claw = await openRuntime({
    store,
    workflows: [...workflows, ...laterWorkflows],
    tasks: laterTasks,
    retention,
    clock: laterThan(made),
  });
  t.after(() => claw.stop());
  return claw;
}

test("the corpus has a store of every schema version, without a gap", () => {
  const numbers = VERSIONS.map(versionOf);
  assert.deepEqual(
    numbers,
    numbers.map((_, at) => at + 1),
  );
  assert.ok(numbers.length >= 9, VERSIONS.join(", "));
});

test("no store of the corpus names the folder of a machine", () => {
  for (const dump of VERSIONS) {
    const text = readFileSync(join(CORPUS, dump), "utf8");
    assert.deepEqual(text.match(/file:\/\/\/(?!claw\/)\S*/g) ?? [], [], dump);
  }
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
    const first = new Set(workflows.map(({ name }) => name));
    const listed = await reader.list({ limit: 100 });
    assert.deepEqual(
      listed.filter((run) => run.endedAt === null && first.has(run.workflow)),
      [],
    );
  });

  test(`${dump}: what later features left in it goes on as well`, async (t) => {
    const path = restore(t, dump);
    mailed.length = 0;
    const claw = await open(t, path);
    for (const { since, goesOn } of GOING_ON) if (since <= versionOf(dump)) await goesOn(claw);
    await claw.stop();
    const reader = sqliteReader({ path });
    t.after(() => reader.close());
    assert.deepEqual(await reader.check(), []);
  });

  test(`${dump}: migrated, it has the schema of a new store`, async (t) => {
    const path = restore(t, dump);
    await (await open(t, path)).stop();
    const fresh = join(path, "..", "fresh.db");
    await (await open(t, fresh, path)).stop();
    assert.deepEqual(schemaOf(path), schemaOf(fresh));
  });
}

function versionOf(dump: string): number {
  return Number(/(\d+)/.exec(dump)?.[1]);
}

/** What must come of the features of `corpus/later.ts`. */
const GOING_ON: readonly { since: number; goesOn: (claw: Claw) => Promise<void> }[] = [
  {
    since: 4,
    goesOn: async (claw) => {
      const [red] = await claw.list({ attributes: { color: "red", shelf: 3 } });
      assert.equal(red?.workflow, "tagged");
      assert.equal((await claw.list({ attributes: { color: "blue" } })).length, 1);
      await claw.signal(red?.id ?? "", "go", "on");
      assert.equal(await claw.run(red?.id ?? "").result({ timeout: "20s" }), "on");
    },
  },
  {
    since: 5,
    goesOn: async (claw) => {
      const [halted] = await claw.list({ workflow: "halted" });
      assert.equal(halted?.status, "paused");
      assert.equal(halted?.reason, "the bank is down");
      await claw.signal(halted?.id ?? "", "more", 1);
      await claw.resume(halted?.id ?? "");
      assert.equal(await claw.run(halted?.id ?? "").result({ timeout: "20s" }), 21);
    },
  },
  {
    since: 6,
    goesOn: async (claw) => {
      const [asked] = await claw.approvals({ assignee: "ada" });
      const { run, call } = asked ?? { run: "", call: "" };
      await claw.approve(run, call, { by: "ada", decision: "approve", value: { cents: 5 } });
      assert.equal(await claw.run(run).result({ timeout: "20s" }), 5);
    },
  },
  {
    since: 7,
    goesOn: async (claw) => {
      const again = await claw.enqueue("corpus-mail", "cy", { idempotencyKey: "cy", delay: "1h" });
      assert.equal(again.existing, true);
      while (mailed.length < 3) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([...mailed].sort(), ["ada", "bob", "cy"]);
    },
  },
  {
    since: 9,
    goesOn: async (claw) => {
      for (const workflow of ["lives", "large"]) {
        const [{ id } = { id: "" }] = await claw.list({ workflow });
        await claw.signal(id, "go", "lives");
        const output = await claw.run(id).result({ timeout: "20s" });
        assert.equal(output, workflow === "large" ? 3_000 : "3 lives");
      }
      const [{ id } = { id: "" }] = await claw.list({ workflow: "lives" });
      assert.equal((await claw.find(id))?.generations?.length, 2);
    },
  },
  {
    since: 10,
    goesOn: async (claw) => {
      const [{ id } = { id: "" }] = await claw.list({ workflow: "spoken" });
      await claw.signal(id, "go");
      const said: unknown[] = [];
      for await (const { seq, value } of claw.run(id).stream("said")) said.push([seq, value]);
      assert.deepEqual(said, [
        [1, "one"],
        [2, { two: 2 }],
        [3, "three"],
      ]);
    },
  },
];

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
