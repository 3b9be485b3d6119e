import { decodePayload, type Entry, type EventNote } from "../../protocol/index.ts";
import type { Call } from "../call.ts";
import type { RunState } from "../run-state.ts";
import { numberHere, subscriptionsOf } from "../subscriptions.ts";

/** waitFor answers the event's data; the next waitFor of the same key looks only after it. */
export function deliverEventReceived(run: RunState, entry: Entry, call: Call): void {
  const note = decodePayload(entry.data) as EventNote;
  const { plan } = call;
  if (plan.kind === "event") {
    const number = numberHere(run, call.id, entry.seq, note.number);
    subscriptionsOf(run).cursor.set(plan.key, number);
  }
  const value = note.event.data;
  call.resolve(plan.kind === "event" && plan.bare ? value : { ok: true, value });
}
