import { ClawError, ENTRY_KINDS, fingerprint, type Payload } from "../../protocol/index.ts";
import { rareOf } from "../draft.ts";
import { type KeyState, STATE_SET } from "../key-state.ts";
import { record } from "../record.ts";
import { draftOf, type RunState } from "../run-state.ts";
import { takeRecorded } from "./take-recorded.ts";

/**
 * Sets the state of the run's key; it rides in the next transition. Errors: CLAW-2043 others were let past
 * the run since it looked at the state last: what it sets may stand on what is not true any more.
 */
export function setKeyState(
  run: RunState,
  keyState: KeyState,
  call: string,
  state: Payload,
  nowMs: number,
): void {
  const print = fingerprint(state);
  const entry = takeRecorded(run, call, STATE_SET, print);
  const { passes, lookedAt, forgets } = keyState;
  if (entry !== null) {
    keyState.known = forgets ? null : state;
    keyState.lookedAt = entry.attempt - 1;
    return;
  }
  // Thrown again at each replay: it leaves no record.
  if (lookedAt !== null && lookedAt < passes) {
    throw new ClawError("CLAW-2043", `Others were let past ${run.start.id} while it was held`);
  }
  if (run.recorded.size > 0) {
    // The journal has calls that come later, but not this one.
    run.divergence ??= { call, recorded: "nothing", asked: STATE_SET };
    return;
  }
  record(run, ENTRY_KINDS.stateSet, { id: call, attempt: passes + 1, print }, "", nowMs);
  const { namespace, workflow, keyed } = run.start;
  rareOf(draftOf(run)).keyState = { namespace, workflow, key: keyed?.key ?? "", state };
  keyState.current = state;
  keyState.known = forgets ? null : state;
  keyState.lookedAt = passes;
}
