import type { StoreLook } from "@claw/core/ports";
import {
  type ArchivedKey,
  type Ending,
  type ErrorRecord,
  type Hold,
  type InboxRow,
  numberAfter,
  type Phase,
  type RunArchive,
  type RunId,
  type StartRequest,
  type StartRow,
} from "@claw/core/protocol";
import { Link } from "./link.ts";
import { RunLister } from "./list-runs.ts";
import { postgresError } from "./postgres-error.ts";
import { decodeJournal, RunReader, tracesOf } from "./read-runs.ts";
import { findKey, keysOfRuns } from "./read-keys.ts";
import { tailsByRun } from "./read-tail.ts";
import { Reads } from "./reads.ts";
import { archivedStreams } from "./streams.ts";

type OpenColumns = StartRow & {
  readonly seq: number;
  readonly phase: Phase | "";
  readonly held: Hold | "";
  readonly heldReason: string;
};

type ClosedColumns = StartRow & {
  readonly seq: number;
  readonly status: Ending["status"];
  readonly endedAt: number;
  readonly output: string;
  readonly error: string | null;
  readonly abandoned: string | null;
  readonly journal: string | null;
};

const START = `id, namespace, workflow, version, input, started_at AS "startedAt",
  parent_run AS "parentRun", parent_call AS "parentCall", cause`;

/** Opens a look: a connection of its own whose transaction sees one state. */
export async function postgresLook(url: string, schema: string): Promise<StoreLook> {
  const link = await Link.to(url);
  try {
    const reads = new Reads(link, schema);
    await link.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    // A transaction has a state from its first reading on.
    const [last] = await reads.once<{ seq: number }>(
      "SELECT coalesce(max(seq), 0) AS seq FROM claw.events",
    );
    return new Look(link, reads, last?.seq ?? 0);
  } catch (error) {
    await link.end();
    throw postgresError(error, link.location);
  }
}

class Look implements StoreLook {
  readonly lastEvent: number;
  readonly #link: Link;
  readonly #reads: Reads;
  readonly #lister: RunLister;
  readonly #reader: RunReader;
  #tail: Awaited<ReturnType<typeof tailsByRun>> | null = null;
  // One statement after the other: a connection has one transaction.
  #last: Promise<unknown> = Promise.resolve();

  constructor(link: Link, reads: Reads, lastEvent: number) {
    this.#link = link;
    this.#reads = reads;
    this.lastEvent = lastEvent;
    this.#reader = new RunReader(reads, () => "");
    this.#lister = new RunLister(reads, this.#reader, () => "");
  }

  list(query: Parameters<StoreLook["list"]>[0]): ReturnType<StoreLook["list"]> {
    return this.#guarded(() => this.#lister.list(query));
  }

  key(name: Parameters<StoreLook["key"]>[0]): ReturnType<StoreLook["key"]> {
    return this.#guarded(() => findKey(this.#reads, name, 1));
  }

