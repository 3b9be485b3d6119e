import type { PayloadCodec } from "@claw/core/ports";
import {
  describeError,
  limits,
  type RunArchive,
  type RunRecord,
  type RunStatus,
} from "@claw/core/protocol";
import { Sealer } from "../payloads/sealer.ts";
import type { ExportBytes } from "./import-runs.ts";
import { changeCoded } from "./payloads.ts";
import { readExport } from "./read-export.ts";

/**
 * The runs of an export with their payloads opened, large ones too, for whoever looks at them one by one. Nothing is given
 * of a run that did not come whole.
 * Errors: CLAW-4061, CLAW-4062, CLAW-4011 a codec or key is missing.
 */
export async function* readRecords(
  bytes: ExportBytes,
  codec?: PayloadCodec | readonly PayloadCodec[],
): AsyncGenerator<RunRecord> {
  const blobs = new Map<string, Uint8Array[]>();
  const sealer = new Sealer(
    {
      read: (_run, id) => {
        const parts = blobs.get(id);
        return parts === undefined ? null : Buffer.concat(parts);
      },
      stage: () => {},
      remove: () => 0,
    },
    codec,
    limits.INLINE_BYTES_MAX,
  );
  let archive: RunArchive | null = null;
  for await (const piece of readExport(bytes())) {
    if (piece.type === "run") {
      archive = piece.archive;
      blobs.clear();
    } else if (piece.type === "blob") {
      blobs.set(piece.id, [...(blobs.get(piece.id) ?? []), piece.bytes]);
    } else if (piece.type === "whole" && archive !== null) {
      const opened = await changeCoded(archive, (payload, place) => sealer.open(payload, place));
      yield recordOf(opened);
      archive = null;
    }
  }
}

function recordOf({
  start,
  journal,
  generations,
  attributes,
  open,
  ending,
  keyName,
}: RunArchive): RunRecord {
  const { id, namespace, workflow, version, input, startedAt, parentRun, parentCall, cause } =
    start;
  const error = ending?.error ?? null;
  const resting: RunStatus = open?.held || open?.phase || "waiting";
  return {
    id,
    namespace,
    workflow,
    version,
    input,
    startedAt,
    parentRun,
    parentCall,
    cause,
    status: ending?.status ?? resting,
    endedAt: ending?.endedAt ?? null,
    reason: error === null ? (open?.heldReason ?? "") : describeError(error),
    attributes,
    output: ending?.output ?? "",
    error,
    abandoned: ending?.abandoned ?? [],
    due: null,
    journal,
    ...(generations.length === 0 ? {} : { generations }),
    ...(keyName === "" ? {} : { queue: { key: keyName, seq: 0, place: "ended", behind: "" } }),
  };
}
