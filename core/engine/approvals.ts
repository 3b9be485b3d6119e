import type { OpenApproval } from "../protocol/index.ts";
import type { Call, Plan } from "./call.ts";
import { rareOf } from "./draft.ts";
import { draftOf, type RunState } from "./run-state.ts";
import { subscriptionsOf } from "./subscriptions.ts";

/** Opens an approval, unless the store has it since an earlier life. */
export function openApproval(run: RunState, call: Call, plan: Plan & { kind: "approval" }): void {
  const subscriptions = subscriptionsOf(run);
  const { calls } = subscriptions;
  subscriptions.approvals ??= new Set();
  subscriptions.approvals.add(call.id);
  if (calls.has(call.id)) return;
  calls.add(call.id);
  run.hadWaits = true;
  const { title, form, assignees } = plan;
  const expiresAt = call.dueAt > 0 ? call.dueAt : null;
  const row = { run: run.start.id, call: call.id, title, form, assignees, expiresAt };
  const rare = rareOf(draftOf(run));
  const opened: OpenApproval = { ...row, createdAt: run.now };
  rare.approvals = [...(rare.approvals ?? []), opened];
}

/** An approval is decided or given up: its row goes, also one that was not written yet. */
export function closeApproval(run: RunState, call: string): void {
  if (run.subscriptions?.calls.delete(call) !== true) return;
  const rare = rareOf(draftOf(run));
  const waiting = rare.approvals?.filter((opened) => opened.call !== call) ?? null;
  rare.approvals = waiting?.length === 0 ? null : waiting;
  rare.unapprovals = [...(rare.unapprovals ?? []), call];
}
