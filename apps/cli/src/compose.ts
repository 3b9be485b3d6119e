import { existsSync } from "node:fs";
import type { Log, MaybePromise, Store, StoreLook, TaskQuery } from "@claw/core/ports";
import {
  ClawError,
  type QueueCounts,
  shownPayload,
  shownRun,
  shownSummary,
  shownTask,
  type StoredTask,
  type TaskId,
  type TaskRecord,
  taskRecordOf,
} from "@claw/core/protocol";
import type { Gateway, GatewayOptions } from "@claw/gateway";
import type { Claw, RuntimeOptions } from "@claw/runtime";
import type { PostgresReader, RoleOptions } from "@claw/store-postgres";
import type { RepairOptions, RepairReport, SqliteReader } from "@claw/store-sqlite";

export type { RepairReport, RoleOptions };
import type { Config } from "./config.ts";
import type { Loaded } from "./load-definitions.ts";
import type { DatabasePlace, StorePlace } from "./store-place.ts";

// The only file that names adapters. Imports are made when they are needed: a verb that only reads
// loads neither the runtime nor the gateway.

/** What is read of one namespace of a store, beside its owner. */
export interface Reader extends Omit<SqliteReader, "tasks"> {
  readonly tasks: {
    readonly list: (query: TaskQuery) => MaybePromise<readonly TaskRecord[]>;
    readonly find: (id: TaskId) => MaybePromise<TaskRecord | null>;
    readonly counts: () => MaybePromise<readonly QueueCounts[]>;
  };
}

/** Where to look and for whom. */
export type Scope = Pick<Config, "store" | "namespace">;

/**
 * Opens a store for reading; what is of another namespace is not there.
 * Errors: CLAW-4002, CLAW-4003, CLAW-4008, CLAW-4070 to 4078.
 */
export async function openReader({ store, namespace }: Scope): Promise<Reader> {
  const reader = await (store.kind === "file" ? fileReader(store.path) : databaseReader(store));
  // Verbs that read have no keys.
  return {
    ...reader,
    list: async (query) => (await reader.list({ ...query, namespace })).map(shownSummary),
    find: async (id) => {
      const run = await reader.find(id);
      return run?.namespace === namespace ? shownRun(run) : null;
    },
    key: async (name, limit) => {
      const found = await reader.key({ ...name, namespace }, limit);
      return found === null ? null : { ...found, state: shownPayload(found.state) };
    },
    approvals: (query) => reader.approvals({ ...query, namespace }),
    streams: { read: (query) => reader.streams.read({ ...query, namespace }) },
    tasks: {
      list: async (query) => (await reader.tasks.list({ ...query, namespace })).map(recordFor),
      find: async (id) => {
        const task = await reader.tasks.find(id);
        return task?.namespace === namespace ? recordFor(task) : null;
      },
      counts: () => reader.tasks.counts(namespace),
    },
  };
}

async function fileReader(path: string): Promise<SqliteReader> {
  if (!existsSync(path)) {
    throw new ClawError(
      "CLAW-4008",
      `There is no store at ${path}; claw dev and claw start make one`,
    );
  }
  const { sqliteReader } = await import("@claw/store-sqlite");
  return sqliteReader({ path });
}

/** Like `openReader`, with what is known of a database, for all namespaces. */
export async function databaseReader(place: DatabasePlace): Promise<PostgresReader> {
  const { postgresReader } = await import("@claw/store-postgres");
  return postgresReader(place);
}

function recordFor(task: StoredTask): TaskRecord {
  return taskRecordOf(shownTask(task));
}

