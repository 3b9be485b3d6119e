import type { StreamChanges } from "@claw/core/ports";
import type { RunId, StreamHead } from "@claw/core/protocol";
import type { MemoryDisk } from "./memory-disk.ts";

/** Writes what a transition adds to the streams of its run. */
export function writeStreams(disk: MemoryDisk, run: RunId, changes: StreamChanges): void {
  for (const block of changes.blocks) {
    const last = disk.chunks.of(run).at(-1);
    if (last !== undefined && last.seq + last.count > block.seq) {
      throw new Error(`${run} has chunk ${block.seq} already`);
    }
    disk.chunks.add(run, { ...block });
  }
  for (const head of changes.heads) {
    disk.streams.keep(run, ({ name }) => name !== head.name);
    disk.streams.add(run, { ...head });
  }
}

/** The streams of a run as they stand, by name. */
export function headsOf(disk: MemoryDisk, run: RunId): readonly StreamHead[] {
  const heads = disk.streams.of(run).map((head) => ({ ...head }));
  return heads.sort((a, b) => (a.name < b.name ? -1 : 1));
}
