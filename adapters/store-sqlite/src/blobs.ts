import type { DatabaseSync } from "node:sqlite";
import type { BlobPart, NewBlob } from "@claw/core/ports";
import type { RunId } from "@claw/core/protocol";

/** Bytes of one row: a large blob is read and written without a row as large as itself. */
const CHUNK_BYTES = 1024 * 1024;

/** Large payloads on an open database. */
export interface Blobs {
  write(blob: NewBlob): void;
  /** Writes a part ahead of its run. */
  stage(part: BlobPart): void;
  read(run: RunId, id: string): Uint8Array | null;
  /** Removes the bytes of one id. */
  drop(run: RunId, id: string): void;
  /** Removes all bytes of these runs; answers how many blobs went. */
  remove(runs: readonly RunId[]): number;
}

/** The verbs of large payloads on an open database. */
export function openBlobs(db: DatabaseSync): Blobs {
  const insert = db.prepare("INSERT INTO blobs VALUES (?, ?, ?, ?)");
  const drop = db.prepare("DELETE FROM blobs WHERE run = ? AND id = ?");
  const select = db.prepare("SELECT bytes FROM blobs WHERE run = ? AND id = ? ORDER BY n");
  const ofRun = db.prepare("SELECT count(*) AS blobs FROM blobs WHERE run = ? AND n = 0");
  const dropRun = db.prepare("DELETE FROM blobs WHERE run = ?");
  return {
    write: ({ run, id, bytes }) => {
      drop.run(run, id);
      for (let n = 0; n === 0 || n * CHUNK_BYTES < bytes.length; n++) {
        insert.run(run, id, n, bytes.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES));
      }
    },
    stage: ({ run, id, n, bytes }) => {
      if (n === 0) drop.run(run, id);
      insert.run(run, id, n, bytes);
    },
    read: (run, id) => {
      const chunks: Uint8Array[] = [];
      for (const row of select.iterate(run, id)) chunks.push(row["bytes"] as Uint8Array);
      return chunks.length === 0 ? null : Buffer.concat(chunks);
    },
    drop: (run, id) => {
      drop.run(run, id);
    },
    remove: (runs) => {
      let removed = 0;
      for (const run of runs) {
        removed += Number(ofRun.get(run)?.["blobs"]);
        dropRun.run(run);
      }
      return removed;
    },
  };
}
