import type { BlobPart } from "@claw/core/ports";
import type { RunId } from "@claw/core/protocol";
import type { Link } from "./link.ts";
import type { Reads } from "./reads.ts";

/** Writes a part of a large payload; see `BlobStore.stage`. */
export async function stageBlob(link: Link, reads: Reads, part: BlobPart): Promise<void> {
  const { run, id, n, bytes } = part;
  await link.transaction(async () => {
    if (n === 0) await reads.all("DELETE FROM claw.blobs WHERE run = $1 AND id = $2", [run, id]);
    await reads.all("INSERT INTO claw.blobs VALUES ($1, $2, $3, $4)", [
      run,
      id,
      n,
      Buffer.from(bytes),
    ]);
  });
}

/** The bytes of a large payload; null when there are none. */
export async function readBlob(reads: Reads, run: RunId, id: string): Promise<Uint8Array | null> {
  const rows = await reads.all<{ bytes: Uint8Array }>(
    "SELECT bytes FROM claw.blobs WHERE run = $1 AND id = $2 ORDER BY n",
    [run, id],
  );
  return rows.length === 0 ? null : Buffer.concat(rows.map(({ bytes }) => bytes));
}

/** Removes all bytes of these runs or tasks; answers how many payloads went. */
export async function removeBlobs(reads: Reads, runs: readonly RunId[]): Promise<number> {
  const gone = await reads.all<{ n: number }>(
    "DELETE FROM claw.blobs WHERE run = ANY ($1) RETURNING n",
    [runs],
  );
  return gone.filter(({ n }) => n === 0).length;
}
