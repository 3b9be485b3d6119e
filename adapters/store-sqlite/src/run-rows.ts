import type { DatabaseSync } from "node:sqlite";
import type { Finish, NewRun, Transition } from "@claw/core/ports";
import type { RunId, StartRow } from "@claw/core/protocol";
import { Contradiction } from "./batch-work.ts";

/** The rows of runs, open and closed, and their journals. */
export interface RunRows {
  /** Creates the run that a client starts, in the state that its first transition leaves it in. */
  insert(start: StartRow, first: Transition): void;
  /** Creates a run that another or an event starts; false when its id is known, open or closed. */
  create(run: NewRun): boolean;
  append(run: RunId, firstSeq: number, entries: string): void;
  /** Puts a run to rest unless a message came; true when it rests. */
  park(run: RunId, seq: number, park: NonNullable<Transition["park"]>): boolean;
  hold(run: RunId, seq: number, hold: NonNullable<Transition["hold"]>): void;
  /** Lets a run that was created at rest stay with its process after all. */
  keepActive(run: RunId): void;
  /** Makes a held run due at once. */
  release(run: RunId): "released" | "unknown" | "closed";
  /** Replaces the open run by its closed row; `isNew` when it never was in the store. */
  close(last: Transition, finish: Finish): void;
}

const START_COLUMNS =
  "id, namespace, workflow, version, started_at, parent_run, parent_call, cause, input";

/** The verbs that write runs on an open database. */
export function openRunRows(db: DatabaseSync): RunRows {
  const insert = db.prepare(`
    INSERT INTO runs (${START_COLUMNS}, seq, inbox_seq, due, waits, held, held_reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)`);
  const create = db.prepare(`
    INSERT INTO runs (${START_COLUMNS}, seq, inbox_seq, due, waits, held, held_reason)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, ?10, 0, '', ''
    WHERE NOT EXISTS (SELECT 1 FROM closed WHERE id = ?1)
    ON CONFLICT (id) DO NOTHING`);
  const append = db.prepare("INSERT INTO journal VALUES (?, ?, ?)");
  const park = db.prepare(
    "UPDATE runs SET seq = ?, due = ?, waits = ? WHERE id = ? AND inbox_seq = ?",
  );
  const hold = db.prepare(
    "UPDATE runs SET seq = ?, due = NULL, held = ?, held_reason = ? WHERE id = ?",
  );
  const keepActive = db.prepare("UPDATE runs SET due = 0 WHERE id = ?");
  const release = db.prepare(
    "UPDATE runs SET due = 1, held = '', held_reason = '' WHERE id = ? AND held <> ''",
  );
  const isOpen = db.prepare("SELECT 1 FROM runs WHERE id = ?");
  const isClosed = db.prepare("SELECT 1 FROM closed WHERE id = ?");

  function mustBeOpen(run: RunId): void {
    if (isOpen.get(run) === undefined) throw new Contradiction(`${run} is not an open run`);
  }

  return {
    insert: (row, first) => {
      const { park: rest, hold: held } = first;
      insert.run(
        row.id,
        row.namespace,
        row.workflow,
        row.version,
        row.startedAt,
        row.parentRun,
        row.parentCall,
        row.cause,
        row.input,
        first.seq,
        held !== null ? null : rest === null ? 0 : rest.due,
        rest === null ? 0 : rest.waits,
        held === null ? "" : held.kind,
        held === null ? "" : held.reason,
      );
    },
    create: ({ row, due }) =>
      create.run(
        row.id,
        row.namespace,
        row.workflow,
        row.version,
        row.startedAt,
        row.parentRun,
        row.parentCall,
        row.cause,
        row.input,
        due,
      ).changes === 1,
    append: (run, firstSeq, entries) => {
      append.run(run, firstSeq, entries);
    },
    park: (run, seq, { due, waits, inboxSeen }) => {
      if (park.run(seq, due, waits, run, inboxSeen).changes === 1) return true;
      mustBeOpen(run);
      return false;
    },
    hold: (run, seq, { kind, reason }) => {
      if (hold.run(seq, kind, reason, run).changes === 0) mustBeOpen(run);
    },
    keepActive: (run) => {
      keepActive.run(run);
    },
    release: (run) => {
      if (release.run(run).changes === 1 || isOpen.get(run) !== undefined) return "released";
      return isClosed.get(run) === undefined ? "unknown" : "closed";
    },
    close: closeRun(db),
  };
}

function closeRun(db: DatabaseSync): RunRows["close"] {
  const insert = db.prepare(`
    INSERT INTO closed (${START_COLUMNS}, status, ended_at, seq, error, abandoned, output, journal)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const leave = db.prepare("DELETE FROM runs WHERE id = ? AND inbox_seq = 0");
  const leaveAnyway = db.prepare("DELETE FROM runs WHERE id = ?");
  const dropInbox = db.prepare("DELETE FROM inbox WHERE run = ?");
  const dropJournal = db.prepare("DELETE FROM journal WHERE run = ?");

  return (last, finish) => {
    const { start: row, ending, journal } = finish;
    insert.run(
      row.id,
      row.namespace,
      row.workflow,
      row.version,
      row.startedAt,
      row.parentRun,
      row.parentCall,
      row.cause,
      row.input,
      ending.status,
      ending.endedAt,
      last.seq,
      ending.error === null ? null : JSON.stringify(ending.error),
      ending.abandoned.length === 0 ? null : JSON.stringify(ending.abandoned),
      ending.output,
      journal,
    );
    if (journal !== null && finish.hadJournal) dropJournal.run(row.id);
    // Only a run that is new with this transition was never among the open ones.
    if (last.start !== null || leave.run(row.id).changes === 1) return;
    // The run may not have heard yet of its last messages, so the row decides and not `hadInbox`.
    if (leaveAnyway.run(row.id).changes === 0) {
      throw new Contradiction(`${row.id} is not an open run`);
    }
    dropInbox.run(row.id);
  };
}