/** A look at a store, beside its owner. Errors: those of `openReader`. */
export async function openLook({
  store,
}: Scope): Promise<{ readonly look: StoreLook; readonly store: string }> {
  const { storeName } = await import("@claw/runtime");
  if (store.kind === "postgres") {
    const { postgresLook, SCHEMA_VERSION } = await import("@claw/store-postgres");
    // Says what is wrong with the store before its rows are asked for.
    (await databaseReader(store)).close();
    const name = storeName({ kind: "postgres", schemaVersion: SCHEMA_VERSION });
    return { look: await postgresLook(store.url, store.schema), store: name };
  }
  const { path } = store;
  if (!existsSync(path)) throw new ClawError("CLAW-4008", `There is no store at ${path}`);
  const { sqliteLook, SCHEMA_VERSION } = await import("@claw/store-sqlite");
  const name = storeName({ kind: "sqlite", schemaVersion: SCHEMA_VERSION });
  return { look: sqliteLook({ path }), store: name };
}

/** A runtime on a store that takes messages and runs nothing. Errors: those of `openRuntime`. */
export function openAlone(scope: Scope, log: Log): Promise<Claw> {
  return openOn(scope, { workflows: [], tasks: [], concurrency: {} }, log);
}

/** Repairs the store at a path, which nobody may own meanwhile. Errors: those of `repairStore`. */
export async function repairAt(options: RepairOptions): Promise<RepairReport> {
  const { repairStore } = await import("@claw/store-sqlite");
  return repairStore(options);
}

/** Fills a schema that holds nothing yet with a backup. Errors: CLAW-4003, CLAW-4008, those of `openReader`. */
export async function restoreInto({ url, schema }: DatabasePlace, path: string): Promise<void> {
  const { restorePostgres } = await import("@claw/store-postgres");
  await restorePostgres(url, schema, path);
}

/** Makes the schema of a store, or brings it up to date; answers its version. */
export async function migrateStore({ url, schema }: DatabasePlace): Promise<number> {
  const { migratePostgres } = await import("@claw/store-postgres");
  return migratePostgres(url, schema);
}

/** SQL for the roles of a store in a database. Errors: CLAW-4008 for a name. */
export async function rolesFor(options: RoleOptions): Promise<string> {
  const { postgresRoles } = await import("@claw/store-postgres");
  return postgresRoles(options);
}

/** The store at a place, not opened yet; other nodes may work on a database as well. */
export async function storeAt(place: StorePlace, log: Log): Promise<Store> {
  if (place.kind === "file") {
    const { sqliteStore } = await import("@claw/store-sqlite");
    return sqliteStore({ path: place.path });
  }
  const { postgresStore } = await import("@claw/store-postgres");
  const { url, schema, directUrl } = place;
  const direct = directUrl === undefined ? {} : { directUrl };
  return postgresStore({ url, schema, log, alone: false, ...direct });
}

/** What a process runs, and how much of each queue at once. */
export interface Hosted extends Pick<Loaded, "workflows" | "tasks"> {
  /** Slots by name of the queue; 100 in each unless said. */
  readonly concurrency: Readonly<Record<string, number>>;
}

/** A runtime on a store. Errors: those of `openRuntime`. */
export async function openOn(
  { store, namespace }: Scope,
  hosted: Hosted,
  log: Log,
  node: NonNullable<RuntimeOptions["node"]> = {},
): Promise<Claw> {
  const { openRuntime } = await import("@claw/runtime");
  const opened = await storeAt(store, log);
  return openRuntime({ store: opened, namespace, ...optionsOf(hosted), log, node });
}

/** A runtime that leaves nothing behind. */
export async function openTemporary(namespace: string, hosted: Hosted, log: Log): Promise<Claw> {
  const [{ openRuntime }, { memoryStore }] = await Promise.all([
    import("@claw/runtime"),
    import("@claw/store-memory"),
  ]);
  return openRuntime({ store: memoryStore(), namespace, ...optionsOf(hosted), log });
}

function optionsOf({
  workflows,
  tasks,
  concurrency,
}: Hosted): Pick<RuntimeOptions, "workflows" | "tasks" | "queues"> {
  const queues = Object.fromEntries(
    Object.entries(concurrency).map(([name, slots]) => [name, { concurrency: slots }]),
  );
  return { workflows, tasks, queues };
}

/** The network face. Errors: CLAW-5001. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { startGateway } = await import("@claw/gateway");
  return startGateway(options);
}
