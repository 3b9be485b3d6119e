import {
  type Draft,
  type DraftExtras,
  draftOf,
  extrasOf,
  endCode,
  finishRun,
  forgetRecords,
  type RunState,
  reopenRun,
  type Verdict,
} from "@claw/core/engine";
import type {
  CommitItem,
  Dedup,
  NewRun,
  PublishedEvent,
  StoredRun,
  Transition,
} from "@claw/core/ports";
import { childrenOf, type StartRow } from "@claw/core/protocol";

/** Says whether one more run may be held in memory; asked once for each new run. */
export type Admit = () => boolean;

/** Takes the draft of a run as a transition for the store. */
export function takeTransition(
  run: RunState,
  draft: Draft,
  dedup: Dedup | null,
  admit: Admit,
): Transition {
  run.draft = null;
  const { start } = run;
  const { ending, extras } = draft;
  const hadJournal = run.hadJournal;
  if (draft.entries !== "") run.hadJournal = true;
  return {
    type: "transition",
    run: start.id,
    namespace: start.namespace,
    startedAt: start.startedAt,
    start: draft.start ? start : null,
    dedup: draft.start ? dedup : null,
    entries: draft.entries,
    firstSeq: draft.firstSeq,
    seq: run.seq,
    acks: extras?.acks ?? NONE,
    waits: extras?.waits ?? NONE,
    unwaits: extras?.unwaits ?? NONE,
    starts: extras === null ? NONE : extras.starts.map((row) => newRun(row, admit)),
    messages: extras?.messages ?? NONE,
    events: extras === null ? NONE : publications(extras, start.namespace, admit),
    phase: draft.phase,
    park: draft.park,
    hold: draft.hold,
    finish:
      ending === null
        ? null
        : {
            start,
            ending,
            journal: run.journalText,
            hadJournal,
            hadWaits: run.hadWaits,
            hadInbox: run.hadInbox,
          },
    rare: extras?.rare ?? null,
  };
}

const NONE: readonly never[] = [];

function publications(extras: DraftExtras, namespace: string, admit: Admit): PublishedEvent[] {
  return extras.events.map(({ event, triggered }) => ({
    namespace,
    event,
    starts: triggered.map((row) => newRun(row, admit)),
  }));
}

/** A run to be created: in memory at once if there is room; one of a key when its turn comes. */
function newRun(row: StartRow, admit: Admit): NewRun {
  if (row.keyed !== undefined) return { row, due: 1 };
  return { row, due: admit() ? 0 : 1 };
}

/**
 * The transition that ends a stored run without running its code. It waits for nothing: open children are
 * cancelled, except those that it may abandon.
 */
export function endWithoutCode(stored: StoredRun, verdict: Verdict, nowMs: number): CommitItem {
  const run = stateOf(stored);
  // Nobody will ask for what the journal holds: that is no divergence here.
  forgetRecords(run);
  endCode(run, "the end of the code", nowMs);
  finishRun(run, verdict, nowMs);
  const draft = draftOf(run);
  const { acks, messages } = extrasOf(draft);
  for (const row of run.inbox) acks.push(row.seq);
  const data = JSON.stringify("its parent ended");
  for (const { run: to, onParentEnd, ended } of childrenOf(stored.journal).values()) {
    if (ended || onParentEnd === "abandon") continue;
    messages.push({ to, kind: "cancel", name: "", from: run.start.id, data });
  }
  return takeTransition(run, draft, null, () => false);
}

/** The state of a run as stored, ready for its first turn. */
export function stateOf(stored: StoredRun): RunState {
  const { keyed } = stored.row;
  return reopenRun({
    start: stored.row,
    ...(keyed === undefined ? {} : { keyState: keyed }),
    journal: stored.journal,
    journalText: stored.journalText,
    inbox: stored.inbox,
    inboxSeq: stored.row.inboxSeq,
    waits: stored.waits,
    phase: stored.row.phase,
    ...(stored.streams === undefined ? {} : { streams: stored.streams }),
  });
}
