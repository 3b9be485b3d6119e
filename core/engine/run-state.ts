import {
  type Entry,
  type InboxRow,
  type Journal,
  limits,
  type Phase,
  type RunId,
  type StartRow,
  type StreamHead,
} from "../protocol/index.ts";
import type { Call } from "./call.ts";
import type { Children } from "./children.ts";
import { type Draft, newDraft } from "./draft.ts";
import type { Evolution } from "./evolution.ts";
import { keyStateOf, type KeyState, type KeyView } from "./key-state.ts";
import type { Loops } from "./loops.ts";
import { OpenCalls } from "./open-calls.ts";
import { foldJournal } from "./fold-journal.ts";
import type { Records } from "./records.ts";
import { rootScope, type Scope } from "./scope.ts";
import { type Streams, takeHeads } from "./streams.ts";
import { type Subscriptions, subscriptionsOf } from "./subscriptions.ts";
import type { UndoStack } from "./undo-stack.ts";
import type { Updates } from "./updates.ts";

/** An entry on its way to the code: `call` is null until the code asked for it. */
export interface Item {
  readonly entry: Entry;
  call: Call | null;
  delivered: boolean;
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
  /** Recorded calls that the code has not asked for yet; null when there are none and never will be. */
  records: Records | null;
  readonly open: OpenCalls;
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

const NOTHING_ABANDONED: readonly string[] = [];

/** State of a run that begins now; its draft asks for the start row. */
export function openRun(start: StartRow): RunState {
  return blank(start);
}

/** What the store knows of a run that is taken up again. */
export interface Reopened {
  readonly start: StartRow;
  /** Absent for a run without a key. */
  readonly keyState?: KeyView;
  readonly journal: Journal;
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
  const run = blank(stored.start);
  foldJournal(run, stored.journal);
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
  if (stored.keyState !== undefined) run.keyState = keyStateOf(stored.keyState);
  return run;
}

/** The draft of a run, begun if there is none. */
export function draftOf(run: RunState): Draft {
  run.draft ??= newDraft(run.seq);
  return run.draft;
}

function blank(start: StartRow): RunState {
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
    replaying: false,
    records: null,
    open: new OpenCalls(),
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
    updates: null,
    streams: null,
    keyState: null,
    compensating: false,
    undoPlanned: false,
    turn: 1,
  };
}
