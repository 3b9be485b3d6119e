import type { Finding, NodeRecord, Store } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { backUp } from "./back-up.ts";
import { checkStore } from "./check.ts";
import { durabilityFindings, durabilityOf, readServer } from "./check-server.ts";
import type { TailRecord } from "./journals.ts";
import { Link } from "./link.ts";
import { RunLister } from "./list-runs.ts";
import { postgresError } from "./postgres-error.ts";
import { findKey } from "./read-keys.ts";
import { RunReader } from "./read-runs.ts";
import { tailsByRun } from "./read-tail.ts";
import { type TaskReader, taskReader } from "./read-tasks.ts";
import { Reads } from "./reads.ts";
import { quoted, SCHEMA_VERSION, versionOf } from "./schema.ts";
import { listNodes } from "./shared-store.ts";
import { readChunks } from "./streams.ts";

/** What a reader knows of the store as a whole. */
export interface PostgresState {
  /** What a commit guarantees there, in one line. */
  readonly durability: string;
  readonly schemaVersion: number;
  /** Last one that began. */
  readonly incarnation: number;
  /** Warnings about settings of the server. */
  readonly findings: readonly Finding[];
}

/** A look at a store that nodes may be working on, also on a standby. */
export interface PostgresReader
  extends Pick<Store, "list" | "find" | "key" | "approvals" | "check"> {
  readonly tasks: Pick<TaskReader, "list" | "find" | "counts">;
  readonly streams: Store["streams"];
  /** Host, port, database and schema, without user and password. */
  readonly location: string;
  state(): Promise<PostgresState>;
  /** Live nodes, oldest first. */
  nodes(): Promise<readonly NodeRecord[]>;
  /** Writes a copy; see `Store.backup`. */
  backup(path: string): Promise<void>;
  /** Idempotent. */
  close(): void;
}

const ONE_STATE = "ISOLATION LEVEL REPEATABLE READ READ ONLY";

/**
 * Connects for reading only: needs no right but SELECT, and sees each commit from the next call on.
 * Errors: CLAW-4003 newer, CLAW-4008 no store, or one of an older version; those of `Link.to`.
 */
export async function postgresReader(options: {
  readonly url: string;
  readonly schema: string;
}): Promise<PostgresReader> {
  const { url, schema } = options;
  quoted(schema);
  const link = await Link.to(url);
  try {
    const version = await versionOf(link, schema);
    const refuse = (code: "CLAW-4003" | "CLAW-4008", why: string): never => {
      throw new ClawError(code, `${link.location} schema ${schema}: ${why}`);
    };
    if (version === 0) refuse("CLAW-4008", "there is no store; claw dev and claw start make one");
    if (version > SCHEMA_VERSION) {
      refuse(
        "CLAW-4003",
        `schema version ${version}, this program knows versions up to ${SCHEMA_VERSION}`,
      );
    }
    if (version < SCHEMA_VERSION) {
      refuse("CLAW-4008", `written by an older version; claw start brings it up to date`);
    }
    return readerOn(link, url, schema);
  } catch (error) {
    await link.end();
    throw postgresError(error, link.location);
  }
}

function readerOn(link: Link, url: string, schema: string): PostgresReader {
  const reads = new Reads(link, schema);
  let tails: ReadonlyMap<string, readonly TailRecord[]> = new Map();
  const tailOf = (run: string, settled: number): string =>
    (tails.get(run) ?? [])
      .filter(({ first }) => first > settled)
      .map(({ entries }) => entries)
      .join("");
  const runs = new RunReader(reads, tailOf);
  const lister = new RunLister(reads, runs, tailOf);
  const tasks = taskReader(reads);
  // One verb at a time: a connection has one transaction.
  let last: Promise<unknown> = Promise.resolve();
  const guarded = <T>(verb: () => Promise<T>): Promise<T> => {
    const result = last.then(verb).catch((error: unknown) => {
      throw postgresError(error, link.location);
    });
    last = result.catch(() => {});
    return result;
  };
  // Nodes move rows between tables: what is read together must be of one state.
  const read = <T>(verb: () => Promise<T>): Promise<T> =>
    guarded(() => link.transaction(verb, ONE_STATE));
  return {
    location: `${link.location} schema ${schema}`,
    list: (query) => read(() => lister.list(query)),
    find: (id) =>
      read(async () => {
        tails = await tailsByRun(reads);
        return lister.find(id);
      }),
    key: (name, limit) => read(() => findKey(reads, name, limit)),
    approvals: (query) => read(() => lister.approvals(query)),
    tasks: {
      list: (query) => read(() => tasks.list(query)),
      find: (id) => read(() => tasks.find(id)),
      counts: (namespace) => read(() => tasks.counts(namespace)),
    },
    streams: { read: (query) => read(() => readChunks(reads, query)) },
    check: () => guarded(() => checkStore(link, reads)),
    state: () =>
      guarded(async () => {
        const server = await readServer(link);
        const [row] = await reads.all<{ last: number }>(
          "SELECT coalesce(max(id), 0) AS last FROM claw.incarnations",
        );
        return {
          durability: durabilityOf(server),
          schemaVersion: SCHEMA_VERSION,
          incarnation: row?.last ?? 0,
          findings: durabilityFindings(server),
        };
      }),
    nodes: () => guarded(() => listNodes(reads)),
    backup: (path) => guarded(() => backUp(url, schema, path)),
    close: () => void last.then(() => link.end()),
  };
}
