import { ENTRY_KINDS, type Payload } from "../../protocol/index.ts";
import { type KeyState, STATE_READ } from "../key-state.ts";
import { record } from "../record.ts";
import type { RunState } from "../run-state.ts";
import { takeRecorded } from "./take-recorded.ts";

/**
 * The state of the run's key as its code sees it. What others may have set is recorded, so that each
 * replay sees the same; what the run itself read or set before follows from its code. `initial`
 * stands for a state that nobody has set.
 */
export function readKeyState(
  run: RunState,
  keyState: KeyState,
  call: string,
  initial: () => Payload,
  nowMs: number,
): Payload {
  const entry = takeRecorded(run, call, STATE_READ, "");
  if (entry !== null) return look(keyState, entry.data, entry.attempt - 1);
  const { known, passes, lookedAt } = keyState;
  const isReplayed = run.replaying && (run.replayLeft > 0 || run.recorded.size > 0);
  if (known !== null && (lookedAt === passes || isReplayed)) return known;
  const current = keyState.current === "" ? initial() : keyState.current;
  if (run.recorded.size > 0) {
    // The journal has calls that come later, but not this one.
    run.divergence ??= { call, recorded: "nothing", asked: STATE_READ };
    return current;
  }
  record(run, ENTRY_KINDS.stateRead, { id: call, attempt: passes + 1, print: "" }, current, nowMs);
  return look(keyState, current, passes);
}

function look(keyState: KeyState, state: Payload, passes: number): Payload {
  keyState.known = keyState.forgets ? null : state;
  keyState.lookedAt = passes;
  return state;
}
