import { existsSync, realpathSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Store } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { openApprovalLister } from "./approvals.ts";
import { checkStore } from "./check.ts";
import { tailTextOf } from "./journal-tail.ts";
import { openRunLister } from "./list-runs.ts";
import { openChunkReader } from "./streams.ts";
import { openTaskReader, type TaskReader } from "./read-tasks.ts";
import { recogniseStore, SCHEMA_VERSION } from "./schema.ts";
import { READONLY, sqliteCode, storageError } from "./storage-error.ts";

const BUSY_TIMEOUT_MS = 1_000;

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
    db = openForReading(realpathSync(path));
    return readerOn(db, path);
  } catch (error) {
    db?.close();
    throw storageError(error, path);
  }
}

// Also a reader needs the shared memory file beside the database. In a folder that may not be written it is
// done without, if nobody can be writing: then there is no write-ahead log.
function openForReading(path: string): DatabaseSync {
  const options = { readOnly: true, timeout: BUSY_TIMEOUT_MS };
  const db = new DatabaseSync(path, options);
  try {
    db.prepare("PRAGMA user_version").get();
    return db;
  } catch (error) {
    db.close();
    if (sqliteCode(error) !== READONLY || existsSync(`${path}-wal`)) throw error;
    const url = pathToFileURL(path);
    url.searchParams.set("immutable", "1");
    return new DatabaseSync(url, options);
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
