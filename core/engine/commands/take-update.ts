import { ENTRY_KINDS, type Payload } from "../../protocol/index.ts";
import { record, recordAnswer } from "../record.ts";
import { extrasOf } from "../draft.ts";
import { draftOf, type RunState } from "../run-state.ts";
import { updateCall, updatesOf } from "../updates.ts";

/** Takes a checked update: it is recorded and delivered in its turn. Never during replay. */
export function takeUpdate(
  run: RunState,
  call: string,
  print: string,
  input: Payload,
  nowMs: number,
): void {
  const update = updateCall(run, call, print);
  updatesOf(run).taken.set(call, { print, ended: false, outcome: null });
  recordAnswer(run, ENTRY_KINDS.updateTaken, update, input, nowMs);
}

/** Records the ends of handlers, unless an earlier life has recorded them. */
export function endUpdates(run: RunState, nowMs: number): void {
  const { updates } = run;
  if (updates === null || updates.ended.length === 0) return;
  for (const { call, outcome } of updates.ended.splice(0)) {
    const taken = updates.taken.get(call.id);
    if (taken === undefined || taken.ended) continue;
    taken.ended = true;
    record(run, ENTRY_KINDS.updateEnded, call, JSON.stringify(outcome), nowMs);
    const extras = extrasOf(draftOf(run));
    extras.updates ??= [];
    extras.updates.push({ call: call.id, outcome });
  }
}
