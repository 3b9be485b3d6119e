import {
  childOf,
  decodePayload,
  type Entry,
  type EntryKind,
  ENTRY_KINDS,
  type Journal,
  printOf,
  type RetryNote,
} from "../protocol/index.ts";
import { attachedTo } from "./children.ts";
import { STATE_READ, STATE_SET } from "./key-state.ts";
import type { Item, RunState } from "./run-state.ts";

/** What the journal holds about a call that the code has not asked for yet. */
export interface Recorded {
  /** The entry that answers it, if there is one. */
  item: Item | null;
  kindGroup: string;
  print: string;
  /** Attempt to go on with. */
  attempt: number;
  /** When that attempt is due; 0 for at once. */
  dueAt: number;
  /** True when the call left a trace outside (a child run exists). */
  begun: boolean;
}

/**
 * The journal of a run that is replayed, looked at as far as the code has asked. Code asks for calls nearly in
 * the order in which they were answered, so most are found in the next entry; those that were passed
 * over are kept by call.
 */
export interface Records {
  readonly journal: Journal;
  /** Place of the first entry that was not looked at. */
  next: number;
  /** What was looked at and not asked for, by call. */
  readonly found: Map<string, Recorded>;
  /** Cancellations among the entries that were not looked at. */
  cancelsAhead: number;
  /** What was recorded since: markers and inserted calls. */
  readonly added: Entry[];
}

const GROUPS: Readonly<Record<string, string>> = {
  [ENTRY_KINDS.stepCompleted]: "step",
  [ENTRY_KINDS.stepFailed]: "step",
  [ENTRY_KINDS.attemptFailed]: "step",
  [ENTRY_KINDS.timerFired]: "sleep",
  [ENTRY_KINDS.signalReceived]: "signal",
  [ENTRY_KINDS.eventReceived]: "event",
  [ENTRY_KINDS.eventEmitted]: "emit",
  [ENTRY_KINDS.childStarted]: "child",
  [ENTRY_KINDS.childEnded]: "child",
  [ENTRY_KINDS.runStarted]: "start",
  [ENTRY_KINDS.startRequested]: "start",
  [ENTRY_KINDS.startRefused]: "start",
  [ENTRY_KINDS.stateRead]: STATE_READ,
  [ENTRY_KINDS.stateSet]: STATE_SET,
  [ENTRY_KINDS.attributesSet]: "attributes",
  [ENTRY_KINDS.streamWritten]: "stream",
  [ENTRY_KINDS.spanNoted]: "span",
  [ENTRY_KINDS.stateSaved]: "checkpoint",
  [ENTRY_KINDS.updateTaken]: "update",
  [ENTRY_KINDS.approvalDecided]: "approval",
};

/** Entries that tell of the run as a whole, which is known before its first turn. */
export const NOTES: ReadonlySet<EntryKind> = new Set([
  ENTRY_KINDS.generationBegan,
  ENTRY_KINDS.patchTaken,
  ENTRY_KINDS.updateEnded,
  ENTRY_KINDS.undoPlanned,
  ENTRY_KINDS.forked,
  ENTRY_KINDS.moved,
  ENTRY_KINDS.childUnused,
  ENTRY_KINDS.decisionUnused,
]);
/** Entries that say how far a call has come; another one answers it. */
export const TRACES: ReadonlySet<EntryKind> = new Set([
  ENTRY_KINDS.attemptFailed,
  ENTRY_KINDS.childStarted,
  ENTRY_KINDS.startRequested,
]);
/** Entries that are taken up when the code asks for them: they open no turn. */
export const TURNLESS: ReadonlySet<EntryKind> = new Set([
  ENTRY_KINDS.stateRead,
  ENTRY_KINDS.stateSet,
]);

