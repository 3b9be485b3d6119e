import type { ErrorRecord } from "./errors.ts";
import type { Payload } from "./payload.ts";
import type { RunId } from "./ids.ts";
import type { ClosedStatus, OnParentEnd } from "./run.ts";

/**
 * Kinds of journal entry. The start of a run is its row, the end its closed row, so neither is an
 * entry; time, randomness and log lines need none.
 */
export const ENTRY_KINDS = {
  /** A step's body returned; data is its value. */
  stepCompleted: "s",
  /** A step gave up; data is an ErrorRecord. */
  stepFailed: "f",
  /** One attempt failed and another follows; data is a RetryNote. Not delivered to code. */
  attemptFailed: "r",
  /** A sleep is over. */
  timerFired: "t",
  /** A receive or waitFor ran out of time. */
  waitTimedOut: "o",
  /** A signal was taken from the inbox; data is its value. */
  signalReceived: "m",
  /** A subscribed event came; data is the event. */
  eventReceived: "v",
  /** An event was emitted in this transition; data is its id. */
  eventEmitted: "e",
  /** An attached child was created in this transition; data is that of `encodeChild`. Not delivered to code. */
  childStarted: "c",
  /** An attached child ended; data is a ChildOutcome. */
  childEnded: "d",
  /** An attached child ended, or was refused, after its call was closed. No data, not delivered to code. */
  childUnused: "E",
  /** A detached run was created in this transition; data is its id. */
  runStarted: "n",
  /** A detached run of a key was asked for in this transition; data is its id. Not delivered to code. */
  startRequested: "j",
  /** A detached run of a key was not created; data is an ErrorRecord. */
  startRefused: "i",
  /** The code read the state of the run's key, which others may have set since it last did; data is the state. */
  stateRead: "G",
  /** The code set the state of the run's key in this transition. */
  stateSet: "S",
  /** Cancellation was requested; data is the reason. Has no call. */
  cancelRequested: "k",
  /** The code took the new way of a patch; data is its id. Has no call, is not delivered. */
  patchTaken: "h",
  /** Attributes were set in this transition; data is what changed. Not delivered to code. */
  attributesSet: "a",
  /** An iteration of a checkpoint has ended; data is a SavedNote. What it recorded is removed with this. */
  stateSaved: "l",
  /** First entry of a later generation of a run; data is a GenerationNote. Has no call, not delivered. */
  generationBegan: "w",
  /** An operator answered an open call; data is a SkipNote. */
  callSkipped: "x",
  /** A compensation began; data is an UndoNote. Has no call and is not delivered to code. */
  undoPlanned: "u",
  /** First entry of a run that goes on from another's journal; data is a ForkNote. Has no call, not delivered. */
  forked: "b",
  /** The run came here from another store; data is a MoveNote. Has no call, not delivered. */
  moved: "M",
  /** An approval was decided; data is a Decision. */
  approvalDecided: "g",
  /** A decision that was stored has met no call that waits for it; data is the Decision. Not delivered to code. */
  decisionUnused: "D",
  /** An update was taken; data is its checked input. */
  updateTaken: "p",
  /** The handler of an update has ended; data is a ChildOutcome. Not delivered to code. */
  updateEnded: "q",
  /** A chunk was written to a stream, or the stream closed, in this transition; data is an ErrorRecord if not. */
  streamWritten: "y",
  /** Attributes of a named span were noted in this transition; its call is in the scope of the span. */
  spanNoted: "z",
} as const;

/** One letter that names the kind of an entry; see ENTRY_KINDS. */
export type EntryKind = (typeof ENTRY_KINDS)[keyof typeof ENTRY_KINDS];

/** Name of a kind of entry, for example "stepCompleted". */
export type EntryKindName = keyof typeof ENTRY_KINDS;

const KIND_NAMES = new Map<EntryKind, EntryKindName>(
  Object.entries(ENTRY_KINDS).map(([name, kind]) => [kind, name as EntryKindName]),
);

/** The name of a kind of entry. Throws for what is none. */
export function entryKindName(kind: EntryKind): EntryKindName {
  const name = KIND_NAMES.get(kind);
  if (name === undefined) throw new Error(`"${kind}" is no kind of entry`);
  return name;
}

