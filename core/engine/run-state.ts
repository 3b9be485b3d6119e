import {
  childOf,
  type ChildOutcome,
  decodePayload,
  type Entry,
  ENTRY_KINDS,
  type GenerationNote,
  type MoveNote,
  type ForkNote,
  type InboxRow,
  limits,
  type Phase,
  printOf,
  type RetryNote,
  type RunId,
  type StartRow,
  type StreamHead,
} from "../protocol/index.ts";
import type { Call } from "./call.ts";
import { attachedTo, type Children } from "./children.ts";
import { type Draft, newDraft } from "./draft.ts";
import { type Evolution, evolutionOf } from "./evolution.ts";
import { keyStateOf, type KeyState, type KeyView, STATE_READ, STATE_SET } from "./key-state.ts";
import type { Loops } from "./loops.ts";
import { rootScope, type Scope } from "./scope.ts";
import { type Streams, takeHeads } from "./streams.ts";
import { moveTo, type Subscriptions, subscriptionsOf } from "./subscriptions.ts";
import type { UndoStack } from "./undo-stack.ts";
import { type Updates, updatesOf } from "./updates.ts";

/** An entry on its way to the code: `call` is null until the code asked for it. */
export interface Item {
  readonly entry: Entry;
  call: Call | null;
  delivered: boolean;
}

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

/** Where code and journal disagree. */
export interface Divergence {
  readonly call: string;
  readonly recorded: string;
  readonly asked: string;
}

/**
 * The state of one activation of a run: its journal folded, its open calls, what it has decided
 * and not yet handed over. Commands change it and nothing else; services read `draft`, `begun` and
 * `closedCalls` and act.
 */
export interface RunState {
  readonly start: StartRow;
  root: Scope;
  /** From 1; rises with each `continueAs`. */
  generation: number;
  /** Whose id random numbers are drawn from: its own, or that of the first run if it is a fork. */
  seed: RunId;
  /** Sequence of the last entry. */
  seq: number;
  /** Time of the last entry; entries never go back in time. */
  lastAt: number;
  /** Time that the code sees: that of the item of the current turn. */
  now: number;
  /** Entries to deliver, by sequence; those before `head` are done. */
  queue: Item[];
  head: number;
  /** Recorded answers that were not delivered yet. */
  replayLeft: number;
  /** True until every recorded answer was delivered: nothing begins before. */
  replaying: boolean;
  /** Recorded calls that the code has not asked for yet. */
  readonly recorded: Map<string, Recorded>;
  readonly open: Set<Call>;
  /** Calls asked for in this turn or during replay, in order, that have not begun. */
  asked: Call[];
  /** Calls that began and need the runtime: a body to run, a timer to set. */
  begun: Call[];
  /** Calls that were closed before they were answered: bodies to abort. */
  closedCalls: Call[];
  /** Messages that were not taken yet, by number. */
  inbox: InboxRow[];
  /** Number of the last message that this activation knows. */
  inboxSeen: number;
  /** Reason of the cancellation once it was delivered. */
  cancelled: string | null;
  divergence: Divergence | null;
  draft: Draft | null;
  /** The whole journal as text while it is small enough to be packed at the end; null afterwards. */
  journalText: string | null;
  /** Whether the store may have rows of these kinds. */
  hadJournal: boolean;
  hadWaits: boolean;
  hadInbox: boolean;
  subscriptions: Subscriptions | null;
  children: Children | null;
  /** Calls that were open when the code ended. */
  abandoned: readonly string[];
  undo: UndoStack | null;
  evolution: Evolution | null;
  loops: Loops | null;
  /** The entries of the journal while it is replayed; null afterwards. */
  journal: readonly Entry[] | null;
  updates: Updates | null;
  streams: Streams | null;
  /** The state of its key; null for a run without a key. */
  keyState: KeyState | null;
  /** True once its row says that it is being compensated. */
  compensating: boolean;
  /** True once its journal says what the compensation has to undo. */
  undoPlanned: boolean;
  /** Number of the current turn, from 1; live and replay count alike. */
  turn: number;
}

// A new run has no records and never gets any; all of them share this map.
const NOTHING_RECORDED = new Map<string, Recorded>();
const NOTHING_ABANDONED: readonly string[] = [];

/** State of a run that begins now; its draft asks for the start row. */
export function openRun(start: StartRow): RunState {
  const run = blank(start, NOTHING_RECORDED);
  run.replaying = false;
  return run;
}

/** What the store knows of a run that is taken up again. */
export interface Reopened {
  readonly start: StartRow;
  /** Absent for a run without a key. */
  readonly keyState?: KeyView;
  readonly journal: readonly Entry[];
  readonly journalText: string;
  readonly inbox: readonly InboxRow[];
  readonly inboxSeq: number;
  readonly waits: readonly string[];
  readonly phase: Phase | "";
  /** Default: none. */
  readonly streams?: readonly StreamHead[];
}

