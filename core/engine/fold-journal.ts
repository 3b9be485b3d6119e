import {
  type ChildOutcome,
  decodePayload,
  type Entry,
  ENTRY_KINDS,
  type ForkNote,
  type GenerationNote,
  type Journal,
  type MoveNote,
} from "../protocol/index.ts";
import { evolutionOf } from "./evolution.ts";
import { NOTES, TRACES, TURNLESS } from "./records.ts";
import type { RunState } from "./run-state.ts";
import { rootScope } from "./scope.ts";
import { moveTo, subscriptionsOf } from "./subscriptions.ts";
import { updatesOf } from "./updates.ts";

/** Takes up a journal: what tells of the run as a whole is folded, calls wait to be asked for. */
export function foldJournal(run: RunState, journal: Journal): void {
  if (journal.length === 0) return;
  let calls = 0;
  let cancelsAhead = 0;
  for (let place = 0; place < journal.length; place++) {
    const kind = journal.kindAt(place);
    if (NOTES.has(kind)) {
      foldNote(run, journal.entryAt(place));
      continue;
    }
    if (kind === ENTRY_KINDS.cancelRequested) cancelsAhead++;
    else calls++;
    if (!TRACES.has(kind) && !TURNLESS.has(kind)) run.replayLeft++;
    if (kind === ENTRY_KINDS.updateTaken) foldNote(run, journal.entryAt(place));
  }
  const last = journal.entryAt(journal.length - 1);
  run.seq = last.seq;
  run.lastAt = last.at;
  run.replaying = calls > 0 || cancelsAhead > 0;
  if (!run.replaying) return;
  run.records = { journal, next: 0, found: new Map(), cancelsAhead, added: [] };
}

function foldNote(run: RunState, { seq, at, kind, call, print, data }: Entry): void {
  switch (kind) {
    case ENTRY_KINDS.generationBegan:
      // The time of its first turn, from which what it asks for there is counted.
      run.now = at;
      return beginGeneration(run, seq, decodePayload(data) as GenerationNote);
    case ENTRY_KINDS.patchTaken:
      evolutionOf(run).patches.set(String(decodePayload(data)), true);
      return;
    case ENTRY_KINDS.updateTaken:
      updatesOf(run).taken.set(call, { print, ended: false, outcome: null });
      return;
    case ENTRY_KINDS.updateEnded: {
      const update = updatesOf(run).taken.get(call);
      if (update === undefined) return;
      update.ended = true;
      update.outcome = decodePayload(data) as ChildOutcome;
      return;
    }
    case ENTRY_KINDS.undoPlanned:
      run.undoPlanned = true;
      return;
    case ENTRY_KINDS.moved:
      return moveTo(run, seq, decodePayload(data) as MoveNote);
    case ENTRY_KINDS.forked:
      run.seed = (decodePayload(data) as ForkNote).seed;
      return;
    default:
  }
}

// Calls of a later generation have ids of their own: keys of steps, children and emitted events differ, and
// late answers to calls of the one before meet nobody.
function beginGeneration(
  run: RunState,
  seq: number,
  { generation, events, after, approvals }: GenerationNote,
): void {
  run.generation = generation;
  run.root = { ...rootScope(), path: `/${generation}/` };
  for (const [key, number] of events ?? []) subscriptionsOf(run).cursor.set(key, number);
  if (approvals !== undefined) subscriptionsOf(run).earlier = new Map(approvals);
  if (after !== undefined) {
    subscriptionsOf(run).moved = { seq, floor: after, calls: new Set() };
  }
}
