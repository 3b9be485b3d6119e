import { ENTRY_KINDS, type Payload } from "../../protocol/index.ts";
import { type KeyState, STATE_READ } from "../key-state.ts";
import { firstUnasked } from "../records.ts";
import type { RunState } from "../run-state.ts";
import { takeRecorded } from "./take-recorded.ts";

/**
 * The state of the run's key as its code sees it. What others may have set is recorded, so that each
 * replay sees the same; what the run itself read or set before follows from its code. `initial`
 * stands for a state that nobody has set. Null when it would have to be recorded but `mayRecord` is false.
 */
export function readKeyState(
  run: RunState,
  keyState: KeyState,
  call: string,
  initial: () => Payload,
  mayRecord: boolean,
): Payload | null {
  const entry = takeRecorded(run, call, STATE_READ, "");
  if (entry !== null) return look(keyState, entry.data, entry.attempt - 1);
  const { known, passes, lookedAt } = keyState;
  const isReplayed = run.replaying && (run.replayLeft > 0 || firstUnasked(run) !== null);
  if (known !== null && (lookedAt === passes || isReplayed)) return known;
  if (!mayRecord) return null;
  const state = keyState.current === "" ? initial() : keyState.current;
  keyState.pending.push({ kind: ENTRY_KINDS.stateRead, call, print: "", state });
  return look(keyState, state, passes);
}

function look(keyState: KeyState, state: Payload, passes: number): Payload {
  keyState.known = keyState.forgets ? null : state;
  keyState.lookedAt = passes;
  return state;
}
