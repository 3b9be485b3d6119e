import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteStore } from "@claw/store-sqlite";
import type { Damage, StorePlace } from "./place.ts";

/** A database file in a folder of its own. */
export interface SqlitePlace extends StorePlace {
  readonly path: string;
  /** Works on the file by other means than the store's. */
  behind<T>(act: (db: DatabaseSync) => T): T;
}

/** A place on disk for a SQLite store. */
export function sqlitePlace(): SqlitePlace {
  const folder = mkdtempSync(join(tmpdir(), "claw-sqlite-"));
  const path = join(folder, "claw.db");
  const behind = <T>(act: (db: DatabaseSync) => T): T => {
    const db = new DatabaseSync(path, { timeout: 1_000 });
    try {
      return act(db);
    } finally {
      db.close();
    }
  };
  const count = (db: DatabaseSync, table: string): number =>
    Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
  return {
    folder,
    path,
    behind,
    store: () => sqliteStore({ path }),
    restored: (copy) => sqliteStore({ path: copy }),
    countRows: () =>
      behind((db) => ({
        runs: count(db, "runs"),
        closed: count(db, "closed"),
        journal: count(db, "journal"),
        inbox: count(db, "inbox"),
        waits: count(db, "waits"),
      })),
    plant: (damage, run) =>
      behind((db) => {
        db.exec("PRAGMA ignore_check_constraints = ON");
        const { changes } = db.prepare(DAMAGES[damage]).run(run);
        if (changes !== 1) throw new Error(`${damage}: changed ${changes} rows`);
      }),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

const DAMAGES: Readonly<Record<Damage, string>> = {
  "stranded run": "UPDATE runs SET due = NULL, waits = 0 WHERE id = ?",
  "gap in the journal": "DELETE FROM journal WHERE run = ? AND seq = 2",
  "inbox beyond its counter": "UPDATE runs SET inbox_seq = 0 WHERE id = ?",
  "subscription without a run": "DELETE FROM runs WHERE id = ?",
  "message without a run": "DELETE FROM runs WHERE id = ?",
  "open child without a run": "DELETE FROM runs WHERE id = ?",
};
