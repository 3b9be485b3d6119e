import type { DatabaseSync } from "node:sqlite";
import type { Finish } from "@claw/core/ports";
import { Contradiction } from "./batch-work.ts";
import { isPlain } from "./create-run.ts";

/** Writes the closed row of a run and removes its open one with all messages; `isNew`: it never was open. */
export type Closer = (finish: Finish, seq: number, isNew: boolean) => void;

/** The closing verb on an open database. */
export function openCloser(db: DatabaseSync): Closer {
  // Most runs have no parent, no cause, no error: each value that is bound costs.
  const insertPlain = db.prepare(`
    INSERT INTO closed (id, namespace, workflow, version, started_at, input, status, ended_at, seq,
      output, journal)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const insert = db.prepare(`
    INSERT INTO closed (id, namespace, workflow, version, started_at, parent_run, parent_call, cause,
      input, status, ended_at, seq, error, abandoned, output, journal)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const leave = db.prepare("DELETE FROM runs WHERE id = ? AND inbox_seq = 0");
  const leaveAnyway = db.prepare("DELETE FROM runs WHERE id = ?");
  const dropInbox = db.prepare("DELETE FROM inbox WHERE run = ?");

  function write({ start: row, ending, journal }: Finish, seq: number): void {
    const { id, namespace, workflow, version, startedAt, input } = row;
    const { status, endedAt, output, error, abandoned } = ending;
    if (isPlain(row) && error === null && abandoned.length === 0) {
      insertPlain.run(
        id,
        namespace,
        workflow,
        version,
        startedAt,
        input,
        status,
        endedAt,
        seq,
        output,
        journal,
      );
      return;
    }
    insert.run(
      id,
      namespace,
      workflow,
      version,
      startedAt,
      row.parentRun,
      row.parentCall,
      row.cause,
      input,
      status,
      endedAt,
      seq,
      error === null ? null : JSON.stringify(error),
      abandoned.length === 0 ? null : JSON.stringify(abandoned),
      output,
      journal,
    );
  }

  return (finish, seq, isNew) => {
    write(finish, seq);
    const { id } = finish.start;
    if (isNew || leave.run(id).changes === 1) return;
    // The run may not have heard of its last messages yet, so its row decides and not `hadInbox`.
    if (leaveAnyway.run(id).changes === 0) {
      throw new Contradiction(`${id} is not an open run`);
    }
    dropInbox.run(id);
  };
}
