import { type Entry, ENTRY_KINDS } from "../protocol/index.ts";
import { knownEntries } from "./records.ts";
import type { RunState } from "./run-state.ts";
import { forgetKnown } from "./key-state.ts";
import { isWithin, type Scope } from "./scope.ts";

/** The checkpoints of a run that are under way; made with the first one. */
export interface Loops {
  /** Calls of the checkpoints under way. */
  readonly open: Set<string>;
  /** The number from which on `entries` has all that the journal has. */
  from: number;
  entries: Entry[];
}

/** Code asks for a checkpoint: from now on its entries are kept in mind, to be removed. */
export function openLoop(run: RunState, call: string): void {
  if (run.keyState !== null) forgetKnown(run.keyState);
  const known = knownEntries(run);
  const first = known.find((entry) => belongsTo(entry, call))?.seq ?? run.seq + 1;
  const { loops } = run;
  if (loops === null) {
    const entries = known.filter(({ seq }) => seq >= first);
    run.loops = { open: new Set([call]), from: first, entries };
    return;
  }
  loops.open.add(call);
  if (first >= loops.from) return;
  const missing = known.filter(({ seq }) => seq >= first && seq < loops.from);
  loops.entries = [...missing, ...loops.entries];
  loops.from = first;
}

/** A checkpoint has ended, or was left by an error. */
export function closeLoop(run: RunState, call: string): void {
  run.loops?.open.delete(call);
  if (run.loops?.open.size === 0) run.loops = null;
}

/**
 * True for the entries of a checkpoint: what was saved last, and those of its iterations. That a decision was not used
 * is told to people and stays.
 */
export function belongsTo(entry: Entry, call: string): boolean {
  if (entry.kind === ENTRY_KINDS.decisionUnused) return false;
  return entry.call === call || entry.call.startsWith(`${call}/`);
}

/** The call of the innermost checkpoint under way that a scope lies in, or null. */
export function loopAround(run: RunState, scope: Scope): string | null {
  let found: string | null = null;
  for (const call of run.loops?.open ?? []) {
    const within = scope.path.startsWith(`${call}/`);
    if (within && (found === null || found.length < call.length)) found = call;
  }
  return found;
}

/** What would outlive a scope that ends: an open call, or a step whose undo is still owed; or null. */
export function whatOutlives(run: RunState, scope: Scope): string | null {
  for (const call of run.open) if (isWithin(call.scope, scope)) return `the open call "${call.id}"`;
  for (const call of run.children?.awaited ?? []) {
    if (isWithin(call.scope, scope)) return `the child of "${call.id}", which the run waits for`;
  }
  const { undo } = run;
  if (undo === null) return null;
  const owed = [...undo.lingering, ...undo.completed.map(({ call }) => call)];
  const found = owed.find((call) => isWithin(call.scope, scope));
  return found === undefined ? null : `the undo of "${found.id}"`;
}
