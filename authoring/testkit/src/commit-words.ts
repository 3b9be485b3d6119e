import type { Batch, CommitItem, Transition } from "@claw/core/ports";
import { decodeEntries, ENTRY_KINDS, type EntryKind } from "@claw/core/protocol";

/** A commit in words, for people and for predicates. */
export interface CommitView {
  /** From 1, over all lives of the world. */
  readonly number: number;
  /** What is written, for example `order: starts, records step "reserve"`. */
  readonly description: string;
  /** Calls whose records it carries, in order. */
  readonly calls: readonly string[];
}

const WORDS = new Map<EntryKind, string>([
  [ENTRY_KINDS.stepCompleted, "step"],
  [ENTRY_KINDS.stepFailed, "failure of"],
  [ENTRY_KINDS.attemptFailed, "failed attempt of"],
  [ENTRY_KINDS.timerFired, "end of"],
  [ENTRY_KINDS.waitTimedOut, "timeout of"],
  [ENTRY_KINDS.signalReceived, "arrival of"],
  [ENTRY_KINDS.eventReceived, "arrival of"],
  [ENTRY_KINDS.eventEmitted, "emission"],
  [ENTRY_KINDS.childStarted, "start of"],
  [ENTRY_KINDS.childEnded, "end of"],
  [ENTRY_KINDS.runStarted, "start of"],
  [ENTRY_KINDS.startRequested, "start of"],
  [ENTRY_KINDS.startRefused, "failure of"],
  [ENTRY_KINDS.stateRead, "read of"],
  [ENTRY_KINDS.stateSet, "change of"],
]);

/** What a batch writes, in words. `nameOf` gives the workflow of a run. */
export function describeBatch(
  number: number,
  batch: Batch,
  nameOf: (run: string) => string,
): CommitView {
  const parts = batch.items.map((item) => describeItem(item, nameOf));
  const calls = batch.items.flatMap((item) =>
    item.type === "transition" ? entriesOf(item).flatMap(({ call }) => call || []) : [],
  );
  return { number, description: parts.join("; "), calls };
}

function describeItem(item: CommitItem, nameOf: (run: string) => string): string {
  switch (item.type) {
    case "transition":
      return `${item.start?.workflow ?? nameOf(item.run)}: ${describeTransition(item)}`;
    case "delivery":
      return `${item.message.kind} ${quoted(item.message.name)}to ${nameOf(item.message.to)}`;
    case "start":
      return `${item.start.row.workflow}: starts`;
    case "publication":
      return `event "${item.event.type}"`;
    default:
      return "run" in item ? `${item.type} of ${nameOf(item.run)}` : item.type;
  }
}

function describeTransition(item: Transition): string {
  const words = [
    ...(item.start === null ? [] : ["starts"]),
    ...entriesOf(item).map(({ kind, call }) =>
      kind === ENTRY_KINDS.cancelRequested
        ? "takes the cancellation"
        : `records ${WORDS.get(kind) ?? ""} "${call}"`,
    ),
    ...(item.hold === null ? [] : [`is held (${item.hold.kind})`]),
    ...(item.finish === null ? [] : [`ends (${item.finish.ending.status})`]),
    ...(item.park === null || item.finish !== null ? [] : ["waits"]),
  ];
  return words.length === 0 ? "goes on" : words.join(", ");
}

function entriesOf(item: Transition): ReturnType<typeof decodeEntries> {
  return decodeEntries(item.entries, item.firstSeq, item.startedAt);
}

function quoted(name: string): string {
  return name === "" ? "" : `"${name}" `;
}
