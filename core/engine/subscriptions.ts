import type { Message, MoveNote } from "../protocol/index.ts";
import type { RunState } from "./run-state.ts";

/** How a run came to this store. */
interface Moved {
  /** Entries before this one tell of events by numbers of another store. */
  readonly seq: number;
  /** Events up to this number were here before the run. */
  readonly floor: number;
  /** Calls that got their event in the other store and have not taken it there. */
  readonly calls: ReadonlySet<string>;
}

/** What a run knows of its subscriptions to events; made with the first one. */
export interface Subscriptions {
  /** Calls whose subscriptions are in the store. */
  readonly calls: Set<string>;
  /** Number of the last event taken per subscription key. */
  readonly cursor: Map<string, number>;
  /** Null for a run that began in this store. */
  moved: Moved | null;
  /** Approvals that the code of this activation has asked for; null before the first. */
  approvals: Set<string> | null;
  /** Prints of approvals that earlier generations left open, by call; null for none. */
  earlier: ReadonlyMap<string, string> | null;
  /** Prints of approvals that are open where this generation ends, by call; null before that. */
  left: Map<string, string> | null;
  /** What was taken and had not been seen where this generation ends, with the calls that took it; null for nothing. */
  unseen: (readonly [Message, string])[] | null;
}

/** The subscriptions of a run, begun if there are none. */
export function subscriptionsOf(run: RunState): Subscriptions {
  run.subscriptions ??= {
    calls: new Set(),
    cursor: new Map(),
    moved: null,
    approvals: null,
    earlier: null,
    left: null,
    unseen: null,
  };
  return run.subscriptions;
}

/** The run came to this store: what it knows by number of events is of no use here. */
export function moveTo(
  run: RunState,
  seq: number,
  { events, calls = [] }: Omit<MoveNote, "at">,
): void {
  const subscriptions = subscriptionsOf(run);
  for (const key of subscriptions.cursor.keys()) subscriptions.cursor.set(key, events - 1);
  subscriptions.moved = { seq, floor: events, calls: new Set(calls) };
}

/**
 * The number of an event in this store. What was taken in another counts as the one before the run came, what
 * lay in its inbox as the one after that: neither hides an event of this store, and none is taken twice.
 */
export function numberHere(run: RunState, call: string, seq: number, number: number): number {
  const moved = run.subscriptions?.moved ?? null;
  if (moved === null) return number;
  if (moved.calls.has(call)) return moved.floor;
  return seq < moved.seq ? moved.floor - 1 : number;
}

/** The number after which a new subscription looks back; `taken` is the last event that it must not get again. */
export function lookAfter(run: RunState, taken: number): number {
  const floor = run.subscriptions?.moved?.floor ?? 0;
  return taken > floor ? taken : floor;
}

/** What has to be known of taken events where the entries that tell of them go. */
export function takenEvents(run: RunState, max: number): readonly (readonly [string, number])[] {
  const cursor = [...(run.subscriptions?.cursor ?? [])];
  const known = cursor.map(([key, number]): [string, number] => [key, lookAfter(run, number)]);
  return known.sort((a, b) => a[1] - b[1]).slice(-max);
}

/** Takes back a subscription that was asked for and not sent; false when there is none. */
export function dropWait(run: RunState, call: string): boolean {
  const waits = run.draft?.extras?.waits ?? [];
  const at = waits.findIndex((wait) => wait.call === call);
  if (at >= 0) waits.splice(at, 1);
  return at >= 0;
}
