import type { Payload } from "./payload.ts";

/** What one writer put into one stream at once: chunks whose numbers follow one another. */
export interface ChunkBlock {
  /** Name of the stream. */
  readonly stream: string;
  /** Number of its first chunk, from 1; numbers rise over all streams of a run. */
  readonly seq: number;
  /** Number of its chunks, from 1. */
  readonly count: number;
  /** The call that wrote it. */
  readonly call: string;
  /** The attempt that wrote it, from 1. */
  readonly attempt: number;
  /**
   * Number of the first chunk that this start of the call's body wrote to this stream. A body that begins again,
   * as a new attempt or after a crash, has another one.
   */
  readonly first: number;
  /** When it was written, milliseconds since 1970. */
  readonly at: number;
  /** A JSON array of the values. */
  readonly data: Payload;
}

/** How far a stream of a run has come. */
export interface StreamHead {
  /** Name of the stream. */
  readonly name: string;
  /** Chunks in it. */
  readonly chunks: number;
  /** Bytes of their values. */
  readonly bytes: number;
  /** Number of its last chunk; 0 for none. */
  readonly last: number;
  /** True once workflow code closed it: nothing follows. */
  readonly closed: boolean;
}
