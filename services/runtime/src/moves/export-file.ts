import { createReadStream } from "node:fs";
import { ClawError } from "@claw/core/protocol";
import type { ExportBytes } from "./import-runs.ts";

const CHUNK_BYTES = 256 * 1024;

/** The file of an export, for `importRuns`. Errors while it is read: CLAW-4061. */
export function exportFile(path: string): ExportBytes {
  return async function* () {
    try {
      yield* createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ClawError("CLAW-4061", why, { cause });
    }
  };
}