/** State of a run that is taken up again: the journal folded, ready for the first turn. */
export function reopenRun(stored: Reopened): RunState {
  const run = blank(stored.start, new Map());
  for (const entry of stored.journal) fold(run, entry);
  run.journalText =
    stored.journalText.length <= limits.PACKED_JOURNAL_CHARS_MAX ? stored.journalText : null;
  run.hadJournal = stored.journal.length > 0;
  run.hadInbox = stored.inboxSeq > 0;
  run.hadWaits = stored.waits.length > 0;
  for (const call of stored.waits) subscriptionsOf(run).calls.add(call);
  run.inbox = [...stored.inbox];
  run.inboxSeen = stored.inboxSeq;
  if (stored.streams !== undefined) takeHeads(run, stored.streams);
  run.compensating = stored.phase === "compensating";
  run.replaying = run.replayLeft > 0 || run.recorded.size > 0;
  if (run.replaying) run.journal = stored.journal;
  if (stored.keyState !== undefined) run.keyState = keyStateOf(stored.keyState);
  return run;
}

/** The draft of a run, begun if there is none. */
export function draftOf(run: RunState): Draft {
  run.draft ??= newDraft(run.seq);
  return run.draft;
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
  [ENTRY_KINDS.stateSaved]: "checkpoint",
  [ENTRY_KINDS.updateTaken]: "update",
  [ENTRY_KINDS.approvalDecided]: "approval",
};

function fold(run: RunState, entry: Entry): void {
  run.seq = entry.seq;
  run.lastAt = entry.at;
  if (entry.kind === ENTRY_KINDS.cancelRequested) {
    run.queue.push({ entry, call: null, delivered: false });
    run.replayLeft++;
    return;
  }
  if (entry.kind === ENTRY_KINDS.generationBegan) {
    beginGeneration(run, entry.seq, decodePayload(entry.data) as GenerationNote);
    return;
  }
  if (entry.kind === ENTRY_KINDS.patchTaken) {
    evolutionOf(run).patches.set(String(decodePayload(entry.data)), true);
    return;
  }
  if (entry.kind === ENTRY_KINDS.updateEnded) {
    const update = updatesOf(run).taken.get(entry.call);
    if (update === undefined) return;
    update.ended = true;
    update.outcome = decodePayload(entry.data) as ChildOutcome;
    return;
  }
  if (entry.call === "") return foldNote(run, entry);
  let recorded = run.recorded.get(entry.call);
  if (recorded === undefined) {
    // A timed out wait is of the kind that its call says: signal or event.
    const kindGroup = GROUPS[entry.kind] ?? "";
    const print = entry.print === "" ? "" : printOf(entry.print);
    recorded = { item: null, kindGroup, print, attempt: 1, dueAt: 0, begun: false };
    run.recorded.set(entry.call, recorded);
  }
  if (entry.kind === ENTRY_KINDS.attemptFailed) {
    recorded.attempt = entry.attempt + 1;
    recorded.dueAt = (decodePayload(entry.data) as RetryNote).dueAt;
  } else if (entry.kind === ENTRY_KINDS.startRequested) {
    recorded.begun = true;
  } else if (entry.kind === ENTRY_KINDS.childStarted) {
    recorded.begun = true;
    const { onParentEnd } = childOf(entry.data);
    if (onParentEnd !== "cancel") attachedTo(run).policies.set(entry.call, onParentEnd);
  } else if (entry.kind === ENTRY_KINDS.stateRead || entry.kind === ENTRY_KINDS.stateSet) {
    // Taken up when the code asks for it: it opens no turn.
    recorded.item = { entry, call: null, delivered: true };
  } else {
    if (entry.kind === ENTRY_KINDS.updateTaken) {
      updatesOf(run).taken.set(entry.call, { print: entry.print, ended: false, outcome: null });
    }
    recorded.item = { entry, call: null, delivered: false };
    run.queue.push(recorded.item);
    run.replayLeft++;
  }
}

// Entries of no call tell of the run as a whole; the code never sees them.
function foldNote(run: RunState, entry: Entry): void {
  if (entry.kind === ENTRY_KINDS.undoPlanned) run.undoPlanned = true;
  else if (entry.kind === ENTRY_KINDS.moved) {
    moveTo(run, entry.seq, decodePayload(entry.data) as MoveNote);
  } else if (entry.kind === ENTRY_KINDS.forked) {
    run.seed = (decodePayload(entry.data) as ForkNote).seed;
  }
}

// Calls of a later generation have ids of their own: keys of steps, children and emitted events differ, and
// late answers to calls of the one before meet nobody.
function beginGeneration(
  run: RunState,
  seq: number,
  { generation, events, after }: GenerationNote,
): void {
  run.generation = generation;
  run.root = { ...rootScope(), path: `/${generation}/` };
  for (const [key, number] of events ?? []) subscriptionsOf(run).cursor.set(key, number);
  if (after !== undefined) {
    subscriptionsOf(run).moved = { seq, floor: after, calls: new Set() };
  }
}

function blank(start: StartRow, recorded: Map<string, Recorded>): RunState {
  return {
    start,
    root: rootScope(),
    generation: 1,
    seed: start.id,
    seq: 0,
    lastAt: start.startedAt,
    now: start.startedAt,
    queue: [],
    head: 0,
    replayLeft: 0,
    replaying: true,
    recorded,
    open: new Set(),
    asked: [],
    begun: [],
    closedCalls: [],
    inbox: [],
    inboxSeen: 0,
    cancelled: null,
    divergence: null,
    draft: null,
    journalText: "",
    hadJournal: false,
    hadWaits: false,
    hadInbox: false,
    subscriptions: null,
    children: null,
    abandoned: NOTHING_ABANDONED,
    undo: null,
    evolution: null,
    loops: null,
    journal: null,
    updates: null,
    streams: null,
    keyState: null,
    compensating: false,
    undoPlanned: false,
    turn: 1,
  };
}
