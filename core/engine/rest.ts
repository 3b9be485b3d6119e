import { awaitedCount } from "./children.ts";
import type { RunState } from "./run-state.ts";

/** What a run without an item to deliver may do now. */
export type Rest =
  /** Something short is under way in memory. */
  | { readonly kind: "stay" }
  /** Code has not ended and has no open call: nothing durable can wake it. */
  | { readonly kind: "stuck" }
  /** It only waits: it leaves the memory until `due` or a message. */
  | { readonly kind: "park"; readonly due: number | null; readonly waits: number };

const STAY: Rest = { kind: "stay" };
const STUCK: Rest = { kind: "stuck" };

/**
 * Decides whether a run stays in memory. It stays while a body runs, while something is due within
 * `graceMs`, and, unless `patient` is false, while attached children are open.
 */
export function restOf(run: RunState, nowMs: number, graceMs: number, patient: boolean): Rest {
  // A body under way whose end an undo wants to know would be lost.
  if (run.undo !== null) for (const call of run.undo.lingering) if (call.running) return STAY;
  if (run.open.size === 0) return STUCK;
  let due = 0;
  let waits = 0;
  for (const call of run.open) {
    // Beside an inserted call others wait for the end of the replay.
    if (!call.begun && run.replaying) continue;
    if (call.answered || !call.begun) return STAY;
    const { kind } = call.plan;
    if (kind === "step" && (call.running || call.dueAt === 0)) return STAY;
    if (kind === "child" && patient) return STAY;
    if (call.dueAt > 0 && (due === 0 || call.dueAt < due)) due = call.dueAt;
    if (kind !== "step" && kind !== "sleep") waits++;
  }
  // What is due already stays in any case: parked, it would come back only to be parked again.
  if (due > 0 && due - nowMs < Math.max(graceMs, 1)) return STAY;
  return { kind: "park", due: due === 0 ? null : due, waits };
}

/** As `restOf`, for a run whose code has ended and that waits for children only. */
export function restOfEnded(run: RunState, patient: boolean): Rest {
  return patient ? STAY : { kind: "park", due: null, waits: awaitedCount(run) };
}

/** True while an attached child of a run is waited for. */
export function hasOpenChild(run: RunState): boolean {
  if (awaitedCount(run) > 0) return true;
  for (const call of run.open) if (call.plan.kind === "child") return true;
  return false;
}
