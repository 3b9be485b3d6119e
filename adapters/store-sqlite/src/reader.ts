import type { DatabaseSync } from "node:sqlite";
import type { Store } from "@claw/core/ports";
import { openApprovalLister } from "./approvals.ts";
import { checkStore } from "./check.ts";
import { tailTextOf } from "./journal-tail.ts";
import { openRunLister } from "./list-runs.ts";
import { openChunkReader } from "./streams.ts";
import { openTaskReader, type TaskReader } from "./read-tasks.ts";
import { openForReading } from "./open-reading.ts";
import { storageError } from "./storage-error.ts";

/** A look at a store that somebody else may own. */
export interface SqliteReader extends Pick<Store, "list" | "find" | "key" | "approvals" | "check"> {
  readonly tasks: Pick<TaskReader, "list" | "find" | "counts">;
  readonly streams: Store["streams"];
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
    db = openForReading(path);
    return readerOn(db, path);
  } catch (error) {
    db?.close();
    throw storageError(error, path);
  }
}

function readerOn(db: DatabaseSync, path: string): SqliteReader {
  const lister = openRunLister(db, (run, settled) => tailTextOf(db, run, settled));
  const tasks = openTaskReader(db);
  const approvals = openApprovalLister(db);
  const chunks = openChunkReader(db);
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
    key: (name, limit) => read(() => lister.key(name, limit)),
    approvals: (query) => read(() => approvals(query)),
    tasks: {
      list: (query) => read(() => tasks.list(query)),
      find: (id) => read(() => tasks.find(id)),
      counts: (namespace) => read(() => tasks.counts(namespace)),
    },
    streams: { read: (query) => read(() => chunks(query)) },
    check: () => checkStore(db),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}
