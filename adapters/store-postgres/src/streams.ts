import type { ChunkPage, ChunkQuery } from "@claw/core/ports";
import type { ArchivedStreams, ChunkBlock, RunId, StreamHead } from "@claw/core/protocol";
import type { Reads } from "./reads.ts";

/** Reads chunks; see `StreamReads.read`. */
export async function readChunks(reads: Reads, query: ChunkQuery): Promise<ChunkPage | null> {
  const { run, namespace = null, stream = null, after, limit } = query;
  const [found] = await reads.all<{ open: boolean }>(
    `SELECT TRUE AS open FROM claw.runs WHERE id = $1 AND namespace = coalesce($2, namespace)
     UNION ALL SELECT FALSE FROM claw.closed WHERE id = $1 AND namespace = coalesce($2, namespace)`,
    [run, namespace],
  );
  if (found === undefined) return null;
  // The block in which the cursor lies begins before it.
  const blocks = await reads.all<ChunkBlock>(
    `SELECT stream, seq, count, call, attempt, first, at, data FROM claw.chunks
     WHERE run = $1 AND seq + count > $2 + 1 AND stream = coalesce($3, stream)
       AND seq >= (SELECT coalesce(max(seq), 0) FROM claw.chunks WHERE run = $1 AND seq <= $2)
     ORDER BY seq LIMIT $4`,
    [run, after, stream, limit],
  );
  const heads = await streamHeads(reads, [run]);
  return { blocks, heads: heads.get(run) ?? [], ended: !found.open };
}

/** The streams of runs as they stand, by name; runs without any are left out. */
export async function streamHeads(
  reads: Reads,
  runs: readonly RunId[],
): Promise<Map<RunId, StreamHead[]>> {
  const rows = await reads.all<StreamHead & { run: RunId }>(
    `SELECT run, name, chunks, bytes, last, closed FROM claw.streams
     WHERE run = ANY ($1) ORDER BY run, name`,
    [runs],
  );
  const heads = new Map<RunId, StreamHead[]>();
  for (const { run, ...head } of rows) heads.set(run, [...(heads.get(run) ?? []), head]);
  return heads;
}

/** Everything that a run wrote to its streams. */
export async function archivedStreams(reads: Reads, run: RunId): Promise<ArchivedStreams> {
  const blocks = await reads.all<ChunkBlock>(
    `SELECT stream, seq, count, call, attempt, first, at, data FROM claw.chunks
     WHERE run = $1 ORDER BY seq`,
    [run],
  );
  return { heads: (await streamHeads(reads, [run])).get(run) ?? [], blocks };
}
