import type { Batch, BatchAnswer, Log, Store, StoreInfo } from "@claw/core/ports";
import { ClawError, isClawError, limits, type RunId, taskIdOf } from "@claw/core/protocol";
import { backUp } from "./back-up.ts";
import { readBlob, removeBlobs, stageBlob } from "./blobs.ts";
import { checkStore } from "./check.ts";
import {
  durabilityFindings,
  durabilityOf,
  readServer,
  refuseUnfit,
  type ServerState,
} from "./check-server.ts";
import { BatchWriter } from "./commit-batch.ts";
import { EventShapes } from "./event-shapes.ts";
import { Journals, recordsOf, type Settling } from "./journals.ts";
import { Link } from "./link.ts";
import { RunLister } from "./list-runs.ts";
import { postgresLook } from "./look.ts";
import { postgresError } from "./postgres-error.ts";
import { findKey } from "./read-keys.ts";
import { Reads } from "./reads.ts";
import { RunReader } from "./read-runs.ts";
import { type TaskReader, taskReader } from "./read-tasks.ts";
import { inSchema, migrate, quoted, SCHEMA_VERSION } from "./schema.ts";
import { readChunks } from "./streams.ts";
import { sweep } from "./sweep.ts";

/** Where a store is. */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`; the password appears in no error and no log. */
  readonly url: string;
  /**
   * The server itself, where `url` leads to a pooler such as PgBouncer: for what needs a session of its own.
   * Default: `url`. Errors of a pooler without it: CLAW-4077.
   */
  readonly directUrl?: string;
  /** Schema of the tables; it is made when it is missing. Default: `claw`. */
  readonly schema?: string;
  /** Told of commits that are sent again, and of settings under which they can be lost. Default: nobody. */
  readonly log?: Log;
}

/** Pauses between attempts to become the owner after this process lost its connection, milliseconds. */
const RETAKE_MS = [10, 50, 200, 500, 1_000] as const;

/** A connection with the verbs on it. */
interface Verbs {
  readonly link: Link;
  readonly reads: Reads;
  readonly reader: RunReader;
  readonly lister: RunLister;
  readonly writer: BatchWriter;
  readonly shapes: EventShapes;
  readonly tasks: TaskReader;
  readonly incarnation: number;
}

/**
 * A store in one schema of a PostgreSQL database, owned by one process by an advisory lock of its connection.
 * After an error the connection is closed and each verb throws until `open` was called again.
 */
export function postgresStore(options: PostgresOptions): Store {
  const handle = new PostgresHandle(options);
  const use = <T>(verb: (verbs: Verbs) => Promise<T>): Promise<T> => handle.use(verb);
  return {
    open: () => handle.open(),
    close: () => handle.close(),
    commit: (batch) => handle.commit(batch),
    load: (ids) => use(({ reader }) => reader.load(ids)),
    due: (nowMs, limit, _orphans, namespace) =>
      use(({ reader }) => reader.due(nowMs, limit, namespace ?? null)),
    suspects: (limit, namespace) => use(({ reader }) => reader.suspects(limit, namespace ?? null)),
    nextDue: (afterMs, namespace) =>
      use(({ reader }) => reader.nextDue(afterMs, namespace ?? null)),
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
  };
}

/** The connection of a store, and its ownership. */
class PostgresHandle {
  readonly #url: string;
  readonly #schema: string;
  readonly #log: Log;
  #verbs: Verbs | null = null;
  #wasOwner = false;
  // One verb at a time: a transaction of one must not hold statements of another.
  #last: Promise<unknown> = Promise.resolve();

  constructor({ url, schema = "claw", log = () => {} }: PostgresOptions) {
    this.#url = url;
    this.#schema = schema;
    this.#log = log;
  }

  async open(): Promise<StoreInfo> {
    quoted(this.#schema);
    const isReopened = this.#wasOwner;
    await this.#abandon();
    const link = await Link.to(this.#url);
    try {
      const server = await readServer(link);
      refuseUnfit(link, server);
      for (const { message } of isReopened ? [] : durabilityFindings(server)) {
        this.#log({ level: "warn", message, fields: { store: link.location } });
      }
      await migrate(link, this.#schema);
      await this.#own(link, isReopened);
      this.#wasOwner = true;
      return await this.#begin(link, isReopened, server);
    } catch (error) {
      await link.end();
      throw postgresError(error, link.location);
    }
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    const verbs = this.#verbs;
    try {
      await verbs?.link.query(inSchema("SELECT claw.give_back($1)", this.#schema), [
        verbs.incarnation,
      ]);
    } catch {
      // What cannot be given back is found by the next owner, as after a crash.
    }
    this.#wasOwner = false;
    await this.#abandon();
  }

  commit(batch: Batch): Promise<BatchAnswer> {
    return this.use(({ writer }) => writer.commit(batch));
  }

  /** Carries out a verb. What the server throws ends the use of this connection: its state is not known. */
  use<T>(verb: (verbs: Verbs) => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      const verbs = this.#verbs;
      if (verbs === null) throw new ClawError("CLAW-4006", "The store is not open");
      try {
        return await verb(verbs);
      } catch (error) {
        const known = postgresError(error, verbs.link.location);
        // What is coded already is an answer, not a broken connection.
        if (!isClawError(error) && known.code !== "CLAW-4007") await this.#abandon();
        throw known;
      }
    });
    this.#last = result.catch(() => {});
    return result;
  }

  // The lock belongs to the connection: it is free as soon as the server knows that the process has ended.
  async #own(link: Link, isReopened: boolean): Promise<void> {
    for (const pauseMs of [0, ...(isReopened ? RETAKE_MS : RETAKE_MS.slice(0, 3))]) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const [row] = await link.query<{ mine: boolean }>(
        inSchema("SELECT pg_try_advisory_lock(claw.lock_class(), 0) AS mine", this.#schema),
      );
      if (row?.mine === true) return;
    }
    throw new ClawError("CLAW-4001", `${link.location} schema ${this.#schema} has another owner`);
  }

  async #begin(link: Link, isReopened: boolean, server: ServerState): Promise<StoreInfo> {
    const reads = new Reads(link, this.#schema);
    const journals = new Journals();
    const shapes = new EventShapes(link, this.#schema);
    const [life, owed] = await link.transaction(async () => {
      await settleTail(reads);
      const [begun] = await reads.once<{ id: number; was_open: boolean }>(
        "SELECT * FROM claw.begin_incarnation($1, $2)",
        [isReopened ? 0 : 1, limits.RECOVERIES_MAX],
      );
      return [begun, (await reads.once("SELECT 1 FROM claw.spreads LIMIT 1")).length > 0] as const;
    });
    await shapes.load();
    const tailOf = (run: RunId): string => journals.get(run)?.text ?? "";
    const reader = new RunReader(reads, tailOf);
    const incarnation = life?.id ?? 0;
    this.#verbs = {
      link,
      reads,
      reader,
      lister: new RunLister(reads, reader, tailOf),
      writer: new BatchWriter(link, this.#schema, shapes, journals, this.#log),
      shapes,
      tasks: taskReader(reads),
      incarnation,
    };
    return {
      kind: "postgres",
      location: `${link.location} schema ${this.#schema}`,
      durability: durabilityOf(server),
      schemaVersion: SCHEMA_VERSION,
      incarnation,
      afterCrash: !isReopened && life?.was_open === true,
      ...(owed ? { owes: true as const } : {}),
    };
  }

  async #abandon(): Promise<void> {
    const verbs = this.#verbs;
    this.#verbs = null;
    await verbs?.link.end();
  }
}

