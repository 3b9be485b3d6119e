import { ClawError, type ErrorRecord } from "./errors.ts";
import { hash128 } from "./hash.ts";
import type { RunId } from "./ids.ts";
import { type ChildOutcome, type Entry, ENTRY_KINDS } from "./journal.ts";
import { NAME_CHARS_MAX } from "./limits.ts";
import type { Payload } from "./payload.ts";

/** What becomes of a key whose first run is held: `block` it waits, `skip` the next run goes on. */
export type HeldHead = "block" | "skip";

/** What makes a run one of a key. */
export interface RunKey {
  /** 1 to 200 characters. */
  readonly key: string;
  /** Most runs that may wait for the key. */
  readonly waitingMax: number;
  /** What becomes of the others while the run that has the key is held. */
  readonly onHeldHead: HeldHead;
}

/**
 * Where a run stands in the queue of its key: `head` it has the key · `waiting` its turn will come · `aside` it
 * was held while it had the key, and others were let past · `ended` it wants the key no more.
 */
export type KeyPlace = "head" | "waiting" | "aside" | "ended";

/** The key of a stored run. */
export interface StoredKey extends RunKey {
  /** Runs of a key go in the order of these numbers. */
  readonly seq: number;
  /** Where its run stands. */
  readonly place: KeyPlace;
  /** How often others were let past. */
  readonly passes: number;
  /** State of the key; empty when none was set. */
  readonly state: Payload;
}

/** What names a key: the same text in another namespace or of another workflow is another key. */
export interface KeyName {
  /** Keys of another one are others. */
  readonly namespace: string;
  /** Name of the workflow, in any version. */
  readonly workflow: string;
  /** 1 to 200 characters. */
  readonly key: string;
}

/** A new state of a key; empty for none. */
export interface KeyChange extends KeyName {
  /** Takes the place of the one before. */
  readonly state: Payload;
}

/** A key that has a state or runs. */
export interface KeyRecord extends KeyName {
  /** Empty when none was set. */
  readonly state: Payload;
  /** The run that has the key; empty for none. */
  readonly head: RunId | "";
  /** Runs that wait for it. */
  readonly waiting: number;
  /** The first of them, in their order. */
  readonly next: readonly RunId[];
}

/** A run in the queue of its key, as people see it. */
export interface KeyLine {
  /** 1 to 200 characters. */
  readonly key: string;
  /** Its number in the queue; lower ones are first. */
  readonly seq: number;
  /** Where it stands. */
  readonly place: KeyPlace;
  /** The run right before it, while it waits; else empty. */
  readonly behind: RunId | "";
}

/** A run that a store did not create: nothing of it was written. */
export interface RefusedStart {
  /** The id that it would have had. */
  readonly run: RunId;
  /** Name of its workflow. */
  readonly workflow: string;
  /** Its key. */
  readonly key: string;
  /** `mailbox`: as many runs wait as may · `deadlock`: it would wait for a key that its own ancestor holds. */
  readonly why: "mailbox" | "deadlock";
  /** When there may be room, from now, milliseconds; 0 for a deadlock. */
  readonly retryAfterMs: number;
}

const RETRY_AFTER_MS_MIN = 100;
const RETRY_AFTER_MS_MAX = 60_000;

/**
 * When to try again at a full mailbox: a place is free when the head has ended, which takes about as long as
 * those before it took (`turnMs`, 0 for not known).
 */
export function retryAfterMs(turnMs: number): number {
  return Math.min(Math.max(Math.round(turnMs), RETRY_AFTER_MS_MIN), RETRY_AFTER_MS_MAX);
}

/** The time that runs hold a key, smoothed: `beforeMs` is what was known, 0 for nothing. */
export function smoothedTurnMs(beforeMs: number, lastMs: number): number {
  const last = Math.max(1, lastMs);
  return Math.round(beforeMs === 0 ? last : (beforeMs * 7 + last) / 8);
}

/** The error of a start that was refused: CLAW-2041 or CLAW-2042. */
export function refusedStartError(refused: RefusedStart): ClawError {
  const { workflow, key, why, retryAfterMs: ms } = refused;
  const of = `the key ${JSON.stringify(key)} of "${workflow}"`;
  if (why === "deadlock") {
    return new ClawError("CLAW-2042", `The run would wait for ${of}, which its ancestor holds`, {
      details: { workflow, key },
    });
  }
  return new ClawError("CLAW-2041", `The mailbox of ${of} is full; try again in ${ms} ms`, {
    details: { workflow, key, retryAfterMs: ms },
  });
}

/** What the run that asked for a start is told when it was refused. */
export function refusedOutcome(refused: RefusedStart): ChildOutcome {
  const { name, message, code, details } = refusedStartError(refused);
  const error: ErrorRecord = { name, message, code, details };
  return { status: "failed", error };
}

/** The key of a run whose journal is replayed apart from its store: what it saw of the state stands in its journal. */
export function keyForReplay(key: string, journal: Iterable<Entry>): StoredKey {
  let passes = 0;
  for (const { kind, attempt } of journal) {
    if (kind !== ENTRY_KINDS.stateRead && kind !== ENTRY_KINDS.stateSet) continue;
    passes = Math.max(passes, attempt - 1);
  }
  return { key, waitingMax: 0, onHeldHead: "block", seq: 1, place: "head", passes, state: "" };
}

/** Checks a key and gives it back: text of 1 to 200 characters without control characters. Errors: CLAW-1008. */
export function checkKey(key: unknown, what: string): string {
  const isKey =
    typeof key === "string" &&
    key !== "" &&
    key.length <= NAME_CHARS_MAX &&
    key.isWellFormed() &&
    !/\p{Cc}/u.test(key);
  if (isKey) return key;
  const shown = typeof key === "string" ? JSON.stringify(key) : String(key);
  throw new ClawError("CLAW-1008", `${what}: the key ${shown} is not valid`);
}

/** What the bytes of a key's large state belong to, in place of a run: the same for the same key. */
export function keyOwner({ namespace, workflow, key }: KeyName): string {
  const words = hash128([namespace, workflow, key].join("\u001f"));
  return `key_${words.map((word) => word.toString(36).padStart(7, "0")).join("")}`;
}
