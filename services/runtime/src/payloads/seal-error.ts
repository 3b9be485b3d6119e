import type { PayloadPlace } from "@claw/core/ports";
import { type ErrorRecord, isClawError, isCoded, standInFor } from "@claw/core/protocol";
import type { SealedBlob, Sealer } from "./sealer.ts";

/** The stored form of an error. Name and code stay: lists and people tell errors apart by them. */
export async function sealError(
  sealer: Sealer,
  error: ErrorRecord,
  place: PayloadPlace,
  blobs: SealedBlob[],
): Promise<ErrorRecord> {
  if (!sealer.hasCodecs || isCoded(error.message)) return error;
  const { name, code, ...rest } = error;
  const sealed = await sealer.seal(JSON.stringify(rest), place, blobs);
  // Left as it is, by every codec: then so is the error.
  if (!isCoded(sealed)) return error;
  return { name, message: sealed, ...(code === undefined ? {} : { code }) };
}

/** The error as it was before `sealError`, or with a stand-in for its message when it cannot be read here. */
export async function openError(
  sealer: Sealer,
  error: ErrorRecord,
  place: PayloadPlace,
): Promise<ErrorRecord> {
  const { message } = error;
  if (!isCoded(message)) return error;
  try {
    return { ...error, ...(JSON.parse(await sealer.open(message, place)) as ErrorRecord) };
  } catch (failure) {
    if (!isClawError(failure, "CLAW-4011")) throw failure;
    return { ...error, message: standInFor(message) };
  }
}
