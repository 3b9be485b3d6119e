import type { DatabaseSync } from "node:sqlite";
import type { StoreLook } from "@claw/core/ports";
import {
  type ArchivedKey,
  type Ending,
  type ErrorRecord,
  type InboxRow,
  type MessageKind,
  numberAfter,
  type OpenState,
  type RunArchive,
  type RunId,
  type StartRequest,
  type StartRow,
  type StoredKey,
} from "@claw/core/protocol";
import { openAttributeReader } from "./attributes.ts";
import { readTail } from "./journal-tail.ts";
import { openRunLister } from "./list-runs.ts";
import { openForReading } from "./open-reading.ts";
import { openKeyLister, openKeyReader } from "./read-keys.ts";
import { decodeJournal, openJournalReader, type TailOf } from "./read-runs.ts";
import { openGenerationReader } from "./renew-run.ts";
import { openStreamArchiver } from "./streams.ts";
import { storageError } from "./storage-error.ts";
import { openTraceReader } from "./traces.ts";

// A row of either table: a column that the other has not is absent.
type Columns = {
  id: string;
  namespace: string;
  workflow: string;
  version: number;
  input: string;
  started_at: number;
  parent_run: string;
  parent_call: string;
  cause: string;
  seq: number;
};

type OpenColumns = Columns & {
  phase: OpenState["phase"];
  held: OpenState["held"];
  held_reason: string;
};

type ClosedColumns = Columns & {
  status: Ending["status"];
  ended_at: number;
  output: string;
  error: string | null;
  abandoned: string | null;
  journal: string | null;
};

type InboxColumns = { seq: number; kind: MessageKind; name: string; sender: string; data: string };

/**
 * Opens a look at the store at a path, on a connection and in a read transaction of its own.
 * Errors: CLAW-4002, CLAW-4003, CLAW-4008.
 */
export function sqliteLook({ path }: { readonly path: string }): StoreLook {
  let db: DatabaseSync | null = null;
  try {
    db = openForReading(path);
    db.exec("BEGIN");
    // A transaction has a state from its first reading on.
    db.prepare("SELECT count(*) FROM meta").get();
    return guarded(lookOn(db), path);
  } catch (error) {
    db?.close();
    throw storageError(error, path);
  }
}

