import { ENTRY_KINDS } from "../../protocol/index.ts";
import { evolutionOf } from "../evolution.ts";
import { record } from "../record.ts";
import { firstUnasked } from "../records.ts";
import type { RunState } from "../run-state.ts";

/**
 * The code of a run declares which patches it knows and which calls it has inserted. A run without any
 * record is begun by this code, so it has all these patches.
 */
export function declareChanges(
  run: RunState,
  patches: readonly string[],
  inserts: readonly string[],
  nowMs: number,
): void {
  run.evolution = { ...evolutionOf(run), inserts: new Set(inserts) };
  if (run.seq > 0) return;
  for (const id of patches) if (!run.evolution.patches.has(id)) mark(run, id, nowMs);
}

/**
 * Whether a run takes the new way of a patch: with its marker, or at its first question with nothing
 * undelivered. The marker is durable before anything begins that stands on it.
 */
export function isPatched(run: RunState, id: string, nowMs: number): boolean {
  const { patches } = evolutionOf(run);
  const known = patches.get(id);
  if (known !== undefined) return known;
  const undelivered = run.replaying && (run.replayLeft > 0 || firstUnasked(run) !== null);
  if (!undelivered && run.divergence === null) {
    mark(run, id, nowMs);
    return true;
  }
  // Nothing is written: what is undelivered now stands in the journal at each later replay too.
  patches.set(id, false);
  return false;
}

function mark(run: RunState, id: string, nowMs: number): void {
  evolutionOf(run).patches.set(id, true);
  record(run, ENTRY_KINDS.patchTaken, null, JSON.stringify(id), nowMs);
}
