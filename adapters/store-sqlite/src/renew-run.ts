import type { DatabaseSync } from "node:sqlite";
import type { PastGeneration, Renewal } from "@claw/core/ports";
import type { Generation, RunId } from "@claw/core/protocol";
import { Contradiction } from "./batch-work.ts";
import type { Journals } from "./journals.ts";
import { decodeJournal } from "./read-runs.ts";

/** Closes the journal of a run as that of a generation, and begins that of the next one. */
export type Renewer = (run: RunId, renewal: Renewal) => void;

/** The renewing verb on an open database. */
export function openRenewer(db: DatabaseSync, journals: Journals): Renewer {
  const rows = db.prepare("SELECT entries FROM journal WHERE run = ? ORDER BY seq");
  const insert = db.prepare(`
    INSERT INTO generations (run, generation, ended_at, input, journal)
    SELECT id, ?2, ?3, input, ?4 FROM runs WHERE id = ?1`);
  const update = db.prepare("UPDATE runs SET input = ? WHERE id = ?");
  const putBack = db.prepare("INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?)");
  return (run, { generation, endedAt, input, journal, seq, inbox = [] }) => {
    let text = "";
    for (const row of rows.all(run)) text += String(row["entries"]);
    text += journals.tailOf(run);
    if (insert.run(run, generation, endedAt, text).changes === 0) {
      throw new Contradiction(`${run} is not an open run`);
    }
    update.run(input, run);
    journals.replace(run, 1, seq, journal);
    for (const row of inbox) putBack.run(run, row.seq, row.kind, row.name, row.from, row.data);
  };
}

/** Writes the ended generations of a run that comes from another store. */
export function openPastWriter(
  db: DatabaseSync,
): (run: RunId, past: readonly PastGeneration[]) => void {
  const insert = db.prepare("INSERT INTO generations VALUES (?, ?, ?, ?, ?)");
  return (run, past) => {
    for (const { generation, endedAt, input, journal } of past) {
      insert.run(run, generation, endedAt, input, journal);
    }
  };
}

/** Reads the ended generations of a run, oldest first. */
export function openGenerationReader(
  db: DatabaseSync,
): (run: RunId, startedAt: number) => { readonly generations?: readonly Generation[] } {
  const read = db.prepare(`
    SELECT generation, ended_at, input, journal FROM generations WHERE run = ? ORDER BY generation`);
  return (run, startedAt) => {
    const rows = read.all(run);
    if (rows.length === 0) return {};
    const generations = rows.map((row) => ({
      generation: Number(row["generation"]),
      endedAt: Number(row["ended_at"]),
      input: String(row["input"]),
      journal: decodeJournal(run, String(row["journal"]), startedAt),
    }));
    return { generations };
  };
}
