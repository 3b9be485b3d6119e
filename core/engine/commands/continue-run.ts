import {
  encodeEntry,
  encodeGap,
  type Entry,
  ENTRY_KINDS,
  type GenerationNote,
  type InboxRow,
  Journal,
  limits,
  type Payload,
} from "../../protocol/index.ts";
import { openApprovals } from "../approvals.ts";
import { type DraftRenewal, rareOf } from "../draft.ts";
import { putBack } from "../put-back.ts";
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
