import type {
  Clear,
  CommitItem,
  Dedup,
  Delivery,
  ItemAnswer,
  NewRun,
  Pause,
  PublishedEvent,
  Release,
  Take,
  Transition,
} from "@claw/core/ports";
import {
  encodeEventNote,
  type InboxRow,
  type RunId,
  type StartRow,
  taskIdOf,
} from "@claw/core/protocol";
import { changeApprovals, decideApproval } from "./approvals.ts";
import { offerMessage, pushMessage } from "./deliver-message.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { isOf } from "./read-runs.ts";
import { writeStreams } from "./streams.ts";
import { answerWaits, logEvent, subscribe, unsubscribe } from "./subscribe.ts";
import { applyTaskItem } from "./tasks.ts";
import {
  appendEntries,
  closeRun,
  createRun,
  holdRun,
  insertRun,
  markRun,
  parkRun,
  renewRun,
  replaceEntries,
  setAttributes,
} from "./write-run.ts";

const UNHELD_OR_PAUSED = ["", "paused"] as const;

/** What one batch has brought about so far. */
export interface BatchWork {
  readonly nowMs: number;
  /** Runs of another one are unknown to clients; undefined for no bound. */
  readonly namespace: string | undefined;
  readonly delivered: InboxRow[];
  readonly started: StartRow[];
}

/** Applies one item of a batch; throws on one that contradicts what the disk holds. */
export function applyItem(disk: MemoryDisk, item: CommitItem, work: BatchWork): ItemAnswer {
  if (item.type === "transition") return applyTransition(disk, item, work);
  if (item.type === "delivery") return applyDelivery(disk, item, work);
  if (item.type === "decision") return decideApproval(disk, item, work);
  if (item.type === "enqueue") {
    const id = taskIdOf(item.lastId);
    const first = item.dedup === null ? null : remember(disk, item.dedup, id, work.nowMs);
    return first ?? applyTaskItem(disk, item, work.nowMs);
  }
  if (item.type === "tasks" || item.type === "redrive") {
    return applyTaskItem(disk, item, work.nowMs);
  }
  if (item.type === "take") return applyTake(disk, item);
  if (item.type !== "publication") return applyOperation(disk, item, work);
  if (publishEvent(disk, item, work)) return { status: "applied", parked: false };
  return { status: "duplicate", run: "", same: true };
}

function applyTransition(disk: MemoryDisk, item: Transition, work: BatchWork): ItemAnswer {
  const { run, start, finish, dedup, park, hold } = item;
  if (dedup !== null) {
    const first = remember(disk, dedup, run, work.nowMs);
    if (first !== null) return first;
  }
  if (finish !== null) closeRun(disk, item, finish);
  else {
    if (start !== null) insertRun(disk, start, item.seq);
    advance(disk, item, work);
  }
  if (item.rare?.renewal) renewRun(disk, run, item.rare.renewal);
  if (item.rare?.attributes) setAttributes(disk, run, item.rare.attributes);
  if (item.rare?.streams) writeStreams(disk, run, item.rare.streams);
  if (finish === null && item.rare) changeApprovals(disk, item);
  for (const created of item.starts) createOther(disk, created, work);
  for (const message of item.messages) pushMessage(disk, message, work.delivered);
  for (const event of item.events) publishEvent(disk, event, work);
  if (finish !== null) return { status: "applied", parked: false };
  if (hold !== null) holdRun(disk, run, item.seq, hold.kind, hold.reason);
  const parked = hold === null && park !== null && parkRun(disk, run, item.seq, park);
  return { status: "applied", parked };
}

function advance(disk: MemoryDisk, item: Transition, work: BatchWork): void {
  const { run, namespace, entries, acks } = item;
  if (item.rare?.replaces === true) replaceEntries(disk, run, item);
  else if (entries !== "") appendEntries(disk, run, item);
  if (item.phase !== null) markRun(disk, run, item.phase);
  if (acks.length > 0) {
    const taken = new Set(acks);
    disk.inbox.keep(run, ({ seq }) => !taken.has(seq));
  }
  for (const call of item.unwaits) unsubscribe(disk, run, call);
  for (const wait of item.waits) subscribe(disk, run, namespace, wait, work.delivered);
}

function createOther(disk: MemoryDisk, created: NewRun, work: BatchWork): void {
  if (createRun(disk, created) && created.due === 0) work.started.push({ ...created.row });
}

function publishEvent(disk: MemoryDisk, published: PublishedEvent, work: BatchWork): boolean {
  const { namespace, event, starts } = published;
  const logged = logEvent(disk, namespace, event, work.nowMs);
  if (logged === null) return false;
  const note = encodeEventNote(logged.seq, event);
  for (const key of logged.keys) answerWaits(disk, key, note, work.delivered);
  for (const created of starts) createOther(disk, created, work);
  return true;
}

function applyDelivery(disk: MemoryDisk, item: Delivery, work: BatchWork): ItemAnswer {
  const { message, dedup } = item;
  if (dedup !== null) {
    const first = remember(disk, dedup, "", work.nowMs);
    if (first !== null) return first;
  }
  const outcome = offerMessage(disk, message, work);
  if (outcome === "delivered") return { status: "applied", parked: false };
  if (dedup !== null) disk.dedup.delete(dedup.scope);
  return { status: "refused", why: outcome, detail: message.to };
}

function applyTake(disk: MemoryDisk, { runs }: Take): ItemAnswer {
  for (const id of runs) {
    const row = disk.runs.get(id);
    if (row?.held === "") disk.runs.set(id, { ...row, due: 0 });
  }
  return { status: "applied", parked: false };
}

function applyOperation(
  disk: MemoryDisk,
  item: Release | Pause | Clear,
  { namespace }: BatchWork,
): ItemAnswer {
  const { run } = item;
  const row = disk.runs.get(run);
  if (item.type === "clear") {
    if (row !== undefined) disk.runs.set(run, { ...row, recoveries: 0 });
    return { status: "applied", parked: false };
  }
  const known = row ?? disk.closed.get(run);
  if (row === undefined || !isOf(row, namespace)) {
    const isClosed = row === undefined && known !== undefined && isOf(known, namespace);
    return { status: "refused", why: isClosed ? "closed" : "unknown", detail: run };
  }
  const allowed = item.type === "pause" ? UNHELD_OR_PAUSED : item.from;
  if (allowed?.includes(row.held) === false) {
    return { status: "refused", why: "state", detail: row.held };
  }
  if (item.type === "pause") holdRun(disk, run, row.seq, "paused", item.reason);
  else if (row.held !== "") {
    disk.runs.set(run, { ...row, held: "", heldReason: "", due: 1, recoveries: 0 });
  }
  return { status: "applied", parked: false };
}

// The answer of a duplicate, or null when the request is new and remembered now.
function remember(
  disk: MemoryDisk,
  dedup: Dedup,
  run: RunId | "",
  nowMs: number,
): ItemAnswer | null {
  const { scope, print, expiresAt } = dedup;
  const first = disk.dedup.get(scope);
  if (first !== undefined && first.expiresAt > nowMs) {
    return { status: "duplicate", run: first.run, same: first.print === print };
  }
  disk.dedup.set(scope, { run, print, expiresAt });
  return null;
}
