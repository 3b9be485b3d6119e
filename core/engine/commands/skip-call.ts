import { ENTRY_KINDS, type SkipNote } from "../../protocol/index.ts";
import type { Call } from "../call.ts";
import { isAwaited } from "../children.ts";
import { recordAnswer } from "../record.ts";
import type { RunState } from "../run-state.ts";
import { withdraw } from "./close-scope.ts";
import { askToStop } from "./let-go-child.ts";

/** The open call of an id that has no end yet, or that of a child which the run waits for; or null. */
export function openCall(run: RunState, id: string): Call | null {
  for (const call of run.open) if (call.id === id && !call.answered) return call;
  for (const call of run.children?.awaited ?? []) if (call.id === id && !call.answered) return call;
  return null;
}

/** An operator answers an open call: its body is given up, its subscription or child withdrawn. */
export function skipCall(run: RunState, call: Call, note: SkipNote, nowMs: number): void {
  call.dueAt = 0;
  run.closedCalls.push(call);
  const reason = `skipped by ${note.by}`;
  withdraw(run, call, reason);
  // Whoever skips a child does not wait for it.
  if (isAwaited(run, call)) askToStop(run, call, reason);
  recordAnswer(run, ENTRY_KINDS.callSkipped, call, JSON.stringify(note), nowMs);
}
