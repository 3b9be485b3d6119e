import type { Store } from "@claw/core/ports";
import { backUp } from "./back-up.ts";
import { checkStore } from "./check.ts";
import { sqliteLook } from "./look.ts";
import { storageError } from "./storage-error.ts";
import { StoreHandle } from "./store-handle.ts";

/** Where a store is. */
export interface SqliteOptions {
  /** The database file; its folder is made when it is missing. Beside it: `-wal`, `-shm`, `-owner`. */
  readonly path: string;
  /** Most pages of the database file; more is CLAW-4004, as on a full disk. Default: no bound. */
  readonly pagesMax?: number;
}

/**
 * A store in one SQLite file, owned by one process. Every verb but `backup` answers at once. After
 * an error of the storage the connection is closed and each verb throws until `open` was called
 * again; the ownership is kept meanwhile.
 */
export function sqliteStore(options: SqliteOptions): Store {
  const handle = new StoreHandle(options);
  return {
    open: (lost) => handle.open(lost),
    close: () => handle.close(),
    commit: (batch) => handle.commit(batch),
    load: (ids) => handle.use(({ reader }) => reader.load(ids)),
    due: (nowMs, limit, _orphans, namespace) =>
      handle.use(({ reader }) => reader.due(nowMs, limit, namespace ?? null)),
    suspects: (limit, namespace) =>
      handle.use(({ reader }) => reader.suspects(limit, namespace ?? null)),
    nextDue: (afterMs, namespace) =>
      handle.use(({ reader }) => reader.nextDue(afterMs, namespace ?? null)),
    held: (kinds, limit, namespace) =>
      handle.use(({ reader }) => reader.held(kinds, limit, namespace ?? null)),
    findDedup: (scope) => handle.use(({ writer }) => writer.tables.requests.find(scope)),
    list: (query) => handle.use(({ lister }) => lister.list(query)),
    find: (id) => handle.use(({ lister }) => lister.find(id)),
    key: (name, limit) => handle.use(({ lister }) => lister.key(name, limit)),
    approvals: (query) => handle.use(({ approvals }) => approvals(query)),
    sweep: (order) => handle.use(({ sweep }) => sweep(order)),
    expire: (nowMs, limit) =>
      handle.use(({ writer }) => {
        writer.tables.tasks.expire(nowMs, limit);
        return writer.tables.requests.expire(nowMs, limit);
      }),
    streams: { read: (query) => handle.use(({ chunks }) => chunks(query)) },
    tasks: {
      head: () => handle.use(({ tasks }) => tasks.head()),
      queues: (namespace) => handle.use(({ tasks }) => tasks.queues(namespace)),
      backlog: (scope, limit) => handle.use(({ tasks }) => tasks.backlog(scope, limit)),
      blocks: (ids) => handle.use(({ tasks }) => tasks.blocks(ids)),
      due: (scope, nowMs, limit) => handle.use(({ tasks }) => tasks.due(scope, nowMs, limit)),
      nextDue: (scope, afterMs) => handle.use(({ tasks }) => tasks.nextDue(scope, afterMs)),
      counts: (namespace) => handle.use(({ tasks }) => tasks.counts(namespace)),
      list: (query) => handle.use(({ tasks }) => tasks.list(query)),
      find: (id) => handle.use(({ tasks }) => tasks.find(id)),
    },
    blobs: {
      read: (run, id) => handle.use(({ writer }) => writer.blobs.read(run, id)),
      stage: (part) =>
        handle.use(({ db, writer }) => {
          db.exec("BEGIN IMMEDIATE");
          writer.blobs.stage(part);
          db.exec("COMMIT");
        }),
      remove: (runs) => handle.use(({ writer }) => writer.blobs.remove(runs)),
    },
    check: () => handle.use(({ db }) => checkStore(db)),
    look: () => {
      handle.use(() => undefined);
      return sqliteLook({ path: handle.path });
    },
    backup: async (to) => {
      handle.use(() => undefined);
      try {
        await backUp(handle.path, to);
      } catch (error) {
        throw storageError(error, to);
      }
    },
  };
}
