import {
  encodeEntry,
  encodeGap,
  type Entry,
  ENTRY_KINDS,
  type GenerationNote,
  Journal,
  limits,
  type Message,
  type Payload,
} from "../../protocol/index.ts";
import { extrasOf, rareOf } from "../draft.ts";
import { draftOf, reopenRun, type RunState } from "../run-state.ts";
import { lookAfter, takenEvents } from "../subscriptions.ts";

/**
 * Ends this generation of a run whose open calls were given up (`endCode`): it goes on with `input` and a
 * journal of its own. Unread messages stay; what was taken for the code and has not come to it is sent
 * again.
 */
export function continueRun(run: RunState, input: Payload, nowMs: number): void {
  const draft = draftOf(run);
  const again = undelivered(run);
  if (again.length > 0) extrasOf(draft).messages.push(...again);
  const generation = run.generation + 1;
  const events = takenEvents(run, limits.CHECKPOINT_EVENTS_MAX);
  const after = lookAfter(run, 0);
  const note: GenerationNote = {
    generation,
    ...(events.length === 0 ? {} : { events }),
    ...(after === 0 ? {} : { after }),
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
  };
  draft.park = null;
}

function undelivered(run: RunState): Message[] {
  const messages: Message[] = [];
  const to = run.start.id;
  // It came when the code had ended already, and the run waited for children.
  if (run.cancelled !== null) {
    messages.push({ to, kind: "cancel", name: "", from: "", data: JSON.stringify(run.cancelled) });
  }
  for (const { entry, call, delivered } of run.queue) {
    if (delivered) continue;
    const { kind, data } = entry;
    if (kind === ENTRY_KINDS.cancelRequested) {
      messages.push({ to, kind: "cancel", name: "", from: "", data });
    } else if (kind === ENTRY_KINDS.signalReceived && call?.plan.kind === "signal") {
      messages.push({ to, kind: "signal", name: call.plan.name, from: "", data });
    }
  }
  return messages;
}

/** The state of the next generation of a run whose renewal is durable. */
export function renewedRun(
  run: RunState,
  renewal: { readonly input: Payload; readonly journal: string; readonly entry: Entry },
): RunState {
  const { keyState } = run;
  return reopenRun({
    start: { ...run.start, input: renewal.input },
    ...(keyState === null
      ? {}
      : { keyState: { state: keyState.current, passes: keyState.passes } }),
    journal: Journal.of([renewal.entry]),
    journalText: renewal.journal,
    inbox: run.inbox,
    inboxSeq: run.inboxSeen,
    waits: [],
    phase: "",
    ...(run.streams === null ? {} : { streams: [...run.streams.heads.values()] }),
  });
}
