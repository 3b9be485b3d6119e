import type { BlobPart, NewBlob } from "@claw/core/ports";
import type { RunId } from "@claw/core/protocol";
import type { MemoryDisk } from "./memory-disk.ts";

/** Writes a large payload. */
export function writeBlob(disk: MemoryDisk, { run, id, bytes }: NewBlob): void {
  disk.blobs.set(`${run}/${id}`, Buffer.from(bytes).toString("base64"));
}

/** Writes a part of a large payload ahead of its run. */
export function stageBlob(disk: MemoryDisk, part: BlobPart, flushed: boolean): void {
  const { run, id, n, bytes } = part;
  const before = n === 0 ? null : readBlob(disk, run, id);
  writeBlob(disk, { item: 0, run, id, bytes: Buffer.concat([before ?? new Uint8Array(), bytes]) });
  disk.settleCommit(flushed);
}

/** Reads a large payload; null when there is none of this id. */
export function readBlob(disk: MemoryDisk, run: RunId, id: string): Uint8Array | null {
  const text = disk.blobs.get(`${run}/${id}`);
  return text === undefined ? null : Buffer.from(text, "base64");
}

/** Removes all large payloads of these runs; answers how many. */
export function removeBlobs(disk: MemoryDisk, runs: readonly RunId[], flushed: boolean): number {
  const gone = new Set(runs);
  let removed = 0;
  for (const [key] of disk.blobs.entries()) {
    if (!gone.has(key.slice(0, key.indexOf("/")))) continue;
    disk.blobs.delete(key);
    removed++;
  }
  disk.settleCommit(flushed);
  return removed;
}

/** Removes all large payloads of a run or task, within a commit. */
export function dropBlobs(disk: MemoryDisk, owner: RunId): void {
  for (const [key] of disk.blobs.entries()) if (key.startsWith(`${owner}/`)) disk.blobs.delete(key);
}
