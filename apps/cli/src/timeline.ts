import {
  describeError,
  ENTRY_KINDS,
  type Entry,
  type EntryKind,
  type RunRecord,
} from "@claw/core/protocol";
import type { ErrorRecord, RetryNote } from "@claw/core/protocol";
import { valueOfPayload } from "./values.ts";

/** One line of a run's timeline: a call's attempt or an instant. */
export interface Span {
  readonly seq: number;
  /** What it is called: the call's identity, with its attempt where there was more than one. */
  readonly label: string;
  /** "ok", "failed", "retry", "timeout" ... */
  readonly outcome: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Why it failed, or what came; empty for nothing to say. */
  readonly note: string;
}

const OUTCOMES: Readonly<Record<EntryKind, string>> = {
  [ENTRY_KINDS.stepCompleted]: "done",
  [ENTRY_KINDS.stepFailed]: "failed",
  [ENTRY_KINDS.attemptFailed]: "retry",
  [ENTRY_KINDS.timerFired]: "slept",
  [ENTRY_KINDS.waitTimedOut]: "timeout",
  [ENTRY_KINDS.signalReceived]: "signal",
  [ENTRY_KINDS.eventReceived]: "event",
  [ENTRY_KINDS.eventEmitted]: "emitted",
  [ENTRY_KINDS.childStarted]: "started",
  [ENTRY_KINDS.childEnded]: "child",
  [ENTRY_KINDS.childUnused]: "unused",
  [ENTRY_KINDS.runStarted]: "started",
  [ENTRY_KINDS.startRequested]: "asked",
  [ENTRY_KINDS.startRefused]: "failed",
  [ENTRY_KINDS.stateRead]: "read",
  [ENTRY_KINDS.stateSet]: "set",
  [ENTRY_KINDS.cancelRequested]: "cancel",
  [ENTRY_KINDS.callSkipped]: "skipped",
  [ENTRY_KINDS.patchTaken]: "patch",
  [ENTRY_KINDS.attributesSet]: "set",
  [ENTRY_KINDS.stateSaved]: "saved",
  [ENTRY_KINDS.generationBegan]: "began",
  [ENTRY_KINDS.approvalDecided]: "decided",
  [ENTRY_KINDS.decisionUnused]: "unused",
  [ENTRY_KINDS.updateTaken]: "update",
  [ENTRY_KINDS.updateEnded]: "updated",
  [ENTRY_KINDS.streamWritten]: "written",
  [ENTRY_KINDS.spanNoted]: "span",
  [ENTRY_KINDS.undoPlanned]: "undo",
  [ENTRY_KINDS.forked]: "forked",
  [ENTRY_KINDS.moved]: "moved",
};

/**
 * The timeline of a run. The journal records ends; a call's beginning is taken to be the end before it in
 * its scope or in a scope around it, and a repeated attempt's the instant that it was due.
 */
export function timelineOf(run: RunRecord): Span[] {
  const scopeEnds = new Map<string, number>([["", run.startedAt]]);
  const dueAt = new Map<string, number>();
  return run.journal.map((entry) => {
    const scope = scopeOf(entry.call);
    const began = dueAt.get(entry.call) ?? beginOf(scope, scopeEnds);
    if (entry.kind === ENTRY_KINDS.attemptFailed) {
      dueAt.set(entry.call, (valueOfPayload(entry.data) as RetryNote).dueAt);
    } else {
      scopeEnds.set(scope, entry.at);
    }
    return {
      seq: entry.seq,
      label: entry.attempt > 1 ? `${entry.call} (attempt ${entry.attempt})` : entry.call,
      outcome: OUTCOMES[entry.kind],
      fromMs: Math.min(began, entry.at) - run.startedAt,
      toMs: entry.at - run.startedAt,
      note: noteOf(entry),
    };
  });
}

function scopeOf(call: string): string {
  return call.slice(0, call.lastIndexOf("/") + 1);
}

// The latest end in this scope or one around it: branches begin where their scope was opened.
function beginOf(scope: string, ends: ReadonlyMap<string, number>): number {
  const own = ends.get(scope);
  if (own !== undefined) return own;
  return beginOf(scopeOf(scope.slice(0, -1)), ends);
}

function noteOf(entry: Entry): string {
  switch (entry.kind) {
    case ENTRY_KINDS.stepFailed:
      return describeError(valueOfPayload(entry.data) as ErrorRecord);
    case ENTRY_KINDS.attemptFailed:
      return describeError((valueOfPayload(entry.data) as RetryNote).error);
    case ENTRY_KINDS.stepCompleted:
    case ENTRY_KINDS.timerFired:
    case ENTRY_KINDS.waitTimedOut:
      return "";
    default:
      return entry.data;
  }
}

const EIGHTHS = "▏▎▍▌▋▊▉█";

/** A bar of `width` characters that shows where a span lies within `totalMs`. */
export function barOf(
  { fromMs, toMs }: Pick<Span, "fromMs" | "toMs">,
  totalMs: number,
  width: number,
): string {
  const scale = totalMs <= 0 ? 0 : (width * 8) / totalMs;
  const from = Math.min(Math.floor((fromMs * scale) / 8), width - 1);
  const eighths = Math.min(Math.round(toMs * scale), width * 8) - from * 8;
  const full = "█".repeat(Math.floor(eighths / 8));
  const rest = eighths % 8;
  const bar = full + (rest > 0 ? (EIGHTHS[rest - 1] ?? "") : "");
  return (" ".repeat(from) + (bar === "" ? "▏" : bar)).padEnd(width);
}
