import type { RunId } from "../protocol/index.ts";
import type { MaybePromise } from "./store.ts";

/** Bytes that are too large for a row of a journal; a payload of their run refers to them. */
export interface NewBlob {
  /** Place in the batch of the item that refers to them: they are written with it, or not at all. */
  readonly item: number;
  /** The run or standalone task that it belongs to and goes with. */
  readonly run: RunId;
  /** Unique within the run. */
  readonly id: string;
  /** What is stored, as it is. */
  readonly bytes: Uint8Array;
}

/** A part of bytes that are too large for a row of a journal. */
export interface BlobPart {
  /** The run that will refer to it. */
  readonly run: RunId;
  /** Unique within the run. */
  readonly id: string;
  /** Place of the part, from 0; the first takes the place of all that was there under this id. */
  readonly n: number;
  /** What is stored, as it is. */
  readonly bytes: Uint8Array;
}

/** Large payloads. They are written by `Store.commit`, and a second one of the same id replaces the first. */
export interface BlobStore {
  /** The bytes, or null when there are none of this id. */
  read(run: RunId, id: string): MaybePromise<Uint8Array | null>;
  /**
   * Writes a part of a large payload ahead of the run that will refer to it, durably. Nothing refers to it before that run is
   * committed; whoever gives up removes it.
   */
  stage(part: BlobPart): MaybePromise<void>;
  /** Removes all bytes of these runs: whoever deletes runs calls it. Answers how many blobs went. */
  remove(runs: readonly RunId[]): MaybePromise<number>;
}
