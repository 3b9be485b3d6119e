import type { RunId } from "../protocol/index.ts";
import type { MaybePromise } from "./store.ts";

/** Where a payload stands. What is encoded for one place cannot be decoded as that of another. */
export interface PayloadPlace {
  /** The run, or the id of a standalone task. */
  readonly run: RunId;
  /** The part of it: its input, an entry of a call, a message. */
  readonly part: string;
}

/**
 * Turns the bytes of a payload into others before they are stored, and back. Its name stands in what it
 * encoded, so it never changes; what an earlier configuration wrote is decoded as long as the codec is given.
 * Errors: what `encode` throws refuses the transition, what `decode` throws holds the run, and makes a task a
 * dead letter; neither message may carry keys or payloads.
 */
export interface PayloadCodec {
  /** Lower-case letters, digits and "-". */
  readonly name: string;
  /** The new bytes, or null to leave these as they are. */
  encode(bytes: Uint8Array, place: PayloadPlace): MaybePromise<Uint8Array | null>;
  /**
   * The bytes that `encode` got for this place. Throws for any other place, and for bytes that it did not make.
   */
  decode(bytes: Uint8Array, place: PayloadPlace): MaybePromise<Uint8Array>;
}