// Entries that ended incarnations left in the tail move to rows of their runs.
async function settleTail(reads: Reads): Promise<void> {
  const rows = await reads.once<{ body: string }>(
    "SELECT body FROM claw.tail ORDER BY incarnation, n",
  );
  if (rows.length === 0) return;
  const records = rows.flatMap(({ body }) => [...recordsOf(body)]);
  const runs = await reads.once<{ id: RunId; seq: number }>(
    "SELECT id, seq FROM claw.runs WHERE id = ANY ($1) FOR NO KEY UPDATE",
    [[...new Set(records.map(({ run }) => run))]],
  );
  const moving = new Map<RunId, Settling>();
  for (const { id, seq } of runs) moving.set(id, { run: id, first: seq + 1, seq, text: "" });
  for (const { run, first, entries } of records) {
    const known = moving.get(run);
    if (known === undefined || first <= known.seq) continue;
    const seq = first + entries.split("\u001e").length - 2;
    moving.set(run, { ...known, seq, text: known.text + entries });
  }
  const all = [...moving.values()].filter(({ text }) => text !== "");
  await reads.once("SELECT claw.settle_tail($1, $2, $3, $4)", [
    all.map(({ run }) => run),
    all.map(({ first }) => first),
    all.map(({ seq }) => seq),
    all.map(({ text }) => text),
  ]);
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
    `DELETE FROM claw.task_aside WHERE id IN
      (SELECT id FROM claw.task_aside WHERE status = 'completed' AND due < $1 LIMIT $2)
     RETURNING id, input LIKE '~%' OR output LIKE '~%' OR attempt > 1 AS apart`,
    [nowMs, limit],
  );
  const apart = tasks.filter((task) => task.apart).map(({ id }) => taskIdOf(id));
  if (apart.length > 0) await removeBlobs(reads, apart);
  const gone = await reads.all(
    `DELETE FROM claw.dedup WHERE scope IN
      (SELECT scope FROM claw.dedup WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)
     RETURNING scope`,
    [nowMs, limit],
  );
  return gone.length;
}
