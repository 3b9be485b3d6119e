import {
  type ChildOutcome,
  decodePayload,
  ENTRY_KINDS,
  eventNumberOf,
  type InboxRow,
} from "../../protocol/index.ts";
import { askedAgain, closeApproval, isEarlyDecision, noteUnused } from "../approvals.ts";
import type { Call } from "../call.ts";
import { extrasOf } from "../draft.ts";
import { record, recordAnswer } from "../record.ts";
import { draftOf, type RunState } from "../run-state.ts";
import { addWait } from "./begin-call.ts";
import { noteDecisions } from "./finish-run.ts";
import { dropWait, lookAfter, numberHere } from "../subscriptions.ts";

// Calls whose messages name them.
const ADDRESSED: ReadonlySet<string> = new Set(["event", "child", "approval", "start"]);

/** Messages that the store put into the inbox; those known already are passed over. */
export function addMessages(run: RunState, rows: readonly InboxRow[]): void {
  for (const row of rows) {
    if (row.seq <= run.inboxSeen) continue;
    run.inbox.push(row);
    run.inboxSeen = row.seq;
    run.hadInbox = true;
  }
  // Its end waits to be sent, and is the last thing that it says.
  if (run.draft !== null && run.draft.ending !== null) noteDecisions(run, run.lastAt);
}

/**
 * Takes every message that an open call waits for, in the order of arrival: each becomes an entry, and
 * its row is removed in the same transition. During replay only for inserted calls. Signals that nobody waits
 * for stay, and decisions of approvals that were not asked for yet; answers to calls that are closed are dropped,
 * but decisions are noted.
 */
export function takeInbox(run: RunState, nowMs: number): void {
  if (run.inbox.length === 0) return;
  if (run.replaying && run.evolution?.inserting !== true) return;
  const waiting = waitingCalls(run);
  const left: InboxRow[] = [];
  for (const row of run.inbox) {
    const call = row.kind === "cancel" ? null : callFor(run, row, waiting);
    if (call === undefined && isEarly(run, row)) {
      left.push(row);
      continue;
    }
    if (call === null) requestCancel(run, row, nowMs);
    else if (call !== undefined) answerOnce(run, call, row, nowMs);
    else if (row.kind === "child") noteUnusedChild(run, row, nowMs);
    else if (row.kind === "approval") noteUnused(run, row, nowMs);
    extrasOf(draftOf(run)).acks.push(row.seq);
  }
  run.inbox = left;
}

function callFor(run: RunState, row: InboxRow, waiting: Map<string, Call[]>): Call | undefined {
  const call = waiting.get(`${row.kind} ${row.name}`)?.shift();
  return call === undefined && row.kind === "approval" ? askedAgain(run, row, waiting) : call;
}

// Beside an inserted call others were not asked for yet. The decision of an approval that the code has not come to,
// because it waits for something else than ctx, was changed or has gone on, was acknowledged, and stays until the code
// asks.
function isEarly(run: RunState, row: InboxRow): boolean {
  if (run.replaying || row.kind === "signal") return true;
  return row.kind === "approval" && isEarlyDecision(run, row);
}

/** True when a message that came before now lies ready for a call: it is taken as soon as the turn is closed. */
export function liesReady({ inbox }: RunState, call: Call): boolean {
  if (inbox.length === 0) return false;
  const key = inboxKey(call);
  return key !== null && inbox.some(({ kind, name }) => `${kind} ${name}` === key);
}

// Without it the journal would tell of a child under way, which may be gone by now.
function noteUnusedChild(run: RunState, { name }: InboxRow, nowMs: number): void {
  const call = { id: name, attempt: 1, print: "" };
  record(run, ENTRY_KINDS.childUnused, call, "", nowMs);
}

// Once is enough: the code has been told, or will be in one of the next turns.
function requestCancel(run: RunState, row: InboxRow, nowMs: number): void {
  const underWay = run.queue.some(
    ({ entry, delivered }) => !delivered && entry.kind === ENTRY_KINDS.cancelRequested,
  );
  if (run.cancelled !== null || underWay) return;
  recordAnswer(run, ENTRY_KINDS.cancelRequested, null, row.data, nowMs);
}

// An event goes to all calls that wait for it; of one run only the first takes it, the next looks on.
function answerOnce(run: RunState, call: Call, row: InboxRow, nowMs: number): void {
  if (row.kind === "event" && call.plan.kind === "event") {
    const taken = takenUpTo(run, call.plan.key);
    const number = numberHere(run, call.id, Number.POSITIVE_INFINITY, eventNumberOf(row.data));
    if (number <= taken) return addWait(run, call.id, call.plan, lookAfter(run, taken));
  }
  answer(run, call, row, nowMs);
}

// The newest event of a key that the code has, or will have in one of the next turns.
function takenUpTo(run: RunState, key: string): number {
  let taken = run.subscriptions?.cursor.get(key) ?? 0;
  for (const { call, entry, delivered } of run.queue) {
    if (delivered || call?.open !== true || entry.kind !== ENTRY_KINDS.eventReceived) continue;
    if (call.plan.kind !== "event" || call.plan.key !== key) continue;
    taken = Math.max(taken, numberHere(run, call.id, entry.seq, eventNumberOf(entry.data)));
  }
  return taken;
}

function answer(run: RunState, call: Call, row: InboxRow, nowMs: number): void {
  call.dueAt = 0;
  if (row.kind === "signal") {
    recordAnswer(run, ENTRY_KINDS.signalReceived, call, row.data, nowMs);
  } else if (row.kind === "approval") {
    closeApproval(run, call.id);
    recordAnswer(run, ENTRY_KINDS.approvalDecided, call, row.data, nowMs);
  } else if (row.kind === "event") {
    run.subscriptions?.calls.delete(call.id);
    dropWait(run, call.id);
    recordAnswer(run, ENTRY_KINDS.eventReceived, call, row.data, nowMs);
  } else if (row.kind === "start") {
    const { output, error } = decodePayload(row.data) as ChildOutcome;
    if (error === undefined) {
      recordAnswer(run, ENTRY_KINDS.runStarted, call, output ?? "", nowMs);
    } else {
      recordAnswer(run, ENTRY_KINDS.startRefused, call, JSON.stringify(error), nowMs);
    }
  } else {
    recordAnswer(run, ENTRY_KINDS.childEnded, call, row.data, nowMs);
  }
}

// Calls that messages can answer, oldest first.
function waitingCalls(run: RunState): Map<string, Call[]> {
  const waiting = new Map<string, Call[]>();
  for (const call of run.open) {
    if (!call.begun || call.answered) continue;
    const key = inboxKey(call);
    if (key === null) continue;
    const calls = waiting.get(key);
    if (calls === undefined) waiting.set(key, [call]);
    else calls.push(call);
  }
  for (const call of run.children?.awaited ?? []) {
    if (!call.answered) waiting.set(`child ${call.id}`, [call]);
  }
  return waiting;
}

function inboxKey(call: Call): string | null {
  const { plan } = call;
  if (plan.kind === "signal") return `signal ${plan.name}`;
  return ADDRESSED.has(plan.kind) ? `${plan.kind} ${call.id}` : null;
}
