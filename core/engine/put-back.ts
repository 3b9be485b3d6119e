import { ENTRY_KINDS, type Message } from "../protocol/index.ts";
import { extrasOf, type TakenMessage } from "./draft.ts";
import { draftOf, type RunState } from "./run-state.ts";
import { subscriptionsOf } from "./subscriptions.ts";

/**
 * The code goes on as its next generation, at the close of this turn: remembers what was taken and has not come to it.
 * From then on nobody asks for that any more, and it would be passed over.
 */
export function leaveTaken(run: RunState): void {
  const to = run.start.id;
  for (const { entry, call, delivered } of run.queue) {
    if (delivered || call === null) continue;
    const { kind, data } = entry;
    const isSignal = kind === ENTRY_KINDS.signalReceived && call.plan.kind === "signal";
    if (!isSignal && kind !== ENTRY_KINDS.approvalDecided) continue;
    const of =
      call.plan.kind === "signal"
        ? ({ kind: "signal", name: call.plan.name } as const)
        : ({ kind: "approval", name: call.id } as const);
    const subscriptions = subscriptionsOf(run);
    subscriptions.unseen ??= [];
    subscriptions.unseen.push([{ to, from: "", data, ...of }, call.id]);
  }
}

/**
 * Gives what was taken and has not been seen numbers before those of all unread messages. Those are free: they were never
 * given, or their rows were taken. A run that never had a message here came from another store, and none is before
 * those that it took there: they are sent.
 */
export function putBack(run: RunState): readonly TakenMessage[] {
  const again = [...unseenCancel(run), ...(run.subscriptions?.unseen ?? [])];
  if (again.length === 0) return [];
  if (run.inboxSeen === 0) {
    extrasOf(draftOf(run)).messages.push(...again.map(([message]) => message));
    return [];
  }
  const first = Math.min(run.inbox[0]?.seq ?? run.inboxSeen + 1, run.inboxSeen + 1) - again.length;
  return again.map(([message, call], at) => ({ ...message, call, seq: first + at }));
}

// It may have come when the code had ended already, and the run waited for children.
function unseenCancel(run: RunState): (readonly [Message, string])[] {
  const isIt = ({ entry, delivered }: RunState["queue"][number]): boolean =>
    !delivered && entry.kind === ENTRY_KINDS.cancelRequested;
  const data =
    run.cancelled === null ? run.queue.find(isIt)?.entry.data : JSON.stringify(run.cancelled);
  if (data === undefined) return [];
  return [[{ to: run.start.id, kind: "cancel", name: "", from: "", data }, ""]];
}
