import { decodePayload, type Entry, type SavedNote } from "../../protocol/index.ts";
import type { Call } from "../call.ts";
import type { RunState } from "../run-state.ts";
import { numberHere, subscriptionsOf } from "../subscriptions.ts";

/** A checkpoint goes on from what was saved; events that removed entries told of are not taken again. */
export function deliverStateSaved(run: RunState, entry: Entry, call: Call): void {
  const note = decodePayload(entry.data) as SavedNote;
  for (const [key, number] of note.events ?? []) {
    const { cursor } = subscriptionsOf(run);
    const here = numberHere(run, call.id, entry.seq, number);
    cursor.set(key, Math.max(here, cursor.get(key) ?? here));
  }
  call.resolve(note);
}
