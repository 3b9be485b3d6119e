import type { ErrorRecord } from "./errors.ts";
import type { RunId } from "./ids.ts";
import type { KeyLine, RunKey, StoredKey } from "./key.ts";
import type { Entry } from "./journal.ts";
import type { Payload } from "./payload.ts";

/** How a run ended. */
export type ClosedStatus = "completed" | "failed" | "cancelled" | "compensated" | "terminated";

/**
 * Why an open run is held back from running, until new code or a person releases it:
 * `diverged` code and journal disagree · `bug` a programming error in workflow code · `stuck` code
 * that waits for nothing durable · `no_code` nobody here defines its workflow and version · `paused` an
 * operator stopped it · `quarantined` the processes that took it up ended, again and again · `unreadable`
 * something that it stored cannot be decoded here · `queued` another run has its key: the end of that one
 * releases it, nobody else can.
 */
export type Hold =
  | "diverged"
  | "bug"
  | "stuck"
  | "no_code"
  | "paused"
  | "quarantined"
  | "unreadable"
  | "queued";

/**
 * What becomes of an attached child when its parent does not wait for it any more: `cancel` it is asked to stop ·
 * `abandon` it goes on by itself · `wait` the parent does not end before it.
 */
export type OnParentEnd = "cancel" | "abandon" | "wait";

/** A part of a run's life that people want to see: `compensating` it undoes what it did. */
export type Phase = "compensating";

/** A small fact of a run, by which runs are found; compared as text. */
export type AttributeValue = string | number | boolean;

/** Small facts of a run by name. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Facts to be set; null takes one away. */
export type AttributeChanges = Readonly<Record<string, AttributeValue | null>>;

/** What a run is doing, as shown to people. */
export type RunStatus = "running" | "waiting" | Phase | Hold | ClosedStatus;

/** All that is written when a run begins: the row is the start entry. */
export interface StartRow {
  /** "run_" and 26 characters; ids are in the order of starts. */
  readonly id: RunId;
  /** The one that it belongs to. */
  readonly namespace: string;
  /** Name of its workflow. */
  readonly workflow: string;
  /** Version of its workflow. */
  readonly version: number;
  /** Checked by the schema. */
  readonly input: Payload;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Whom to tell of the end; empty for none. */
  readonly parentRun: RunId | "";
  /** The call that waits for it; empty for none. */
  readonly parentCall: string;
  /** What started it: "" for a client, else "event SOURCE ID" or the starting run's id. */
  readonly cause: string;
  /** Absent for a run without a key. */
  readonly keyed?: RunKey;
  /** Its trace as it came with the start (`traceOfHeaders`); absent where it is derived. */
  readonly trace?: string;
}

/** The row of an open run. */
export interface RunRow extends StartRow {
  /** Absent for a run without a key. */
  readonly keyed?: StoredKey;
  /** Entries recorded when the row was last written; the journal may be ahead. */
  readonly seq: number;
  /** Messages ever put into its inbox. */
  readonly inboxSeq: number;
  /**
   * When it is owed a look, milliseconds since 1970: 0 while a process holds it, 1 at once,
   * null when only a message can wake it.
   */
  readonly due: number | null;
  /** Open waits for something else than time. */
  readonly waits: number;
  /** What its code is doing besides running; empty for nothing. */
  readonly phase: Phase | "";
  /** Processes in a row that ended while they held it, without progress of the run in between. */
  readonly recoveries: number;
  /** Empty when it is not held. */
  readonly held: Hold | "";
  /** Why it is held; empty otherwise. */
  readonly heldReason: string;
}

/** The end of a run. */
export interface Ending {
  /** How it ended. */
  readonly status: ClosedStatus;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  /** Empty unless completed. */
  readonly output: Payload;
  /** Null for a completed run. */
  readonly error: ErrorRecord | null;
  /** Calls that were open at the end; their late results are refused. */
  readonly abandoned: readonly string[];
}

/** One line about a run, open or closed. */
export interface RunSummary {
  /** "run_" and 26 characters; ids are in the order of starts. */
  readonly id: RunId;
  /** The one that it belongs to. */
  readonly namespace: string;
  /** Name of its workflow. */
  readonly workflow: string;
  /** Version of its workflow. */
  readonly version: number;
  /** What it is doing, or how it ended. */
  readonly status: RunStatus;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds since 1970; null while it is open. */
  readonly endedAt: number | null;
  /** The run that waits for it; empty for none. */
  readonly parentRun: RunId | "";
  /** What started it: "" for a client, else "event SOURCE ID" or the starting run's id. */
  readonly cause: string;
  /** Why it is held or how it failed; empty otherwise. */
  readonly reason: string;
  /** What its code set with `ctx.attributes`. */
  readonly attributes: Attributes;
}

/** An ended generation of a run that went on with `ctx.continueAs`; its journal is kept. */
export interface Generation {
  /** From 1. */
  readonly generation: number;
  /** What it began with. */
  readonly input: Payload;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  /** All its entries. */
  readonly journal: readonly Entry[];
}

/** A run with everything recorded about it. */
export interface RunRecord extends RunSummary {
  /** What it was started with. */
  readonly input: Payload;
  /** Empty unless completed. */
  readonly output: Payload;
  /** Of a run that ended badly; else null. */
  readonly error: ErrorRecord | null;
  /** Calls that were open at the end; empty while it is open. */
  readonly abandoned: readonly string[];
  /**
   * When it is owed a look, milliseconds since 1970: 0 while a process holds it, 1 at once, null when only a
   * message can wake it.
   */
  readonly due: number | null;
  /** All entries, in their order. */
  readonly journal: readonly Entry[];
  /** Its ended generations, oldest first; absent for a run that never used `ctx.continueAs`. */
  readonly generations?: readonly Generation[];
  /** Absent for a run without a key. */
  readonly queue?: KeyLine;
  /** The call of its parent that waits for it; empty for none. */
  readonly parentCall: string;
  /** Its trace as it came with the start; absent where it is derived. */
  readonly trace?: string;
}
