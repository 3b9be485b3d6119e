import {
  encodeEntry,
  type Entry,
  ENTRY_KINDS,
  type EntryKind,
  limits,
  type Payload,
  UNDO_MARK,
} from "../protocol/index.ts";
import type { Call, Plan } from "./call.ts";
import { draftOf, type RunState } from "./run-state.ts";

/** What is told of a call; what the kernel itself records has no plan. */
type Recorded = Pick<Call, "id" | "attempt" | "print"> & { readonly plan?: Plan };

/** Appends an entry to the journal of a run; it becomes durable with the next transition. */
export function record(
  run: RunState,
  kind: EntryKind,
  call: Recorded | null,
  data: Payload,
  nowMs: number,
): Entry {
  const at = nowMs > run.lastAt ? nowMs : run.lastAt;
  const entry: Entry = {
    seq: run.seq + 1,
    at,
    kind,
    call: call === null ? "" : call.id,
    attempt: call === null ? 1 : call.attempt,
    print: call === null ? "" : printFor(kind, call),
    data,
  };
  const draft = draftOf(run);
  const text = encodeEntry(entry, run.start.startedAt);
  draft.entries += text;
  if (run.loops !== null) run.loops.entries.push(entry);
  // During replay only markers and inserted calls are recorded.
  else if (run.records !== null) run.records.added.push(entry);
  run.seq = entry.seq;
  run.lastAt = at;
  if (run.journalText !== null) {
    const whole = run.journalText.length + text.length;
    run.journalText = whole <= limits.PACKED_JOURNAL_CHARS_MAX ? run.journalText + text : null;
  }
  return entry;
}

function printFor(kind: EntryKind, { plan, print }: Recorded): string {
  const hasUndo = kind === ENTRY_KINDS.stepCompleted && plan?.kind === "step" && plan.undoable;
  return hasUndo ? print + UNDO_MARK : print;
}

/** Appends an entry that answers a call and queues it for delivery. */
export function recordAnswer(
  run: RunState,
  kind: EntryKind,
  call: Call | null,
  data: Payload,
  nowMs: number,
): void {
  const entry = record(run, kind, call, data, nowMs);
  if (call !== null) call.answered = true;
  run.queue.push({ entry, call, delivered: false });
  if (run.replaying) run.replayLeft++;
}
