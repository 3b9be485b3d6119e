import { existsSync } from "node:fs";
import type { Log, Store, StoreLook, TaskQuery } from "@claw/core/ports";
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
import type { RepairOptions, RepairReport, SqliteReader } from "@claw/store-sqlite";

export type { RepairReport };
import type { Config } from "./config.ts";
import type { Loaded } from "./load-definitions.ts";

// The only file that names adapters. Imports are made when they are needed: a verb that only reads
// loads neither the runtime nor the gateway.

/** What is read of one namespace of a store, beside its owner. */
export interface Reader extends Omit<SqliteReader, "tasks"> {
  readonly tasks: {
    readonly list: (query: TaskQuery) => readonly TaskRecord[];
    readonly find: (id: TaskId) => TaskRecord | null;
    readonly counts: () => readonly QueueCounts[];
  };
}

/** Where to look and for whom. */
export type Scope = Pick<Config, "store" | "namespace">;

/**
 * Opens a store for reading; what is of another namespace is not there.
 * Errors: CLAW-4002, CLAW-4003, CLAW-4008.
 */
export async function openReader({ store: path, namespace }: Scope): Promise<Reader> {
  if (!existsSync(path)) {
    throw new ClawError(
      "CLAW-4008",
      `There is no store at ${path}; claw dev and claw start make one`,
    );
  }
  const { sqliteReader } = await import("@claw/store-sqlite");
  const reader = sqliteReader({ path });
  // Verbs that read have no keys.
  return {
    ...reader,
    list: async (query) => (await reader.list({ ...query, namespace })).map(shownSummary),
    find: async (id) => {
      const run = await reader.find(id);
      return run?.namespace === namespace ? shownRun(run) : null;
    },
    key: (name, limit) => {
      const found = reader.key({ ...name, namespace }, limit);
      if (found instanceof Promise || found === null) return found;
      return { ...found, state: shownPayload(found.state) };
    },
    approvals: (query) => reader.approvals({ ...query, namespace }),
    streams: { read: (query) => reader.streams.read({ ...query, namespace }) },
    tasks: {
      list: (query) => reader.tasks.list({ ...query, namespace }).map(recordFor),
      find: (id) => {
        const task = reader.tasks.find(id);
        return task?.namespace === namespace ? recordFor(task) : null;
      },
      counts: () => reader.tasks.counts(namespace),
    },
  };
}

function recordFor(task: StoredTask): TaskRecord {
  return taskRecordOf(shownTask(task));
}

/** A look at the store at a path, beside its owner. Errors: CLAW-4002, CLAW-4003, CLAW-4008. */
export async function openLook({
  store: path,
}: Scope): Promise<{ readonly look: StoreLook; readonly store: string }> {
  if (!existsSync(path)) throw new ClawError("CLAW-4008", `There is no store at ${path}`);
  const [{ sqliteLook, SCHEMA_VERSION }, { storeName }] = await Promise.all([
    import("@claw/store-sqlite"),
    import("@claw/runtime"),
  ]);
  const store = storeName({ kind: "sqlite", schemaVersion: SCHEMA_VERSION });
  return { look: sqliteLook({ path }), store };
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

/** The store at a path, not opened yet. */
export async function storeAt(path: string): Promise<Store> {
  const { sqliteStore } = await import("@claw/store-sqlite");
  return sqliteStore({ path });
}

/** What a process runs, and how much of each queue at once. */
export interface Hosted extends Pick<Loaded, "workflows" | "tasks"> {
  /** Slots by name of the queue; 100 in each unless said. */
  readonly concurrency: Readonly<Record<string, number>>;
}

/** A runtime on a store. Errors: those of `openRuntime`. */
export async function openOn({ store, namespace }: Scope, hosted: Hosted, log: Log): Promise<Claw> {
  const { openRuntime } = await import("@claw/runtime");
  return openRuntime({ store: await storeAt(store), namespace, ...optionsOf(hosted), log });
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
