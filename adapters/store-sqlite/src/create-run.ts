import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { NewRun, Transition } from "@claw/core/ports";
import type { RunId, StartRow } from "@claw/core/protocol";
import { Contradiction } from "./batch-work.ts";

/** Creates the rows of open runs. */
export interface Creator {
  /** Creates the run that a client starts, in the state that its first transition leaves it in. */
  start(row: StartRow, first: Transition): void;
  /** Creates a run that another or an event starts; false when its id is known, open or closed. */
  create(run: NewRun): boolean;
  /** Creates a run of a key: due at once, or queued. */
  createQueued(row: StartRow, isDue: boolean): void;
  /** True for the id of a run, open or closed. */
  isKnown(run: RunId): boolean;
}

/** The creating verbs on an open database. */
export function openCreator(db: DatabaseSync): Creator {
  const columns = `id, namespace, workflow, version, started_at, parent_run, parent_call, cause, input,
    seq, inbox_seq, due, waits, held, held_reason`;
  // The most frequent start leaves nine columns at their defaults: each value that is bound costs.
  const insertPlain = db.prepare(`
    INSERT INTO runs (id, namespace, workflow, version, started_at, input)
    VALUES (?, ?, ?, ?, ?, ?)`);
  const insert = db.prepare(`
    INSERT INTO runs (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)`);
  const insertUnknown = db.prepare(`
    INSERT INTO runs (${columns})
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, ?12, ?13, ?14
    WHERE NOT EXISTS (SELECT 1 FROM closed WHERE id = ?1)
    ON CONFLICT (id) DO NOTHING`);
  const known = db.prepare(
    "SELECT 1 FROM runs WHERE id = ?1 UNION ALL SELECT 1 FROM closed WHERE id = ?1",
  );
  return {
    start: (row, { park, hold, seq }) => {
      if (row.keyed !== undefined)
        throw new Contradiction(`${row.id} must join the queue of its key`);
      // While the run is in memory, its entries are in the tail.
      if (hold !== null) write(insert, row, seq, null, 0, hold.kind, hold.reason);
      else if (park !== null) write(insert, row, seq, park.due, park.waits, "", "");
      else if (!isPlain(row)) write(insert, row, 0, 0, 0, "", "");
      else {
        const { id, namespace, workflow, version, startedAt, input } = row;
        insertPlain.run(id, namespace, workflow, version, startedAt, input);
      }
    },
    create: ({ row, due }) => write(insertUnknown, row, 0, due, 0, "", "") === 1,
    createQueued: (row, isDue) => {
      write(insert, row, 0, isDue ? 1 : null, 0, isDue ? "" : "queued", "");
    },
    isKnown: (run) => known.get(run) !== undefined,
  };
}

/** True for a run that nobody but a client started: these columns are at their defaults. */
export function isPlain({ parentRun, parentCall, cause }: StartRow): boolean {
  return parentRun === "" && parentCall === "" && cause === "";
}

function write(
  statement: StatementSync,
  row: StartRow,
  seq: number,
  due: number | null,
  waits: number,
  held: string,
  heldReason: string,
): number | bigint {
  return statement.run(
    row.id,
    row.namespace,
    row.workflow,
    row.version,
    row.startedAt,
    row.parentRun,
    row.parentCall,
    row.cause,
    row.input,
    seq,
    due,
    waits,
    held,
    heldReason,
  ).changes;
}
