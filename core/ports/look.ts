import type {
  KeyName,
  KeyRecord,
  RunArchive,
  RunId,
  RunSummary,
  StartRequest,
} from "../protocol/index.ts";
import type { MaybePromise } from "./store.ts";
import type { RunQuery } from "./store-reads.ts";

/**
 * A look at one state of a store, for whoever reads much of it: all answers are of the moment at which it was
 * opened, while work goes on beside it. What it holds back from the store (a log that
 * cannot be cut, memory) is given back with `close`, which is idempotent.
 */
export interface StoreLook {
  /** Runs that a query names, newest first. */
  list(query: RunQuery): MaybePromise<readonly RunSummary[]>;
  /** Everything about a run but its request and its large payloads; null when unknown. Errors: CLAW-4002. */
  archive(id: RunId): MaybePromise<Omit<RunArchive, "request"> | null>;
  /** Open runs that a run started and waits for. */
  openChildren(id: RunId): MaybePromise<readonly RunId[]>;
  /** A key with its state and whoever has it; null when there is nothing of it. */
  key(name: KeyName): MaybePromise<KeyRecord | null>;
  /** The requests that started these runs, by run. */
  requests(runs: ReadonlySet<RunId>): MaybePromise<ReadonlyMap<RunId, StartRequest>>;
  /** The bytes of a large payload in parts, in order; none when there is no such payload. */
  blob(run: RunId, id: string): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** The greatest number that an event was given; 0 for none. */
  readonly lastEvent: number;
  /** Idempotent. */
  close(): MaybePromise<void>;
}
