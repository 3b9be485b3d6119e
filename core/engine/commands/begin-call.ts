import {
  encodeChild,
  ENTRY_KINDS,
  type ErrorRecord,
  recordError,
  type StartRow,
} from "../../protocol/index.ts";
import { openApproval } from "../approvals.ts";
import type { Call, Plan } from "../call.ts";
import { attachedTo } from "../children.ts";
import { extrasOf, rareOf } from "../draft.ts";
import { isInserted } from "../evolution.ts";
import { record, recordAnswer } from "../record.ts";
import { draftOf, type RunState } from "../run-state.ts";
import { lookAfter, subscriptionsOf } from "../subscriptions.ts";
import { saveState } from "./save-state.ts";
import { settleKeyState } from "./set-key-state.ts";
import { writeFromCode } from "./write-chunks.ts";

/**
 * Begins all calls that were asked for, in the order of asking. Called at the close of a turn; during
 * replay only inserted calls begin. Calls answered without the outside are answered here, their entry
 * rides along.
 */
export function beginCalls(run: RunState, nowMs: number): void {
  if (run.keyState !== null && !run.replaying) settleKeyState(run, nowMs);
  if (run.asked.length === 0) return;
  if (run.replaying) return beginInserted(run, nowMs);
  const asked = run.asked;
  run.asked = [];
  for (const call of asked) if (call.open) beginCall(run, call, nowMs);
}

/** Facts and chunks that code set in its last turn without awaiting them ride in the finishing transition. */
export function beginFacts(run: RunState, nowMs: number): void {
  for (const call of run.asked) {
    const { kind } = call.plan;
    const isFact = kind === "attributes" || kind === "stream" || kind === "span";
    if (call.open && isFact) beginCall(run, call, nowMs);
  }
}

function beginInserted(run: RunState, nowMs: number): void {
  const { evolution } = run;
  if (evolution === null || !evolution.inserting) return;
  const left: Call[] = [];
  for (const call of run.asked) {
    if (!isInserted(call, evolution.inserts)) left.push(call);
    else if (call.open) beginCall(run, call, nowMs);
  }
  run.asked = left;
}

function beginCall(run: RunState, call: Call, nowMs: number): void {
  const { plan } = call;
  const begunBefore = call.begun;
  call.begun = true;
  switch (plan.kind) {
    case "emit":
      extrasOf(draftOf(run)).events.push({ event: plan.event, triggered: plan.triggered });
      return recordAnswer(run, ENTRY_KINDS.eventEmitted, call, "", nowMs);
    case "start":
      if (plan.row.keyed !== undefined)
        return begunBefore ? undefined : requestStart(run, call, plan.row, nowMs);
      extrasOf(draftOf(run)).starts.push(plan.row);
      return recordAnswer(run, ENTRY_KINDS.runStarted, call, JSON.stringify(plan.row.id), nowMs);
    case "checkpoint":
      return saveState(run, call, plan.note, nowMs);
    case "span":
      return recordAnswer(run, ENTRY_KINDS.spanNoted, call, plan.attributes, nowMs);
    case "stream": {
      const refusal = writeFromCode(run, call, plan, nowMs);
      const data = refusal === null ? "" : JSON.stringify(withoutStack(recordError(refusal)));
      return recordAnswer(run, ENTRY_KINDS.streamWritten, call, data, nowMs);
    }
    case "attributes": {
      const rare = rareOf(draftOf(run));
      rare.attributes = { ...rare.attributes, ...plan.values };
      const data = JSON.stringify(plan.values);
      return recordAnswer(run, ENTRY_KINDS.attributesSet, call, data, nowMs);
    }
    case "child":
      if (!begunBefore) beginChild(run, call, plan, nowMs);
      return;
    case "approval":
      openApproval(run, call, plan);
      if (call.dueAt > 0) run.begun.push(call);
      return;
    case "event":
      subscribe(run, call, plan);
      if (call.dueAt > 0) run.begun.push(call);
      return;
    case "signal":
      if (call.dueAt > 0) run.begun.push(call);
      return;
    default:
      run.begun.push(call);
  }
}

// Where in the kernel it was said helps nobody.
function withoutStack({ stack: _stack, ...record }: ErrorRecord): ErrorRecord {
  return record;
}

function beginChild(
  run: RunState,
  call: Call,
  plan: Plan & { kind: "child" },
  nowMs: number,
): void {
  const { row, onParentEnd } = plan;
  if (onParentEnd !== "cancel") attachedTo(run).policies.set(call.id, onParentEnd);
  extrasOf(draftOf(run)).starts.push(row);
  record(run, ENTRY_KINDS.childStarted, call, encodeChild({ run: row.id, onParentEnd }), nowMs);
}

// The queue of its key may take no more, so the store answers, in the same transaction.
function requestStart(run: RunState, call: Call, row: StartRow, nowMs: number): void {
  const draft = draftOf(run);
  extrasOf(draft).starts.push(row);
  const rare = rareOf(draft);
  rare.answers = { ...rare.answers, [row.id]: call.id };
  record(run, ENTRY_KINDS.startRequested, call, JSON.stringify(row.id), nowMs);
}

function subscribe(run: RunState, call: Call, plan: Plan & { kind: "event" }): void {
  const subscriptions = subscriptionsOf(run);
  if (subscriptions.calls.has(call.id)) return;
  subscriptions.calls.add(call.id);
  run.hadWaits = true;
  // The store has answered it in an earlier life: the message is taken next.
  if (run.inbox.some(({ kind, name }) => kind === "event" && name === call.id)) return;
  addWait(run, call.id, plan, lookAfter(run, subscriptions.cursor.get(plan.key) ?? 0));
}

/** Registers the wait of a call for events whose number is greater than `after`. */
export function addWait(
  run: RunState,
  call: string,
  { key, type, shape }: Plan & { kind: "event" },
  after: number,
): void {
  const since = run.start.startedAt;
  extrasOf(draftOf(run)).waits.push({ call, key, type, shape, since, after });
}
