import { existsSync } from "node:fs";
import type { Log, Store } from "@claw/core/ports";
import { ClawError, shownRun, shownSummary } from "@claw/core/protocol";
import type { Gateway, GatewayOptions } from "@claw/gateway";
import type { Claw } from "@claw/runtime";
import type { AnyWorkflow } from "@claw/sdk";
import type { SqliteReader } from "@claw/store-sqlite";

// The only file that names adapters. Imports are made when they are needed: a verb that only reads
// loads neither the runtime nor the gateway.

/** A store that is read beside its owner. */
export type Reader = SqliteReader;

/** Opens the store at a path for reading. Errors: CLAW-4002, CLAW-4003, CLAW-4008. */
export async function openReader(path: string): Promise<Reader> {
  if (!existsSync(path)) throw new ClawError("CLAW-4008", `There is no store at ${path}`);
  const { sqliteReader } = await import("@claw/store-sqlite");
  const reader = sqliteReader({ path });
  // Verbs that read have no keys.
  return {
    ...reader,
    list: async (query) => (await reader.list(query)).map(shownSummary),
    find: async (id) => {
      const run = await reader.find(id);
      return run === null ? null : shownRun(run);
    },
  };
}

/** The store at a path, not opened yet. */
export async function storeAt(path: string): Promise<Store> {
  const { sqliteStore } = await import("@claw/store-sqlite");
  return sqliteStore({ path });
}

/** A runtime on the store at a path. Errors: those of `openRuntime`. */
export async function openOn(
  path: string,
  workflows: readonly AnyWorkflow[],
  log: Log,
): Promise<Claw> {
  const { openRuntime } = await import("@claw/runtime");
  return openRuntime({ store: await storeAt(path), workflows, log });
}

/** A runtime that leaves nothing behind. */
export async function openTemporary(workflows: readonly AnyWorkflow[], log: Log): Promise<Claw> {
  const [{ openRuntime }, { memoryStore }] = await Promise.all([
    import("@claw/runtime"),
    import("@claw/store-memory"),
  ]);
  return openRuntime({ store: memoryStore(), workflows, log });
}

/** The network face. Errors: CLAW-5001. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { startGateway } = await import("@claw/gateway");
  return startGateway(options);
}
