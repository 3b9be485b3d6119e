import {
  encodeEntry,
  encodeGap,
  type Entry,
  ENTRY_KINDS,
  entriesBefore,
  type Payload,
} from "../../protocol/index.ts";
import type { Call } from "../call.ts";
import { rareOf } from "../draft.ts";
import { belongsTo } from "../loops.ts";
import { recordAnswer } from "../record.ts";
import { draftOf, type RunState } from "../run-state.ts";

/**
 * Saves the state of a checkpoint. What its iteration recorded goes from the journal in the
 * same transition: before that is durable a restart finds the iteration as it was, after it the state.
 */
export function saveState(run: RunState, call: Call, note: Payload, nowMs: number): void {
  if (run.loops !== null) collapse(run, call.id);
  recordAnswer(run, ENTRY_KINDS.stateSaved, call, note, nowMs);
}

function collapse(run: RunState, call: string): void {
  const { loops, seq, start } = run;
  if (loops === null) return;
  const kept = loops.entries.filter((entry) => !belongsTo(entry, call));
  if (kept.length === loops.entries.length) return;
  loops.entries = kept;
  const text = textOf(kept, loops.from, seq, start.startedAt);
  const draft = draftOf(run);
  // What the draft has from before the checkpoint stays in it.
  if (draft.firstSeq < loops.from) {
    draft.entries = entriesBefore(draft.entries, draft.firstSeq, loops.from) + text;
  } else {
    draft.entries = text;
    draft.firstSeq = loops.from;
  }
  rareOf(draft).replaces = true;
  if (run.journalText !== null) {
    run.journalText = entriesBefore(run.journalText, 1, loops.from) + text;
  }
}

function textOf(entries: readonly Entry[], from: number, to: number, startedAt: number): string {
  let text = "";
  let next = from;
  for (const entry of entries) {
    if (entry.seq > next) text += encodeGap(entry.seq - next);
    text += encodeEntry(entry, startedAt);
    next = entry.seq + 1;
  }
  return to < next ? text : text + encodeGap(to - next + 1);
}
