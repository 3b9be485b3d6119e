import type { ENTRY_KINDS, Payload, StoredKey } from "../protocol/index.ts";

/** Names of the two ways to ask for the state of a key, as a divergence shows them. */
export const STATE_READ = "read of the state";
/** See STATE_READ. */
export const STATE_SET = "change of the state";

/** The state of a run's key, in one activation of the run. */
export interface KeyState {
  /** The state as the store has it, or will have it after the next transition; empty when none was set. */
  current: Payload;
  /**
   * What the code read or set last, as far as each replay will know it too: then a read needs no record. Null
   * before that, and for good once the run has asked for a checkpoint, which removes records.
   */
  known: Payload | null;
  /** True once the run has asked for a checkpoint. */
  forgets: boolean;
  /** How often others were let past this run. */
  readonly passes: number;
  /** That number when it last read or set the state; null when it never did. */
  lookedAt: number | null;
  /** Reads and changes that are recorded at the close of the turn, or when the replay has ended. */
  pending: PendingLook[];
}

/** A read or change of the state that has no record yet. */
export interface PendingLook {
  readonly kind: typeof ENTRY_KINDS.stateRead | typeof ENTRY_KINDS.stateSet;
  readonly call: string;
  readonly print: string;
  readonly state: Payload;
}

/** What a store knows of the state of a run's key. */
export type KeyView = Pick<StoredKey, "state" | "passes">;

/** What an activation begins with. */
export function keyStateOf({ state, passes }: KeyView): KeyState {
  return { current: state, known: null, forgets: false, passes, lookedAt: null, pending: [] };
}

/** From now on records may be removed: each read is recorded. */
export function forgetKnown(keyState: KeyState): void {
  keyState.known = null;
  keyState.forgets = true;
}
