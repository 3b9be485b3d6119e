import type { DatabaseSync } from "node:sqlite";
import type { StoredRun } from "@claw/core/ports";
import {
  ClawError,
  type Entry,
  type Hold,
  type InboxRow,
  Journal,
  limits,
  type MessageKind,
  type Phase,
  type RunId,
  type RunRow,
  type StoredKey,
} from "@claw/core/protocol";
import type { Traces } from "./traces.ts";
import type { Streams } from "./streams.ts";

/** What the owner of a store asks to go on with its runs. */
export interface RunReader {
  load(ids: readonly RunId[]): readonly StoredRun[];
  due(nowMs: number, limit: number, namespace: string | null): readonly RunId[];
  suspects(limit: number, namespace: string | null): readonly RunId[];
  nextDue(afterMs: number, namespace: string | null): number | null;
  held(kinds: readonly Hold[], limit: number, namespace: string | null): readonly RunId[];
}

type RunColumns = {
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
  inbox_seq: number;
  due: number | null;
  waits: number;
  phase: Phase | "";
  recoveries: number;
  held: Hold | "";
  held_reason: string;
};

type InboxColumns = { seq: number; kind: MessageKind; name: string; sender: string; data: string };

/** The reading verbs of `Store` that only its owner needs. */
export function openRunReader(
  db: DatabaseSync,
  tailOf: TailOf,
  headsOf: Streams["headsOf"],
  keyOf: (run: RunId) => StoredKey | null,
  traceOf: Traces["of"],
): RunReader {
  const row = db.prepare("SELECT * FROM runs WHERE id = ?");
  const journalOf = openJournalReader(db, tailOf);
  const inbox = db.prepare(
    "SELECT seq, kind, name, sender, data FROM inbox WHERE run = ? ORDER BY seq",
  );
  const waits = db.prepare(`
    SELECT call FROM waits WHERE run = ?1 UNION ALL SELECT call FROM approvals WHERE run = ?1
    ORDER BY call`);
  const due = db.prepare(`
    SELECT id FROM runs
    WHERE due > 0 AND due <= ? AND held = '' AND recoveries < ${limits.SUSPECT_RECOVERIES}
      AND namespace = coalesce(?, namespace)
    ORDER BY due, id LIMIT ?`);
  // "> 1" is the condition of the index.
  const suspects = db.prepare(`
    SELECT id FROM runs
    WHERE recoveries > 1 AND recoveries >= ${limits.SUSPECT_RECOVERIES} AND held = ''
      AND namespace = coalesce(?, namespace)
    ORDER BY recoveries, id LIMIT ?`);
  // The bound that is named first is the one that the index is entered with; the other allows its use.
  const next = db.prepare(`
    SELECT due FROM runs
    WHERE due > ? AND due > 0 AND held = '' AND namespace = coalesce(?, namespace)
    ORDER BY due LIMIT 1`);
  const held = db.prepare(`
    SELECT id FROM runs
    WHERE held <> '' AND held IN (SELECT value FROM json_each(?))
      AND namespace = coalesce(?, namespace)
    ORDER BY id LIMIT ?`);

  function loadOne(id: RunId): StoredRun | null {
    const columns = row.get(id) as RunColumns | undefined;
    if (columns === undefined) return null;
    const journalText = journalOf(id, columns.seq);
    const streams = headsOf(id);
    const keyed = keyOf(id);
    const plain = { ...runRowOf(columns), ...traceOf(id) };
    return {
      row: keyed === null ? plain : { ...plain, keyed },
      journal: readJournal(id, journalText, columns.started_at),
      journalText,
      inbox: (inbox.all(id) as InboxColumns[]).map((message) => inboxRowOf(id, message)),
      waits: waits.all(id).map((wait) => String(wait["call"])),
      ...(streams === undefined ? {} : { streams }),
    };
  }

  const together = openReadTransaction(db);
  return {
    load: (ids) => together(() => ids.map(loadOne).filter((run) => run !== null)),
    due: (nowMs, limit, namespace) => due.all(nowMs, namespace, limit).map(idOf),
    suspects: (limit, namespace) => suspects.all(namespace, limit).map(idOf),
    nextDue: (afterMs, namespace) =>
      (next.get(afterMs, namespace) as { due: number } | undefined)?.due ?? null,
    held: (kinds, limit, namespace) => held.all(JSON.stringify(kinds), namespace, limit).map(idOf),
  };
}

// In one transaction the file is locked once, not by each statement.
function openReadTransaction(db: DatabaseSync): <T>(read: () => T) => T {
  const begin = db.prepare("BEGIN");
  const end = db.prepare("COMMIT");
  return (read) => {
    begin.run();
    try {
      return read();
    } finally {
      if (db.isTransaction) end.run();
    }
  };
}

/** Entries of an open run that are not in rows of their own; `settled` is the number of the last that is. */
export type TailOf = (run: RunId, settled: number) => string;

/** Reads the text of a journal that is not packed; `settled` is null for a closed run. */
export function openJournalReader(
  db: DatabaseSync,
  tailOf: TailOf,
): (run: RunId, settled: number | null) => string {
  const rows = db.prepare("SELECT entries FROM journal WHERE run = ? ORDER BY seq");
  return (run, settled) => {
    let text = "";
    for (const row of rows.all(run)) text += String(row["entries"]);
    return settled === null ? text : text + tailOf(run, settled);
  };
}

/** Entries of a whole journal. Errors: CLAW-4002 its text is damaged. */
export function decodeJournal(run: RunId, text: string, startedAt: number): Entry[] {
  return [...readJournal(run, text, startedAt)];
}

function readJournal(run: RunId, text: string, startedAt: number): Journal {
  try {
    return Journal.read(text, 1, startedAt);
  } catch (error) {
    throw new ClawError("CLAW-4002", `The journal of ${run} is damaged`, { cause: error });
  }
}

function idOf(row: Record<string, unknown>): RunId {
  return String(row["id"]);
}

function runRowOf(columns: RunColumns): RunRow {
  const { started_at, parent_run, parent_call, inbox_seq, held_reason, ...same } = columns;
  return {
    ...same,
    startedAt: started_at,
    parentRun: parent_run,
    parentCall: parent_call,
    inboxSeq: inbox_seq,
    heldReason: held_reason,
  };
}

function inboxRowOf(to: RunId, columns: InboxColumns): InboxRow {
  const { seq, kind, name, sender, data } = columns;
  return { to, kind, name, from: sender, data, seq };
}
