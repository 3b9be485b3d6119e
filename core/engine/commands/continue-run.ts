import {
  encodeEntry,
  encodeGap,
  type Entry,
  ENTRY_KINDS,
  type GenerationNote,
  type InboxRow,
  Journal,
  limits,
  type Message,
  type Payload,
} from "../../protocol/index.ts";
import { openApprovals } from "../approvals.ts";
import { type DraftRenewal, extrasOf, rareOf, type TakenMessage } from "../draft.ts";
import { draftOf, reopenRun, type RunState } from "../run-state.ts";
import { lookAfter, takenEvents } from "../subscriptions.ts";

/**
 * Ends this generation of a run whose open calls were given up (`endCode`): it goes on with `input` and a
 * journal of its own. Unread messages stay; what was taken for the code and has not come to it is put back
 * before them.
 */
export function continueRun(run: RunState, input: Payload, nowMs: number): void {
  const draft = draftOf(run);
  const back = putBack(run);
  const generation = run.generation + 1;
  const events = takenEvents(run, limits.CHECKPOINT_EVENTS_MAX);
  const after = lookAfter(run, 0);
  const approvals = openApprovals(run).slice(-limits.CHECKPOINT_EVENTS_MAX);
  const note: GenerationNote = {
    generation,
    ...(events.length === 0 ? {} : { events }),
    ...(after === 0 ? {} : { after }),
    ...(approvals.length === 0 ? {} : { approvals }),
  };
  const entry: Entry = {
    seq: run.seq + 1,
    at: Math.max(nowMs, run.lastAt),
    kind: ENTRY_KINDS.generationBegan,
    call: "",
    attempt: 1,
    print: "",
    data: JSON.stringify(note),
  };
  const gap = run.seq === 0 ? "" : encodeGap(run.seq);
  rareOf(draft).renewal = {
    generation: run.generation,
    endedAt: entry.at,
    input,
    journal: gap + encodeEntry(entry, run.start.startedAt),
    seq: entry.seq,
    entry,
    ...(back.length === 0 ? {} : { inbox: back }),
  };
  draft.park = null;
}

// Numbers below those of all unread messages are free: they were never given, or their rows were taken. A run that
// never had a message here came from another store, and none is before those that it took there.
function putBack(run: RunState): readonly TakenMessage[] {
  const again = undelivered(run);
  if (again.length === 0) return [];
  if (run.inboxSeen === 0) {
    extrasOf(draftOf(run)).messages.push(...again.map(([message]) => message));
    return [];
  }
  const first = Math.min(run.inbox[0]?.seq ?? run.inboxSeen + 1, run.inboxSeen + 1) - again.length;
  return again.map(([message, call], at) => ({ ...message, call, seq: first + at }));
}

// Messages with the calls that took them.
function undelivered(run: RunState): (readonly [Message, string])[] {
  const messages: (readonly [Message, string])[] = [];
  const to = run.start.id;
  // It came when the code had ended already, and the run waited for children.
  if (run.cancelled !== null) {
    const data = JSON.stringify(run.cancelled);
    messages.push([{ to, kind: "cancel", name: "", from: "", data }, ""]);
  }
  for (const { entry, call, delivered } of run.queue) {
    if (delivered) continue;
    const { kind, data } = entry;
    if (kind === ENTRY_KINDS.cancelRequested) {
      messages.push([{ to, kind: "cancel", name: "", from: "", data }, ""]);
    } else if (kind === ENTRY_KINDS.signalReceived && call?.plan.kind === "signal") {
      messages.push([{ to, kind: "signal", name: call.plan.name, from: "", data }, call.id]);
    } else if (kind === ENTRY_KINDS.approvalDecided && call !== null) {
      messages.push([{ to, kind: "approval", name: call.id, from: "", data }, call.id]);
    }
  }
  return messages;
}

/** The state of the next generation of a run whose renewal is durable. */
export function renewedRun(
  run: RunState,
  renewal: Pick<DraftRenewal, "input" | "journal" | "entry" | "inbox">,
): RunState {
  const { keyState } = run;
  const back = renewal.inbox?.map(({ call: _call, ...row }): InboxRow => row) ?? [];
  return reopenRun({
    start: { ...run.start, input: renewal.input },
    ...(keyState === null
      ? {}
      : { keyState: { state: keyState.current, passes: keyState.passes } }),
    journal: Journal.of([renewal.entry]),
    journalText: renewal.journal,
    inbox: back.length === 0 ? run.inbox : [...back, ...run.inbox],
    inboxSeq: run.inboxSeen,
    waits: [],
    phase: "",
    ...(run.streams === null ? {} : { streams: [...run.streams.heads.values()] }),
  });
}
