import type { ChunkBlock, RunId, StreamHead } from "../protocol/index.ts";
import type { MaybePromise } from "./store.ts";

/** What a transition writes to the streams of its run. */
export interface StreamChanges {
  /** New blocks; a number that the run has already is refused with the transition. */
  readonly blocks: readonly ChunkBlock[];
  /** The streams that changed, as they stand now. */
  readonly heads: readonly StreamHead[];
}

/** Which chunks of a run to read, in the order of their numbers. */
export interface ChunkQuery {
  /** Whose chunks. */
  readonly run: RunId;
  /** A run of another one is unknown. Default: all. */
  readonly namespace?: string;
  /** Default: all streams of the run. */
  readonly stream?: string;
  /** Chunks with greater numbers; the block that it lies in is answered whole. */
  readonly after: number;
  /** Blocks at most. */
  readonly limit: number;
}

/** A part of the streams of a run. */
export interface ChunkPage {
  /** In the order of their numbers. */
  readonly blocks: readonly ChunkBlock[];
  /** All streams of the run as they stand, by name. */
  readonly heads: readonly StreamHead[];
  /** True once the run has ended: nothing is written any more. */
  readonly ended: boolean;
}

/** Reading the streams of runs, open and closed. */
export interface StreamReads {
  /** Null for an unknown run. */
  read(query: ChunkQuery): MaybePromise<ChunkPage | null>;
}
