import type { Store, StoreInfo } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { type BatchWriter, openBatchWriter } from "./apply-batch.ts";
import { backUp } from "./back-up.ts";
import { checkStore } from "./check.ts";
import { openRunLister, type RunLister } from "./list-runs.ts";
import { type OpenDatabase, openDatabase, settlePath } from "./open-database.ts";
import { type OwnerLock, takeOwnership } from "./owner-lock.ts";
import { openRunReader, type RunReader } from "./read-runs.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { storageError } from "./storage-error.ts";

/** Where a store is. */
export interface SqliteOptions {
  /** The database file; its folder is made when it is missing. Beside it: `-wal`, `-shm`, `-owner`. */
  readonly path: string;
  /** Most pages of the database file; more is CLAW-4004, as on a full disk. Default: no bound. */
  readonly pagesMax?: number;
}

interface Opened extends OpenDatabase {
  readonly writer: BatchWriter;
  readonly reader: RunReader;
  readonly lister: RunLister;
}

/**
 * A store in one SQLite file, owned by one process. Every verb but `backup` answers at once. After
 * an error of the storage all handles are closed and each verb throws until `open` was called again;
 * the ownership is kept meanwhile.
 */
export function sqliteStore(options: SqliteOptions): Store {
  let path = options.path;
  let lock: OwnerLock | null = null;
  let opened: Opened | null = null;

  function closeDatabase(): void {
    const { db } = opened ?? {};
    opened = null;
    if (db?.isOpen === true) db.close();
  }

  // What the storage threw ends the use of this handle: its state is not known.
  function use<T>(verb: (current: Opened) => T): T {
    if (opened === null) throw new ClawError("CLAW-4006", `${path} is not open`);
    try {
      return verb(opened);
    } catch (error) {
      const coded = storageError(error, path);
      if (coded.code !== "CLAW-4007") abandon();
      throw coded;
    }
  }

  function abandon(): void {
    try {
      closeDatabase();
    } catch {
      // The error that led here says more than that closing failed as well.
    }
  }

  function open(): StoreInfo {
    const owned = lock !== null;
    try {
      closeDatabase();
      path = settlePath(options.path);
      lock ??= takeOwnership(path);
      const database = openDatabase(path, options);
      const { db, durability, incarnation } = database;
      opened = {
        ...database,
        writer: openBatchWriter(db),
        reader: openRunReader(db),
        lister: openRunLister(db),
      };
      const schemaVersion = SCHEMA_VERSION;
      return { kind: "sqlite", location: path, durability, schemaVersion, incarnation };
    } catch (error) {
      // An owner that waits for its disk to come back must find its store unowned by others.
      if (owned) abandon();
      else close();
      throw storageError(error, path);
    }
  }

  function close(): void {
    abandon();
    lock?.release();
    lock = null;
  }

  return {
    open,
    close,
    commit: (batch) => use(({ writer }) => writer.commit(batch)),
    load: (ids) => use(({ reader }) => reader.load(ids)),
    due: (nowMs, limit) => use(({ reader }) => reader.due(nowMs, limit)),
    nextDue: (afterMs) => use(({ reader }) => reader.nextDue(afterMs)),
    held: (kinds, limit) => use(({ reader }) => reader.held(kinds, limit)),
    findDedup: (scope) => use(({ writer }) => writer.tables.requests.find(scope)),
    list: (query) => use(({ lister }) => lister.list(query)),
    find: (id) => use(({ lister }) => lister.find(id)),
    expire: (nowMs, limit) => use(({ writer }) => writer.tables.requests.expire(nowMs, limit)),
    check: () => use(({ db }) => checkStore(db)),
    backup: async (to) => {
      use(() => undefined);
      try {
        await backUp(path, to);
      } catch (error) {
        throw storageError(error, to);
      }
    },
  };
}