/**
 * Ends the print of a completed step that has an undo, so that the journal alone tells what nobody undid. It is no
 * part of the comparison at replay: a step may get an undo, or lose it.
 */
export const UNDO_MARK = "~";

/** The fingerprint in the print of an entry. */
export function printOf(print: string): string {
  return print.endsWith(UNDO_MARK) ? print.slice(0, -UNDO_MARK.length) : print;
}

/** One record of a run's journal. */
export interface Entry {
  /** 1 for the first entry of the run; numbers of removed entries are not used again. */
  readonly seq: number;
  /** When it was recorded, milliseconds since 1970; never less than the entry before. */
  readonly at: number;
  /** What it tells: one letter, see ENTRY_KINDS. */
  readonly kind: EntryKind;
  /** The call that it belongs to; empty for `cancelRequested`, `undoPlanned` and `forked`. */
  readonly call: string;
  /** Which try it tells of, from 1. */
  readonly attempt: number;
  /** Fingerprint of what the call declared, compared at replay; UNDO_MARK follows it if the step has an undo. */
  readonly print: string;
  /** By kind; empty for none. */
  readonly data: Payload;
}

/** Data of a `callSkipped` entry. */
export interface SkipNote {
  /** The operator. */
  readonly by: string;
  /** What the call answers; absent for undefined. */
  readonly value?: unknown;
}

/** Data of an `undoPlanned` entry. */
export interface UndoNote {
  /** Completed steps that have an undo, in the order in which they are undone. */
  readonly completed: readonly string[];
  /** Steps with an undo whose end was not known. */
  readonly open: readonly string[];
}

/** Data of a `forked` entry. */
export interface ForkNote {
  /** The run whose journal this one goes on from. */
  readonly from: string;
  /** The call that runs again; empty when it goes on from the end of the journal. */
  readonly call: string;
  /** Whose id the random numbers are drawn from: that of the first run of all. */
  readonly seed: string;
  /** When it was forked, milliseconds since 1970. */
  readonly at: number;
}

/** Data of a `moved` entry. Numbers of events that were recorded before it are those of another store. */
export interface MoveNote {
  /** When it came, milliseconds since 1970. */
  readonly at: number;
  /** The greatest number of an event in this store at that time; the run hears those after it. */
  readonly events: number;
  /** Calls whose events lay unread in the inbox that came along; absent for none. */
  readonly calls?: readonly string[];
}

/** Data of an `attemptFailed` entry. */
export interface RetryNote {
  readonly error: ErrorRecord;
  /** When the next attempt may begin, milliseconds since 1970. */
  readonly dueAt: number;
}

/** Data of a `generationBegan` entry. */
export interface GenerationNote {
  /** From 2. */
  readonly generation: number;
  /** Number of the last event taken by key; absent for none. */
  readonly events?: readonly (readonly [string, number])[];
  /** Events up to this number are not looked back at: the run came to this store after them. Absent for 0. */
  readonly after?: number;
  /** Approvals that earlier generations left open, by call with a print of what was asked; absent for none. */
  readonly approvals?: readonly (readonly [string, string])[];
}

/** Data of a `stateSaved` entry. */
export interface SavedNote {
  /** Number of the next iteration; null once the checkpoint has ended. */
  readonly next: number | null;
  /** The state that the next iteration begins with, or the value of the checkpoint. */
  readonly value?: unknown;
  /** Number of the last event taken by key, newest last; absent for none. */
  readonly events?: readonly (readonly [string, number])[];
}

/** Data of a `childEnded` entry. */
export interface ChildOutcome {
  readonly status: ClosedStatus;
  readonly output?: Payload;
  readonly error?: ErrorRecord;
}

/** An attached child as the journal of its parent tells of it. */
export interface AttachedChild {
  readonly run: RunId;
  readonly onParentEnd: OnParentEnd;
}

/** Data of a `childStarted` entry: the id alone where the policy is the default. */
export function encodeChild({ run, onParentEnd }: AttachedChild): Payload {
  return JSON.stringify(onParentEnd === "cancel" ? run : { run, onParentEnd });
}

/** The child that a `childStarted` entry tells of. */
export function childOf(data: Payload): AttachedChild {
  const read = JSON.parse(data) as RunId | AttachedChild;
  return typeof read === "string" ? { run: read, onParentEnd: "cancel" } : read;
}

