import type { RunId } from "./ids.ts";
import type { Payload } from "./payload.ts";

/**
 * What can be put into a run's inbox:
 * `signal` name is the signal's · `event` name is the waiting call, data a StoredEvent ·
 * `child` name is the parent's call, data a ChildOutcome · `cancel` data is the reason ·
 * `approval` name is the waiting call, data a Decision ·
 * `start` name is the call that asked for a detached run of a key, data a ChildOutcome whose output is its id.
 */
export type MessageKind = "signal" | "event" | "child" | "cancel" | "approval" | "start";

/** A message to one run. */
export interface Message {
  /** The run that gets it. */
  readonly to: RunId;
  /** See MessageKind. */
  readonly kind: MessageKind;
  /** By kind; empty for `cancel`. */
  readonly name: string;
  /** Who sent it: a run id, or empty for a client. */
  readonly from: string;
  /** By kind. */
  readonly data: Payload;
}

/** A message in the inbox of its run. */
export interface InboxRow extends Message {
  /** 1 for the first message that the run ever got. */
  readonly seq: number;
}
