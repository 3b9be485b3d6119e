import type { Transition } from "@claw/core/ports";
import {
  ClawError,
  decodeEntries,
  decodePayload,
  type Entry,
  entryKindName,
  type RunId,
  shownEntry,
} from "@claw/core/protocol";
import type { RunEvent } from "../claw.ts";
import type { Node } from "../node.ts";
import type { FeedSource } from "./feed.ts";

/** The entries of a run's journal, with those of its earlier generations. */
export function entrySource(node: Node, run: RunId): FeedSource<RunEvent> {
  return {
    run,
    what: "entry",
    read: async (after) => {
      const record = await node.store.find(run);
      if (record === null) throw new ClawError("CLAW-3001", `There is no run ${run}`);
      const { generations = [], journal } = record;
      const entries = [...generations.flatMap((one) => one.journal), ...journal];
      return {
        items: entries.filter(({ seq }) => seq > after).map(eventOf),
        more: false,
        ended: record.endedAt !== null,
        last: entries.at(-1)?.seq ?? 0,
      };
    },
    itemsOf: (transition) => entriesOf(transition).map(eventOf),
    charsOf: ({ entries }) => entries.length,
    endsWith: ({ finish }) => finish !== null,
  };
}

function entriesOf({ entries, firstSeq, startedAt, rare }: Transition): Entry[] {
  const own = decodeEntries(entries, firstSeq, startedAt);
  const renewal = rare?.renewal ?? null;
  return renewal === null ? own : [...own, ...decodeEntries(renewal.journal, 1, startedAt)];
}

function eventOf(stored: Entry): RunEvent {
  const entry = shownEntry(stored);
  const { seq, at, call, attempt, data } = entry;
  return { seq, at, kind: entryKindName(entry.kind), call, attempt, data: decodePayload(data) };
}
