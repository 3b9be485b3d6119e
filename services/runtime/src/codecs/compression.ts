import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { PayloadCodec } from "@claw/core/ports";
import { ClawError, limits } from "@claw/core/protocol";

/** Options of `compression`. */
export interface CompressionOptions {
  /** Default "zstd". */
  readonly algorithm?: "zstd" | "gzip";
  /** Payloads with fewer bytes stay as they are. Default 1,024. */
  readonly fromBytes?: number;
}

const FROM_BYTES = 1_024;

/**
 * Compresses payloads above a size, where that makes them smaller.
 * Errors: CLAW-1001 for options that are none.
 */
export function compression(options: CompressionOptions = {}): PayloadCodec {
  const { algorithm = "zstd", fromBytes = FROM_BYTES } = options;
  if (algorithm !== "zstd" && algorithm !== "gzip") {
    throw new ClawError("CLAW-1001", `There is no compression ${JSON.stringify(algorithm)}`);
  }
  if (!(Number.isInteger(fromBytes) && fromBytes >= 0)) {
    throw new ClawError("CLAW-1001", "fromBytes must be a whole number from 0");
  }
  const compress = algorithm === "zstd" ? zstdCompressSync : gzipSync;
  const restore = algorithm === "zstd" ? zstdDecompressSync : gunzipSync;
  // A little stored text must not become all of the memory.
  const bound = { maxOutputLength: limits.PAYLOAD_BYTES_MAX * 8 };
  return {
    name: algorithm,
    encode(bytes) {
      if (bytes.length < fromBytes) return null;
      const smaller = compress(bytes);
      return smaller.length < bytes.length ? smaller : null;
    },
    decode: (bytes) => restore(bytes, bound),
  };
}
