import type { Store } from "@claw/core/ports";
import { type RunId, taskIdOf } from "@claw/core/protocol";
import { backUp } from "./back-up.ts";
import { readBlob, removeBlobs, stageBlob } from "./blobs.ts";
import { checkStore } from "./check.ts";
import { PostgresHandle, type PostgresOptions, type Verbs } from "./handle.ts";
import { postgresLook } from "./look.ts";
import { findKey } from "./read-keys.ts";
import type { Reads } from "./reads.ts";
import { type SharedAccess, sharedVerbs } from "./shared-store.ts";
import { readChunks } from "./streams.ts";
import { sweep } from "./sweep.ts";

/**
 * A store in one schema of a PostgreSQL database: owned by one process, or shared by nodes (see `PostgresOptions.alone`).
 * After an error its connections are closed and each verb throws until `open` was called again.
 */
export function postgresStore(options: PostgresOptions): Store {
  const handle = new PostgresHandle(options);
  const use = <T>(verb: (verbs: Verbs) => Promise<T>): Promise<T> => handle.use(verb);
  return {
    open: (lost) => handle.open(lost),
    close: () => handle.close(),
    commit: (batch) => handle.commit(batch),
    load: (ids) => use(({ reader }) => reader.load(ids)),
    due: (nowMs, limit, _orphans, namespace) =>
      use(({ dueRuns }) => dueRuns.due(nowMs, limit, namespace ?? null, handle.share)),
    suspects: (limit, namespace) =>
      use(({ dueRuns }) => dueRuns.suspects(limit, namespace ?? null, handle.share)),
    nextDue: (afterMs, namespace) =>
      use(({ dueRuns }) => dueRuns.next(afterMs, namespace ?? null, handle.share)),
    held: (kinds, limit, namespace) =>
      use(({ reader }) => reader.held(kinds, limit, namespace ?? null)),
    findDedup: (scope) => use(({ reads }) => findDedup(reads, scope)),
    list: (query) => use(({ lister }) => lister.list(query)),
    find: (id) => use(({ lister }) => lister.find(id)),
    key: (name, limit) => use(({ reads }) => findKey(reads, name, limit)),
    approvals: (query) => use(({ lister }) => lister.approvals(query)),
    sweep: (order) => use(({ link, reads, shapes }) => sweep(link, reads, shapes, order)),
    expire: (nowMs, limit) => use(({ reads }) => expire(reads, nowMs, limit)),
    tasks: {
      head: () => use(({ tasks }) => tasks.head()),
      queues: (namespace) => use(({ tasks }) => tasks.queues(namespace)),
      backlog: (scope, limit) => use(({ tasks }) => tasks.backlog(scope, limit)),
      blocks: (ids) => use(({ tasks }) => tasks.blocks(ids)),
      due: (scope, nowMs, limit) => use(({ tasks }) => tasks.due(scope, nowMs, limit)),
      nextDue: (scope, afterMs) => use(({ tasks }) => tasks.nextDue(scope, afterMs)),
      counts: (namespace) => use(({ tasks }) => tasks.counts(namespace)),
      list: (query) => use(({ tasks }) => tasks.list(query)),
      find: (id) => use(({ tasks }) => tasks.find(id)),
    },
    streams: { read: (query) => use(({ reads }) => readChunks(reads, query)) },
    blobs: {
      read: (run, id) => use(({ reads }) => readBlob(reads, run, id)),
      stage: (part) => use(({ link, reads }) => stageBlob(link, reads, part)),
      remove: (runs) => use(({ reads }) => removeBlobs(reads, runs)),
    },
    check: () => use(({ link, reads }) => checkStore(link, reads)),
    look: () => use(() => postgresLook(options.url, options.schema ?? "claw")),
    backup: (path) => use(() => backUp(options.url, options.schema ?? "claw", path)),
    ...((options.alone ?? true) ? {} : { shared: sharedVerbs(accessTo(handle)) }),
  };
}

function accessTo(handle: PostgresHandle): SharedAccess {
  return {
    inTurn: (verb) =>
      handle.use(({ membership, ...verbs }) => {
        if (membership === null) throw new Error("the store is shared with nobody");
        return verb({ ...verbs, membership });
      }),
    aside: (verb) => handle.aside(verb),
    membership: () => handle.membership,
    setReport: (report) => handle.setReport(report),
    setListener: (listener) => handle.setListener(listener),
  };
}

async function findDedup(
  reads: Reads,
  scope: string,
): Promise<{ run: RunId | ""; print: string } | null> {
  const [row] = await reads.all<{ run: RunId | ""; print: string }>(
    "SELECT run, print FROM claw.dedup WHERE scope = $1",
    [scope],
  );
  return row ?? null;
}

async function expire(reads: Reads, nowMs: number, limit: number): Promise<number> {
  const tasks = await reads.all<{ id: number; apart: boolean }>(
    `DELETE FROM claw.task_aside WHERE id = ANY (ARRAY
      (SELECT id FROM claw.task_aside WHERE status = 'completed' AND due < $1 LIMIT $2
       FOR UPDATE SKIP LOCKED))
     RETURNING id, input LIKE '~%' OR output LIKE '~%' OR attempt > 1 AS apart`,
    [nowMs, limit],
  );
  const apart = tasks.filter((task) => task.apart).map(({ id }) => taskIdOf(id));
  if (apart.length > 0) await removeBlobs(reads, apart);
  const gone = await reads.all(
    `DELETE FROM claw.dedup WHERE scope = ANY (ARRAY
      (SELECT scope FROM claw.dedup WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
       FOR UPDATE SKIP LOCKED))
     RETURNING scope`,
    [nowMs, limit],
  );
  return gone.length;
}
