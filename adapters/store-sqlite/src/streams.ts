import type { DatabaseSync } from "node:sqlite";
import type { ChunkPage, ChunkQuery, StreamChanges } from "@claw/core/ports";
import type { ArchivedStreams, ChunkBlock, RunId, StreamHead } from "@claw/core/protocol";

/** Streams of runs, as their owner needs them. */
export interface Streams {
  /** Writes what a transition adds to the streams of its run. */
  write(run: RunId, changes: StreamChanges): void;
  /** The streams of a run as they stand, by name; undefined for none. */
  headsOf(run: RunId): readonly StreamHead[] | undefined;
}

/** The verbs of the owner on an open database. */
export function openStreams(db: DatabaseSync): Streams {
  const insert = db.prepare("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const put = db.prepare("INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?, ?, ?)");
  const headsOf = openHeads(db);
  // Stores without streams need not look for those of each run that is loaded.
  let used = db.prepare("SELECT 1 FROM streams LIMIT 1").get() !== undefined;
  return {
    write: (run, { blocks, heads }) => {
      used = true;
      for (const { seq, stream, count, call, attempt, first, at, data } of blocks) {
        insert.run(run, seq, stream, count, call, attempt, first, at, data);
      }
      for (const { name, chunks, bytes, last, closed } of heads) {
        put.run(run, name, chunks, bytes, last, closed ? 1 : 0);
      }
    },
    headsOf: (run) => {
      const heads = used ? headsOf(run) : [];
      return heads.length === 0 ? undefined : heads;
    },
  };
}

/** Reads chunks; see `StreamReads.read`. */
export type ChunkReader = (query: ChunkQuery) => ChunkPage | null;

type BlockRow = { [Field in keyof ChunkBlock]: ChunkBlock[Field] };

/** The verb for readers on an open database. */
export function openChunkReader(db: DatabaseSync): ChunkReader {
  const headsOf = openHeads(db);
  const isOpen = db.prepare(
    "SELECT 1 FROM runs WHERE id = ? AND namespace = coalesce(?, namespace)",
  );
  const isClosed = db.prepare(
    "SELECT 1 FROM closed WHERE id = ? AND namespace = coalesce(?, namespace)",
  );
  // The block in which the cursor lies begins before it.
  const select = db.prepare(`
    SELECT stream, seq, count, call, attempt, first, at, data FROM chunks
    WHERE run = ?1 AND seq + count > ?2 + 1 AND stream = coalesce(?3, stream)
      AND seq >= (SELECT coalesce(max(seq), 0) FROM chunks WHERE run = ?1 AND seq <= ?2)
    ORDER BY seq LIMIT ?4`);
  return ({ run, namespace, stream, after, limit }) => {
    const open = isOpen.get(run, namespace ?? null) !== undefined;
    if (!open && isClosed.get(run, namespace ?? null) === undefined) return null;
    const rows = select.all(run, after, stream ?? null, limit) as BlockRow[];
    const blocks = rows.map((row) => ({ ...row }));
    return { blocks, heads: headsOf(run), ended: !open };
  };
}

/** Reads all streams of a run. */
export function openStreamArchiver(db: DatabaseSync): (run: RunId) => ArchivedStreams {
  const headsOf = openHeads(db);
  const select = db.prepare(`
    SELECT stream, seq, count, call, attempt, first, at, data FROM chunks
    WHERE run = ? ORDER BY seq`);
  return (run) => {
    const blocks = (select.all(run) as BlockRow[]).map((row) => ({ ...row }));
    return { heads: headsOf(run), blocks };
  };
}

function openHeads(db: DatabaseSync): (run: RunId) => readonly StreamHead[] {
  const select = db.prepare(
    "SELECT name, chunks, bytes, last, closed FROM streams WHERE run = ? ORDER BY name",
  );
  return (run) =>
    (select.all(run) as (Omit<StreamHead, "closed"> & { closed: 0 | 1 })[]).map((row) => ({
      ...row,
      closed: row.closed === 1,
    }));
}