function lookOn(db: DatabaseSync): StoreLook {
  const lister = openRunLister(db, () => "");
  const archive = openArchiver(db);
  const keys = openKeyLister(db);
  const children = db.prepare(`
    SELECT id FROM runs WHERE parent_run = ? AND parent_run <> '' ORDER BY id`);
  const requests = db.prepare("SELECT scope, run, print, expires_at FROM dedup WHERE run <> ''");
  const parts = db.prepare("SELECT bytes FROM blobs WHERE run = ? AND id = ? ORDER BY n");
  const last = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'").get();
  return {
    lastEvent: Number(last?.["seq"] ?? 0),
    list: (query) => lister.list(query),
    archive,
    key: (name) => keys.find(name, 1),
    openChildren: (id) => children.all(id).map((row) => String(row["id"])),
    requests: (runs) => {
      const found = new Map<RunId, StartRequest>();
      for (const row of requests.iterate()) {
        const run = String(row["run"]);
        if (!runs.has(run)) continue;
        const [scope, print] = [String(row["scope"]), String(row["print"])];
        found.set(run, { scope, print, expiresAt: Number(row["expires_at"]) });
      }
      return found;
    },
    blob: function* (run, id) {
      for (const row of parts.iterate(run, id)) yield row["bytes"] as Uint8Array;
    },
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

/** Reads everything about a run on an open database whose state does not change. */
function openArchiver(db: DatabaseSync): StoreLook["archive"] {
  const open = db.prepare("SELECT * FROM runs WHERE id = ?");
  const closed = db.prepare("SELECT * FROM closed WHERE id = ?");
  const inbox = db.prepare(
    "SELECT seq, kind, name, sender, data FROM inbox WHERE run = ? ORDER BY seq",
  );
  const attributesOf = openAttributeReader(db);
  const generationsOf = openGenerationReader(db);
  const keyOf = openKeyReader(db);
  const traceOf = openTraceReader(db);
  const streamsOf = openStreamArchiver(db);
  const journalOf = openJournalReader(db, openTail(db));

  function archiveOf(
    row: Columns,
    text: string,
    rest: Pick<RunArchive, "open" | "ending">,
  ): Omit<RunArchive, "request"> {
    const { id, started_at } = row;
    return {
      start: { ...startOf(row), ...traceOf(id) },
      seq: rest.ending === null ? numberAfter(text, 1) - 1 : row.seq,
      journal: decodeJournal(id, text, started_at),
      generations: generationsOf(id, started_at).generations ?? [],
      attributes: attributesOf(id),
      keyName: keyOf(id)?.key ?? "",
      streams: streamsOf(id),
      ...rest,
    };
  }

  return (id) => {
    const row = open.get(id) as OpenColumns | undefined;
    if (row !== undefined) {
      const messages = (inbox.all(id) as InboxColumns[]).map(
        ({ sender: from, ...message }): InboxRow => ({ ...message, to: id, from }),
      );
      const { phase, held, held_reason: heldReason } = row;
      const state = { phase, held, heldReason, inbox: messages, key: archivedKey(keyOf(id)) };
      return archiveOf(row, journalOf(id, row.seq), { open: state, ending: null });
    }
    const ended = closed.get(id) as ClosedColumns | undefined;
    if (ended === undefined) return null;
    const text = ended.journal ?? journalOf(id, null);
    return archiveOf(ended, text, { open: null, ending: endingOf(ended) });
  };
}

function archivedKey(stored: StoredKey | null): ArchivedKey | null {
  if (stored === null || stored.place === "ended") return null;
  const { key, waitingMax, onHeldHead, seq, state } = stored;
  return { key, waitingMax, onHeldHead, seq, state };
}

// Read once: it is the tail of one state, and bounded.
function openTail(db: DatabaseSync): TailOf {
  let tails: Map<RunId, { firstSeq: number; entries: string }[]> | null = null;
  return (run, settled) => {
    if (tails === null) {
      tails = new Map();
      for (const { run: of, firstSeq, entries } of readTail(db)) {
        const records = tails.get(of) ?? [];
        records.push({ firstSeq, entries });
        tails.set(of, records);
      }
    }
    const records = (tails.get(run) ?? []).filter(({ firstSeq }) => firstSeq > settled);
    return records.map(({ entries }) => entries).join("");
  };
}

function startOf(row: Columns): StartRow {
  return {
    id: row.id,
    namespace: row.namespace,
    workflow: row.workflow,
    version: row.version,
    input: row.input,
    startedAt: row.started_at,
    parentRun: row.parent_run,
    parentCall: row.parent_call,
    cause: row.cause,
  };
}

function endingOf(row: ClosedColumns): Ending {
  const { status, ended_at, output, error, abandoned } = row;
  return {
    status,
    endedAt: ended_at,
    output,
    error: error === null ? null : (JSON.parse(error) as ErrorRecord),
    abandoned: abandoned === null ? [] : (JSON.parse(abandoned) as string[]),
  };
}

// What the storage throws is coded, wherever it is met.
function guarded(look: StoreLook, path: string): StoreLook {
  const read = <T>(verb: () => T): T => {
    try {
      return verb();
    } catch (error) {
      throw storageError(error, path);
    }
  };
  return {
    ...look,
    list: (query) => read(() => look.list(query)),
    archive: (id) => read(() => look.archive(id)),
    openChildren: (id) => read(() => look.openChildren(id)),
    key: (name) => read(() => look.key(name)),
    requests: (runs) => read(() => look.requests(runs)),
  };
}