/** Takes the record of a call that the code asks for; null when there is none. */
export function takeRecord(run: RunState, call: string): Recorded | null {
  const { records } = run;
  if (records === null) return null;
  const { journal, found, next } = records;
  if (next < journal.length && journal.belongsTo(next, call)) {
    const kind = journal.kindAt(next);
    if (!TRACES.has(kind) && !NOTES.has(kind) && (found.size === 0 || !found.has(call))) {
      records.next++;
      const entry = journal.entryAt(next, call);
      const recorded = recordedBy(entry);
      recorded.item = itemOf(run, entry);
      return recorded;
    }
  }
  const recorded = lookFor(run, records, call);
  if (recorded === undefined) return null;
  found.delete(call);
  return recorded;
}

/** True when the journal has a record of this call that was not asked for. */
export function hasRecord(run: RunState, call: string): boolean {
  return run.records !== null && lookFor(run, run.records, call) !== undefined;
}

/** The first recorded call that the code has not asked for; null when it has asked for all. */
export function firstUnasked(run: RunState): readonly [string, Recorded] | null {
  const { records } = run;
  if (records === null) return null;
  while (records.found.size === 0 && records.next < records.journal.length) lookOn(run, records);
  const [unasked] = records.found;
  return unasked ?? null;
}

/** All recorded calls that the code has not asked for, by call, in the order of their first entries. */
export function allUnasked(run: RunState): Map<string, Recorded> {
  const { records } = run;
  if (records === null) return new Map();
  while (records.next < records.journal.length) lookOn(run, records);
  return records.found;
}

/** Brings the next cancellation of the journal into the queue, if there is one ahead. */
export function lookForCancel(run: RunState): Item | null {
  const { records } = run;
  if (records === null) return null;
  const { cancelsAhead } = records;
  while (records.cancelsAhead > 0 && records.cancelsAhead === cancelsAhead) lookOn(run, records);
  return records.cancelsAhead === cancelsAhead ? null : (run.queue.at(-1) ?? null);
}

/** Nobody will ask for what the journal holds. */
export function forgetRecords(run: RunState): void {
  run.records = null;
}

/** All entries that a replay knows: those of the journal, and what was recorded since. */
export function knownEntries(run: RunState): readonly Entry[] {
  const { records } = run;
  return records === null ? [] : [...records.journal, ...records.added];
}

// The record of a call, with its answer if there is one: entries up to that are looked at.
function lookFor(run: RunState, records: Records, call: string): Recorded | undefined {
  const { journal, found } = records;
  let recorded = found.get(call);
  while ((recorded === undefined || recorded.item === null) && records.next < journal.length) {
    if (lookOn(run, records) === call) recorded = found.get(call);
  }
  return recorded;
}

// Looks at the next entry; answers its call.
function lookOn(run: RunState, records: Records): string {
  const entry = records.journal.entryAt(records.next++);
  const { kind, call } = entry;
  if (NOTES.has(kind)) return "";
  if (kind === ENTRY_KINDS.cancelRequested) {
    records.cancelsAhead--;
    itemOf(run, entry);
    return "";
  }
  let recorded = records.found.get(call);
  if (recorded === undefined) {
    recorded = recordedBy(entry);
    records.found.set(call, recorded);
  }
  if (kind === ENTRY_KINDS.attemptFailed) {
    recorded.attempt = entry.attempt + 1;
    recorded.dueAt = (decodePayload(entry.data) as RetryNote).dueAt;
  } else if (kind === ENTRY_KINDS.startRequested) {
    recorded.begun = true;
  } else if (kind === ENTRY_KINDS.childStarted) {
    recorded.begun = true;
    const { onParentEnd } = childOf(entry.data);
    if (onParentEnd !== "cancel") attachedTo(run).policies.set(call, onParentEnd);
  } else {
    recorded.item = itemOf(run, entry);
  }
  return call;
}

function recordedBy({ kind, print }: Entry): Recorded {
  // A timed out wait is of the kind that its call says: signal or event.
  const kindGroup = GROUPS[kind] ?? "";
  const declared = print === "" ? "" : printOf(print);
  return { item: null, kindGroup, print: declared, attempt: 1, dueAt: 0, begun: false };
}

function itemOf(run: RunState, entry: Entry): Item {
  if (TURNLESS.has(entry.kind)) return { entry, call: null, delivered: true };
  const item: Item = { entry, call: null, delivered: false };
  run.queue.push(item);
  return item;
}
