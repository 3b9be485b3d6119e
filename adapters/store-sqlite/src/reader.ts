import { realpathSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Store } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { checkStore } from "./check.ts";
import { tailTextOf } from "./journal-tail.ts";
import { openRunLister } from "./list-runs.ts";
import { recogniseStore, SCHEMA_VERSION } from "./schema.ts";
import { storageError } from "./storage-error.ts";

const BUSY_TIMEOUT_MS = 1_000;

/** A look at a store that somebody else may own. */
export interface SqliteReader extends Pick<Store, "list" | "find" | "check"> {
  /** Idempotent. */
  close(): void;
}

/**
 * Opens the store at `path` for reading only, with or without an owner at work, and sees each
 * commit of the owner from the next call on.
 * Errors: CLAW-4002 damaged, CLAW-4003 newer, CLAW-4008 no store, or written by an older version and not migrated yet.
 */
export function sqliteReader({ path }: { readonly path: string }): SqliteReader {
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(realpathSync(path), { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    return readerOn(db, path);
  } catch (error) {
    db?.close();
    throw storageError(error, path);
  }
}

function readerOn(db: DatabaseSync, path: string): SqliteReader {
  const version = recogniseStore(db, path);
  if (version !== SCHEMA_VERSION) {
    throw new ClawError(
      "CLAW-4008",
      version === 0 ? `${path} is empty` : `${path} has the older schema version ${version}`,
    );
  }
  const lister = openRunLister(db, (run, settled) => tailTextOf(db, run, settled));
  // The owner moves rows between tables: what is read together must be of one state.
  const read = <T>(verb: () => T): T => {
    try {
      db.exec("BEGIN");
      return verb();
    } catch (error) {
      throw storageError(error, path);
    } finally {
      if (db.isOpen && db.isTransaction) db.exec("ROLLBACK");
    }
  };
  return {
    list: (query) => read(() => lister.list(query)),
    find: (id) => read(() => lister.find(id)),
    check: () => checkStore(db),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}