const ENDS_OF_CHILDREN: ReadonlySet<EntryKind> = new Set([
  ENTRY_KINDS.childEnded,
  ENTRY_KINDS.childUnused,
  ENTRY_KINDS.callSkipped,
]);

/** The attached children of a journal by call, with their ends as far as these are recorded. */
export function childrenOf(
  journal: Iterable<Entry>,
): Map<string, AttachedChild & { readonly ended: boolean }> {
  const children = new Map<string, AttachedChild & { readonly ended: boolean }>();
  for (const { kind, call, data } of journal) {
    if (kind === ENTRY_KINDS.childStarted) {
      children.set(call, { ...childOf(data), ended: false });
    } else if (ENDS_OF_CHILDREN.has(kind)) {
      const child = children.get(call);
      if (child !== undefined) children.set(call, { ...child, ended: true });
    }
  }
  return children;
}

// One entry is: kind, call, US, time since the run's start in base 36, US, attempt (empty for 1), US, print,
// US, data, RS. JSON text and valid names contain no control characters, so no escaping is needed.
/** Ends a field of an entry. */
export const UNIT = "\u001f";
/** Ends an entry. */
export const RECORD = "\u001e";
// Removed entries are: GAP, their number, RS. No kind of entry has this letter.
export const GAP = "-";

/** Text of one entry, to be appended to the text of those before it. */
export function encodeEntry(entry: Entry, startedAt: number): string {
  const attempt = entry.attempt === 1 ? "" : String(entry.attempt);
  const at = (entry.at - startedAt).toString(36);
  return `${entry.kind}${entry.call}${UNIT}${at}${UNIT}${attempt}${UNIT}${entry.print}${UNIT}${entry.data}${RECORD}`;
}

/** Text that stands for so many entries that were removed, so that the numbers of others stay. */
export function encodeGap(count: number): string {
  return `${GAP}${count}${RECORD}`;
}

/** The part of a text with the entries before number `before`, up to exactly that number. */
export function entriesBefore(text: string, firstSeq: number, before: number): string {
  let from = 0;
  let seq = firstSeq;
  while (from < text.length && seq < before) {
    const to = text.indexOf(RECORD, from);
    if (to < 0) throw new Error(`journal text is damaged at character ${from}`);
    const count = text[from] === GAP ? gapAt(text, from, to) : 1;
    if (seq + count > before) return text.slice(0, from) + encodeGap(before - seq);
    seq += count;
    from = to + 1;
  }
  return text.slice(0, from);
}

/** The number after the last entry of a text, or after its last gap. */
export function numberAfter(text: string, firstSeq: number): number {
  let seq = firstSeq;
  for (let from = 0; from < text.length; ) {
    const to = text.indexOf(RECORD, from);
    if (to < 0) throw new Error(`journal text is damaged at character ${from}`);
    seq += text[from] === GAP ? gapAt(text, from, to) : 1;
    from = to + 1;
  }
  return seq;
}

/** Number of entries that a gap at `from` stands for. Throws on text of another form. */
export function gapAt(text: string, from: number, to: number): number {
  const count = Number(text.slice(from + 1, to));
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new Error(`journal text is damaged at character ${from}`);
}

/** A record of a journal's text, taken apart where its data begin. */
export interface EntryPart {
  /** Everything before the data; of a gap, all of it. */
  readonly head: string;
  readonly kind: string;
  readonly call: string;
  readonly attempt: string;
  /** Null for a gap. */
  readonly data: Payload | null;
}

/** The records of a journal's text, so that their data can be replaced. Throws on text of another form. */
export function entryParts(text: string): EntryPart[] {
  return text
    .split(RECORD)
    .slice(0, -1)
    .map((record) => {
      if (record[0] === GAP) return { head: record, kind: GAP, call: "", attempt: "", data: null };
      const [head = "", at, attempt = "", print, data] = record.split(UNIT);
      if (data === undefined) throw new Error("journal text is damaged");
      const before = [head, at, attempt, print, ""].join(UNIT);
      return { head: before, kind: head[0] ?? "", call: head.slice(1), attempt, data };
    });
}

/** The text that these records came from. */
export function joinParts(parts: readonly EntryPart[]): string {
  return parts.map(({ head, data }) => `${head}${data ?? ""}${RECORD}`).join("");
}