  openChildren(id: RunId): Promise<RunId[]> {
    return this.#guarded(async () => {
      const rows = await this.#reads.all<{ id: RunId }>(
        "SELECT id FROM claw.runs WHERE parent_run = $1 AND parent_run <> '' ORDER BY id",
        [id],
      );
      return rows.map((row) => row.id);
    });
  }

  requests(runs: ReadonlySet<RunId>): Promise<Map<RunId, StartRequest>> {
    return this.#guarded(async () => {
      const rows = await this.#reads.all<StartRequest & { run: RunId }>(
        `SELECT run, scope, print, expires_at AS "expiresAt" FROM claw.dedup
         WHERE run <> '' AND run = ANY ($1)`,
        [[...runs]],
      );
      return new Map(rows.map(({ run, ...request }) => [run, request]));
    });
  }

  async *blob(run: RunId, id: string): AsyncGenerator<Uint8Array> {
    for (let n = 0; ; n++) {
      const [row] = await this.#guarded(() =>
        this.#reads.all<{ bytes: Uint8Array }>(
          "SELECT bytes FROM claw.blobs WHERE run = $1 AND id = $2 AND n >= $3 ORDER BY n LIMIT 1",
          [run, id, n],
        ),
      );
      if (row === undefined) return;
      yield row.bytes;
    }
  }

  archive(id: RunId): Promise<Omit<RunArchive, "request"> | null> {
    return this.#guarded(() => this.#archive(id));
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    await this.#link.end();
  }

  async #archive(id: RunId): Promise<Omit<RunArchive, "request"> | null> {
    const [open] = await this.#reads.all<OpenColumns>(
      `SELECT ${START}, seq, phase, held, held_reason AS "heldReason" FROM claw.runs WHERE id = $1`,
      [id],
    );
    if (open !== undefined) {
      const { seq, phase, held, heldReason, ...start } = open;
      const inbox = await this.#reads.all<InboxRow>(
        `SELECT run AS to, kind, name, sender AS "from", data, seq FROM claw.inbox
         WHERE run = $1 ORDER BY seq`,
        [id],
      );
      const text = (await this.#rows(id)) + (await this.#tailOf(id, seq));
      const state = { phase, held, heldReason, inbox, key: await this.#key(id) };
      return this.#whole(start, text, numberAfter(text, 1) - 1, { open: state, ending: null });
    }
    const [closed] = await this.#reads.all<ClosedColumns>(
      `SELECT ${START}, seq, status, ended_at AS "endedAt", output, error, abandoned, journal
       FROM claw.closed WHERE id = $1`,
      [id],
    );
    if (closed === undefined) return null;
    const { seq, status, endedAt, output, error, abandoned, journal, ...start } = closed;
    const ending: Ending = {
      status,
      endedAt,
      output,
      error: error === null ? null : (JSON.parse(error) as ErrorRecord),
      abandoned: abandoned === null ? [] : (JSON.parse(abandoned) as string[]),
    };
    const text = journal ?? (await this.#rows(id));
    return this.#whole(start, text, seq, { open: null, ending });
  }

  async #whole(
    start: StartRow,
    text: string,
    seq: number,
    rest: Pick<RunArchive, "open" | "ending">,
  ): Promise<Omit<RunArchive, "request">> {
    const { id, startedAt } = start;
    const trace = (await tracesOf(this.#reads, [id])).get(id);
    return {
      start: trace === undefined ? start : { ...start, trace },
      seq,
      journal: decodeJournal(id, text, startedAt),
      generations: await this.#lister.generations(id, startedAt),
      attributes: (await this.#lister.attributes([id])).get(id) ?? {},
      keyName: (await keysOfRuns(this.#reads, [id])).get(id)?.key ?? "",
      streams: await archivedStreams(this.#reads, id),
      ...rest,
    };
  }

  async #rows(id: RunId): Promise<string> {
    return (await this.#reader.journals([id])).get(id) ?? "";
  }

  async #key(id: RunId): Promise<ArchivedKey | null> {
    const stored = (await keysOfRuns(this.#reads, [id])).get(id);
    if (stored === undefined || stored.place === "ended") return null;
    const { key, waitingMax, onHeldHead, seq, state } = stored;
    return { key, waitingMax, onHeldHead, seq, state };
  }

  // Read once: it is the tail of one state, and bounded.
  async #tailOf(run: RunId, settled: number): Promise<string> {
    this.#tail ??= await tailsByRun(this.#reads);
    const records = (this.#tail.get(run) ?? []).filter(({ first }) => first > settled);
    return records.map(({ entries }) => entries).join("");
  }

  #guarded<T>(verb: () => Promise<T>): Promise<T> {
    const result = this.#last.then(verb).catch((error: unknown) => {
      throw postgresError(error, this.#link.location);
    });
    this.#last = result.catch(() => {});
    return result;
  }
}
