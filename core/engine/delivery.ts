import { decodePayload, ENTRY_KINDS, type Payload } from "../protocol/index.ts";
import { cancelOpenCalls } from "./commands/cancel-open-calls.ts";
import { deliverEntry } from "./entries/index.ts";
import type { Call } from "./call.ts";
import { isAwaited } from "./children.ts";
import { insertCalls } from "./evolution.ts";
import { firstUnasked, lookForCancel } from "./records.ts";
import type { Item, RunState } from "./run-state.ts";
import { isLingering, noteEnd } from "./undo-stack.ts";

/** Delivered items that are kept in the queue, at the longest. */
const DELIVERED_MAX = 256;
const DELIVERED_SHOWN = 8;

/**
 * The item of the next turn: the lowest sequence among entries whose call was asked for and is
 * open. Live and replay share this rule, so code sees the same order both times. Null when there is nothing.
 */
export function nextItem(run: RunState): Item | null {
  if (run.head >= DELIVERED_MAX) forgetDelivered(run);
  const { queue } = run;
  for (let at = run.head; at < queue.length; at++) {
    const item = queue[at] as Item;
    if (!item.delivered && item.call !== null && isGone(run, item.call)) finished(run, item);
    if (item.delivered) {
      if (at === run.head) run.head++;
      continue;
    }
    if (item.call !== null || item.entry.kind === ENTRY_KINDS.cancelRequested) return item;
  }
  if (run.head > 0 && run.head === queue.length && run.records === null) {
    run.queue = [];
    run.head = 0;
  }
  // Nothing before it can be delivered: a cancellation waits for no call.
  return lookForCancel(run);
}

// The last ones are shown when code and journal disagree.
function forgetDelivered(run: RunState): void {
  run.queue.splice(0, run.head - DELIVERED_SHOWN);
  run.head = DELIVERED_SHOWN;
}

/**
 * Delivers an item to the code: settles the promise that waits for it. Opens no turn by itself. `data` is
 * what was decoded of an entry's data that are not kept in memory.
 */
export function deliver(run: RunState, item: Item, data: Payload = item.entry.data): void {
  const { entry, call } = item;
  finished(run, item);
  run.now = entry.at;
  run.turn++;
  if (call === null) {
    cancelOpenCalls(run, decodePayload(entry.data) as string);
    return;
  }
  const wasOpen = call.open;
  call.open = false;
  run.open.delete(call);
  noteEnd(run, call, entry);
  run.children?.awaited.delete(call);
  if (wasOpen) deliverEntry(run, data === entry.data ? entry : { ...entry, data }, call);
}

// A closed call takes no answer, except a step whose undo wants to know how it ended, and a child that the
// run waits for.
function isGone(run: RunState, call: Call): boolean {
  return !call.open && !isLingering(run, call) && !isAwaited(run, call);
}

function finished(run: RunState, item: Item): void {
  item.delivered = true;
  if (run.replaying) run.replayLeft--;
}

/**
 * After a turn: true when the run has diverged, because nothing can be delivered and the journal
 * knows calls that the code did not ask for. Ends the replay when all was delivered. Code that
 * `mayAskLater`, outside of turns, gets time: the replay stays open.
 */
export function settleReplay(run: RunState, mayAskLater = false): boolean {
  if (run.divergence !== null) return true;
  if (!run.replaying || nextItem(run) !== null) return false;
  const unasked = firstUnasked(run);
  if (unasked !== null) {
    if (insertCalls(run) || mayAskLater) return false;
    const [call, recorded] = unasked;
    const asked = run.asked.map((one) => `${one.plan.kind} ${one.id}`).join(", ");
    run.divergence = { call, recorded: recorded.kindGroup, asked };
    return true;
  }
  run.replaying = false;
  run.records = null;
  return false;
}
