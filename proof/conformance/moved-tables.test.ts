import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sqliteStore } from "@claw/store-sqlite";

/**
 * What becomes of each table when a run is exported and imported. Whoever adds one decides it here: what is carried along
 * goes into `RunArchive`, `services/runtime/src/moves` and `ARCHIVE_VERSION`.
 */
const TABLES: Readonly<Record<string, "carried" | "made again" | "stays">> = {
  runs: "carried",
  closed: "carried",
  journal: "carried",
  tail: "carried",
  inbox: "carried",
  generations: "carried",
  attributes: "carried",
  blobs: "carried",
  dedup: "carried",
  streams: "carried",
  chunks: "carried",
  traces: "carried",
  keyed_runs: "carried",
  key_states: "carried",
  keys: "made again",
  waits: "made again",
  approvals: "made again",
  shapes: "made again",
  // What an event still owes is paid by the store that logged it: runs that move look from then on.
  spreads: "stays",
  events: "stays",
  event_keys: "stays",
  task_blocks: "stays",
  task_marks: "stays",
  task_aside: "stays",
  meta: "stays",
};

test("of every table it is decided what an export does with its rows", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "claw-tables-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "claw.db");
  const store = sqliteStore({ path });
  await store.open();
  await store.close();
  const db = new DatabaseSync(path, { readOnly: true });
  const names = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    .all()
    .map(({ name }) => String(name));
  db.close();
  assert.deepEqual(names.sort(), Object.keys(TABLES).sort());
});
