import { ClawError, ENTRY_KINDS, fingerprint, type Payload } from "../../protocol/index.ts";
import { rareOf } from "../draft.ts";
import { type KeyState, STATE_SET } from "../key-state.ts";
import { record } from "../record.ts";
import { draftOf, type RunState } from "../run-state.ts";
import { takeRecorded } from "./take-recorded.ts";

/**
 * Sets the state of the run's key; it rides in the next transition. Errors: CLAW-2043 others were let past
 * the run since it looked at the state last: what it sets may stand on what is not true any more. False when it would
 * have to be recorded but `mayRecord` is false.
 */
export function setKeyState(
  run: RunState,
  keyState: KeyState,
  call: string,
  state: Payload,
  mayRecord: boolean,
): boolean {
  const print = fingerprint(state);
  const entry = takeRecorded(run, call, STATE_SET, print);
  const { passes, lookedAt, forgets } = keyState;
  if (entry === null) {
    // Thrown again at each replay: it leaves no record.
    if (lookedAt !== null && lookedAt < passes) {
      throw new ClawError("CLAW-2043", `Others were let past ${run.start.id} while it was held`);
    }
    if (!mayRecord) return false;
    keyState.pending.push({ kind: ENTRY_KINDS.stateSet, call, print, state });
    keyState.current = state;
  }
  keyState.known = forgets ? null : state;
  keyState.lookedAt = entry === null ? passes : entry.attempt - 1;
  return true;
}

/** Records what the code has read and set. Called at the close of a turn, once the replay has ended. */
export function settleKeyState(run: RunState, nowMs: number): void {
  const { keyState } = run;
  if (keyState === null || keyState.pending.length === 0) return;
  // What code set that is not that of the journal must not be handed on.
  if (run.divergence !== null) return;
  const attempt = keyState.passes + 1;
  for (const { kind, call, print, state } of keyState.pending.splice(0)) {
    const isRead = kind === ENTRY_KINDS.stateRead;
    record(run, kind, { id: call, attempt, print }, isRead ? state : "", nowMs);
    if (isRead) continue;
    const { namespace, workflow, keyed } = run.start;
    rareOf(draftOf(run)).keyState = { namespace, workflow, key: keyed?.key ?? "", state };
  }
}
