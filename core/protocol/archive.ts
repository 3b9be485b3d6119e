import type { RunKey } from "./key.ts";
import type { InboxRow } from "./message.ts";
import type { Payload } from "./payload.ts";
import type { ChunkBlock, StreamHead } from "./stream.ts";
import type { Ending, Generation, Hold, Phase, Attributes, StartRow } from "./run.ts";
import type { Entry } from "./journal.ts";

/**
 * Version of what an archive may hold: raised with every new kind of entry, message, hold or status, so that an
 * earlier version refuses what it does not know.
 */
export const ARCHIVE_VERSION = 1;

/** What an open run has besides its journal. */
export interface OpenState {
  /** What its code is doing besides running; empty for nothing. */
  readonly phase: Phase | "";
  /** Empty when it is not held. */
  readonly held: Hold | "";
  /** Why it is held; empty otherwise. */
  readonly heldReason: string;
  /** Messages that were not taken yet, by number. */
  readonly inbox: readonly InboxRow[];
  /** Null for a run that has no key, or wants it no more. */
  readonly key: ArchivedKey | null;
}

/** The place of an open run in the queue of its key. */
export interface ArchivedKey extends RunKey {
  /** Runs of a key go in the order of these numbers. */
  readonly seq: number;
  /** State of the key; empty when none was set. */
  readonly state: Payload;
}

/** What a run wrote to its streams. */
export interface ArchivedStreams {
  /** The streams as they stand, by name. */
  readonly heads: readonly StreamHead[];
  /** Their chunks, in the order of their numbers. */
  readonly blocks: readonly ChunkBlock[];
}

/** A client's request that started a run; its repetition meets the run until it expires. */
export interface StartRequest {
  /** Namespace, operation, workflow and the client's key, joined. */
  readonly scope: string;
  /** Fingerprint of what was asked. */
  readonly print: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * All that a store keeps of one run, payloads as they are stored. What follows from its code is not in it:
 * subscriptions, approvals, due times and the numbers of inbox rows are made again where it goes on.
 */
export interface RunArchive {
  /** As it was written at the start. */
  readonly start: StartRow;
  /** Number of its last entry, removed ones included. */
  readonly seq: number;
  /** All entries, in their order. */
  readonly journal: readonly Entry[];
  /** Ended generations, oldest first. */
  readonly generations: readonly Generation[];
  /** What its code set with `ctx.attributes`. */
  readonly attributes: Attributes;
  /** The run's key, also of one that has ended; empty for a run without one. */
  readonly keyName: string;
  /** What it wrote; without heads and blocks for none. */
  readonly streams: ArchivedStreams;
  /** Null once it has ended. */
  readonly open: OpenState | null;
  /** Null while it is open. */
  readonly ending: Ending | null;
  /** The request that started it; null when none is remembered. */
  readonly request: StartRequest | null;
}
