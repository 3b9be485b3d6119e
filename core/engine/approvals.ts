import { ENTRY_KINDS, fingerprint, type InboxRow, type OpenApproval } from "../protocol/index.ts";
import type { Call, Plan } from "./call.ts";
import { rareOf } from "./draft.ts";
import { record } from "./record.ts";
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

/**
 * The generation of a run ends while this approval is open: a decision may be stored already, or be on its way. The
 * next generation can tell by its print whether it asks for the same.
 */
export function leaveApproval(run: RunState, call: Call): void {
  if (call.plan.kind !== "approval") return;
  const subscriptions = subscriptionsOf(run);
  subscriptions.left ??= new Map();
  subscriptions.left.set(call.id, printOfAsked(call.plan));
}

/** Approvals whose decisions may lie in the inbox of the next generation, with the prints of what was asked. */
export function openApprovals(run: RunState): readonly (readonly [string, string])[] {
  const { earlier = null, left = null } = run.subscriptions ?? {};
  if (earlier === null) return left === null ? [] : [...left];
  const lying = new Set(run.inbox.map(({ kind, name }) => (kind === "approval" ? name : "")));
  return [...earlier].filter(([call]) => lying.has(call)).concat([...(left ?? [])]);
}

/**
 * The waiting call that a decision of an earlier generation answers: the one at the same place, if it asks for the
 * same. Anything else was never put to the person who decided.
 */
export function askedAgain(
  run: RunState,
  { name }: InboxRow,
  waiting: ReadonlyMap<string, Call[]>,
): Call | undefined {
  const print = run.subscriptions?.earlier?.get(name);
  if (print === undefined) return undefined;
  const [call] = waiting.get(`approval ${placeHere(run, name)}`) ?? [];
  if (call?.plan.kind !== "approval" || printOfAsked(call.plan) !== print) return undefined;
  return waiting.get(`approval ${call.id}`)?.shift();
}

/** True for a decision that may still find its call: the code, or the next generation, has yet to ask. */
export function isEarlyDecision(run: RunState, { name }: InboxRow): boolean {
  const { approvals = null, left = null } = run.subscriptions ?? {};
  if (left?.has(name) === true) return true;
  return approvals?.has(name) !== true && approvals?.has(placeHere(run, name)) !== true;
}

/** A decision that was acknowledged meets nobody: the record of the run says so. */
export function noteUnused(run: RunState, { name, data }: InboxRow, nowMs: number): void {
  record(run, ENTRY_KINDS.decisionUnused, { id: name, attempt: 1, print: "" }, data, nowMs);
}

// The call of this generation at the same place; names contain no slash.
function placeHere({ root }: RunState, call: string): string {
  return root.path + call.replace(/^\/\d+\//, "");
}

function printOfAsked({ title, form, assignees }: Plan & { kind: "approval" }): string {
  return fingerprint(JSON.stringify([title, form, assignees]));
}
