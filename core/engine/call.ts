import type {
  AttributeChanges,
  OnParentEnd,
  Payload,
  StartRow,
  StoredEvent,
} from "../protocol/index.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Scope } from "./scope.ts";
import type { StreamBounds } from "./streams.ts";

/**
 * What a call asks for, with all that is needed to begin it. A `bare` wait has no timeout and answers the
 * value itself instead of a tagged result.
 */
export type Plan =
  | {
      readonly kind: "step";
      readonly retry: RetryPolicy;
      readonly timeoutMs: number;
      /** 0: no limit. */
      readonly heartbeatMs: number;
      /** The queue whose slots its attempts take; "" for none. */
      readonly queue: string;
      /** The lowest is first in its queue. */
      readonly rank: number;
      /** It has an undo: how it ended is wanted even after its scope was closed. */
      readonly undoable: boolean;
      /** Cancellation does not close it. */
      readonly shielded: boolean;
    }
  | { readonly kind: "sleep" }
  | { readonly kind: "signal"; readonly name: string; readonly bare: boolean }
  | {
      readonly kind: "event";
      readonly type: string;
      readonly shape: string;
      readonly key: string;
      readonly bare: boolean;
    }
  | { readonly kind: "child"; readonly row: StartRow; readonly onParentEnd: OnParentEnd }
  | { readonly kind: "emit"; readonly event: StoredEvent; readonly triggered: readonly StartRow[] }
  | { readonly kind: "start"; readonly row: StartRow }
  | { readonly kind: "checkpoint"; readonly note: Payload }
  | {
      readonly kind: "stream";
      readonly stream: string;
      /** The chunk, encoded; null closes the stream. */
      readonly value: Payload | null;
      readonly bounds: StreamBounds;
    }
  | { readonly kind: "attributes"; readonly values: AttributeChanges }
  /** Facts of the span that the scope of the call is. */
  | { readonly kind: "span"; readonly attributes: Payload }
  | {
      readonly kind: "approval";
      readonly title: string;
      readonly form: Payload;
      readonly assignees: readonly string[];
      readonly bare: boolean;
    }
  /** Not asked for by code: a client's update, whose answer goes to the handler of that name. */
  | { readonly kind: "update"; readonly name: string };

/** A durable call of workflow code, from asking to its end. */
export interface Call {
  /** Identity: scope path and segment. */
  readonly id: string;
  readonly scope: Scope;
  readonly plan: Plan;
  /** Fingerprint of what is declared; a record with another one is a divergence. */
  readonly print: string;
  /** False once it was answered or closed. */
  open: boolean;
  /** True once its answer stands in the journal, on its way to the code: no second one is recorded. */
  answered: boolean;
  /** True once it went live: after replay, in the turn's close. */
  begun: boolean;
  /** True while a body of it runs (kept by the runtime). */
  running: boolean;
  /** Number of the turn in which the code asked for it. */
  askedIn: number;
  /** The current or next attempt, from 1. */
  attempt: number;
  /** When time acts on it, milliseconds since 1970: end of sleep, timeout, next attempt; 0 for never. */
  dueAt: number;
  /** Answers the author's promise. */
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Its neighbours among the open calls of its run. */
  before: Call | null;
  after: Call | null;
}
