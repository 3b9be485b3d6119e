import { ClawError, encodePayload, isClawError, type Payload } from "@claw/core/protocol";

/** A chunk as it is stored; undefined becomes null. Errors: CLAW-1005, CLAW-1051. */
export function encodeChunk(stream: string, value: unknown, bytesMax: number): Payload {
  try {
    return encodePayload(value ?? null, bytesMax);
  } catch (error) {
    if (!isClawError(error, "CLAW-1006")) throw error;
    const detail = `A chunk of the stream "${stream}" is over the limit of ${bytesMax} bytes`;
    throw new ClawError("CLAW-1051", detail, { details: error.details });
  }
}
