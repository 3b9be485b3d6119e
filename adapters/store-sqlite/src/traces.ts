import type { DatabaseSync } from "node:sqlite";
import type { RunId, StartRow } from "@claw/core/protocol";

/** Traces that came with the start of runs; most runs have none. */
export interface Traces {
  /** Remembers the trace of a run that begins, if one came with it. */
  put(start: StartRow): void;
  /** What a row says of its trace. */
  of(run: RunId): Pick<StartRow, "trace">;
}

/** The verbs of the owner on an open database. */
export function openTraces(db: DatabaseSync): Traces {
  const insert = db.prepare("INSERT OR IGNORE INTO traces VALUES (?, ?)");
  const read = openTraceReader(db);
  // Stores without traces need not look for that of each run that is loaded.
  let used = db.prepare("SELECT 1 FROM traces LIMIT 1").get() !== undefined;
  return {
    put: ({ id, trace }) => {
      if (trace === undefined) return;
      used = true;
      insert.run(id, trace);
    },
    of: (run) => (used ? read(run) : {}),
  };
}

/** The reading verb on an open database. */
export function openTraceReader(db: DatabaseSync): Traces["of"] {
  const select = db.prepare("SELECT trace FROM traces WHERE run = ?");
  return (run) => {
    const row = select.get(run);
    return row === undefined ? {} : { trace: String(row["trace"]) };
  };
}
