import type { ChunkPage, ChunkQuery } from "@claw/core/ports";
import type { MemoryDisk } from "./memory-disk.ts";
import { isOf } from "./read-runs.ts";
import { headsOf } from "./streams.ts";

/** Reads chunks; see `StreamReads.read`. */
export function readChunks(disk: MemoryDisk, query: ChunkQuery): ChunkPage | null {
  const { run, namespace, stream, after, limit } = query;
  const open = disk.runs.get(run);
  const row = open ?? disk.closed.get(run);
  if (row === undefined || !isOf(row, namespace)) return null;
  const blocks = disk.chunks
    .of(run)
    .filter((one) => one.seq + one.count > after + 1)
    .filter((one) => stream === undefined || one.stream === stream)
    .slice(0, limit)
    .map((one) => ({ ...one }));
  return { blocks, heads: headsOf(disk, run), ended: open === undefined };
}
