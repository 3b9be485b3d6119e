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
  Start,
  Take,
  Transition,
} from "@claw/core/ports";
import {
  encodeEventNote,
  type RefusedStart,
  refusedOutcome,
  type RunId,
  type StartRow,
  taskIdOf,
} from "@claw/core/protocol";
import { changeApprovals, decideApproval } from "./approvals.ts";
import type { BatchWork } from "./batch-work.ts";
import { offerMessage, pushMessage } from "./deliver-message.ts";
import {
  enteredKey,
  enterKey,
  hasKey,
  heldKey,
  leaveKey,
  releaseKey,
  setKeyState,
} from "./keys.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { isOf } from "./read-runs.ts";
import { writeStreams } from "./streams.ts";
import { answerWaits, goOnSpreading } from "./spread.ts";
import { logEvent, subscribe, unsubscribe } from "./subscribe.ts";
import { applyTaskItem } from "./tasks.ts";
import {
  appendEntries,
  closeRun,
  createRun,
  holdRun,
  insertRun,
  markRun,
  parkRun,
  queueRun,
  renewRun,
  replaceEntries,
  setAttributes,
} from "./write-run.ts";

const PAUSABLE = ["", "paused", "queued"] as const;

/** Applies one item of a batch; throws on one that contradicts what the disk holds. */
export function applyItem(disk: MemoryDisk, item: CommitItem, work: BatchWork): ItemAnswer {
  if (item.type === "transition") return withRefused(applyTransition(disk, item, work), work);
  if (item.type === "start") return applyStart(disk, item, work);
  if (item.type === "delivery") return applyDelivery(disk, item, work);
  if (item.type === "decision") {
    if (isElsewhere(disk, item.run, work.holder, false)) return elsewhere(item.run);
    return decideApproval(disk, item, work);
  }
  if (item.type === "enqueue") {
    const id = taskIdOf(item.lastId);
    const first = item.dedup === null ? null : remember(disk, item.dedup, id, work.nowMs);
    return first ?? applyTaskItem(disk, item, work);
  }
  if (item.type === "tasks" || item.type === "redrive") {
    return applyTaskItem(disk, item, work);
  }
  if (item.type === "take") return applyTake(disk, item);
  if (item.type === "spread") {
    goOnSpreading(disk, work.delivered);
    return { status: "applied", parked: false };
  }
  if (item.type !== "publication") return applyOperation(disk, item, work);
  if (publishEvent(disk, item, work))
    return withRefused({ status: "applied", parked: false }, work);
  return { status: "duplicate", run: "", same: true };
}

function withRefused(answer: ItemAnswer, work: BatchWork): ItemAnswer {
  if (work.refused.length === 0 || answer.status !== "applied") return answer;
  return { ...answer, refused: work.refused.splice(0) };
}

function applyStart(disk: MemoryDisk, { start, dedup }: Start, work: BatchWork): ItemAnswer {
  if (dedup !== null) {
    const first = remember(disk, dedup, start.row.id, work.nowMs);
    if (first !== null) return first;
  }
  const refused = createOther(disk, start, work);
  if (typeof refused === "boolean") return { status: "applied", parked: false };
  if (dedup !== null) disk.dedup.delete(dedup.scope);
  work.refused.length = 0;
  return { status: "refused", why: "start", detail: refused.why, start: refused };
}

function applyTransition(disk: MemoryDisk, item: Transition, work: BatchWork): ItemAnswer {
  const { run, start, finish, dedup, park, hold } = item;
  if (start === null && isElsewhere(disk, run, work.holder, true)) return elsewhere(run);
  if (item.rare?.keyState && start === null && !hasKey(disk, run)) {
    return { status: "refused", why: "state", detail: run };
  }
  if (dedup !== null) {
    const first = remember(disk, dedup, run, work.nowMs);
    if (first !== null) return first;
  }
  disk.nodes.wrote(run);
  if (finish !== null) closeRun(disk, item, finish);
  else {
    if (start !== null) insertOwn(disk, item, start, work);
    if (start !== null && work.holder !== null) disk.owners.set(run, work.holder);
    advance(disk, item, work);
  }
  for (const one of item.rare?.past ?? []) disk.generations.add(run, { ...one });
  if (item.rare?.renewal) renewRun(disk, run, item.rare.renewal);
  if (item.rare?.attributes) setAttributes(disk, run, item.rare.attributes);
  if (item.rare?.streams) writeStreams(disk, run, item.rare.streams);
  if (finish === null && item.rare) changeApprovals(disk, item);
  if (item.rare?.keyState) setKeyState(disk, run, item.rare.keyState.state);
  for (const created of item.starts) startOther(disk, item, created, work);
  for (const message of item.messages) pushMessage(disk, message, work.delivered);
  for (const event of item.events) publishEvent(disk, event, work);
  if (finish !== null || hold !== null) disk.owners.delete(run);
  if (finish !== null) {
    if (finish.start.keyed !== undefined) leaveKey(disk, run, work);
    return { status: "applied", parked: false };
  }
  if (hold !== null) {
    holdRun(disk, run, item.seq, hold.kind, hold.reason);
    heldKey(disk, run, work);
    if (start?.keyed !== undefined) enteredKey(disk, run, work);
  }
  const parked = hold === null && park !== null && parkRun(disk, run, item.seq, park);
  if (parked) disk.owners.delete(run);
  return { status: "applied", parked };
}

// Only who holds a run writes to it. `isWritten`: being held by nobody is not enough.
function isElsewhere(
  disk: MemoryDisk,
  run: RunId,
  holder: number | null,
  isWritten: boolean,
): boolean {
  if (holder === null) return false;
  const owner = disk.owners.get(run);
  return owner === undefined ? isWritten && disk.runs.has(run) : owner !== holder;
}

function elsewhere(run: RunId): ItemAnswer {
  return { status: "refused", why: "elsewhere", detail: run };
}

// A run of a key comes from another store, held: it joins the queue as if it were new.
function insertOwn(disk: MemoryDisk, item: Transition, start: StartRow, work: BatchWork): void {
  if (start.keyed === undefined || item.hold === null) return insertRun(disk, start, item.seq);
  const { keyed, ...row } = start;
  const entered = enterKey(disk, start, keyed, work);
  if (typeof entered !== "string") {
    throw new Error(`${row.id} cannot join the queue of its key: ${entered.why}`);
  }
  insertRun(disk, row, item.seq);
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

// What a run starts itself: whoever waits for it is told that it was not created.
function startOther(disk: MemoryDisk, from: Transition, created: NewRun, work: BatchWork): void {
  const outcome = createOther(disk, created, work);
  if (outcome === false) return;
  const { id, parentRun, parentCall } = created.row;
  const call = from.rare?.answers?.[id];
  if (outcome === true && call === undefined) return;
  const data =
    outcome === true
      ? { status: "completed", output: JSON.stringify(id) }
      : refusedOutcome(outcome);
  const message =
    call === undefined
      ? ({ to: parentRun, kind: "child", name: parentCall } as const)
      : ({ to: from.run, kind: "start", name: call } as const);
  pushMessage(disk, { ...message, from: id, data: JSON.stringify(data) }, work.delivered);
}

// False for a run whose id is known.
function createOther(disk: MemoryDisk, created: NewRun, work: BatchWork): boolean | RefusedStart {
  const { row, due } = created;
  if (row.keyed === undefined) {
    if (!createRun(disk, created)) return false;
    if (due === 0) work.started.push({ ...row });
    if (due === 0 && work.holder !== null) disk.owners.set(row.id, work.holder);
    return true;
  }
  if (disk.runs.has(row.id) || disk.closed.has(row.id)) return false;
  const entered = enterKey(disk, row, row.keyed, work);
  if (typeof entered !== "string") {
    work.refused.push(entered);
    return entered;
  }
  createRun(disk, { row, due: 1 });
  if (entered === "waiting") {
    queueRun(disk, row.id);
    enteredKey(disk, row.id, work);
  }
  return true;
}

function publishEvent(disk: MemoryDisk, published: PublishedEvent, work: BatchWork): boolean {
  const { namespace, event, starts } = published;
  const logged = logEvent(disk, namespace, event);
  if (logged === null) return false;
  const note = encodeEventNote(logged.seq, event);
  for (const key of logged.keys) answerWaits(disk, key, logged.seq, note, work.delivered);
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
  work: BatchWork,
): ItemAnswer {
  const { namespace } = work;
  const { run } = item;
  const row = disk.runs.get(run);
  if (item.type === "clear") {
    if (isElsewhere(disk, run, work.holder, false)) return elsewhere(run);
    if (row !== undefined) disk.runs.set(run, { ...row, recoveries: 0 });
    return { status: "applied", parked: false };
  }
  const known = row ?? disk.closed.get(run);
  if (row === undefined || !isOf(row, namespace)) {
    const isClosed = row === undefined && known !== undefined && isOf(known, namespace);
    return { status: "refused", why: isClosed ? "closed" : "unknown", detail: run };
  }
  if (isElsewhere(disk, run, work.holder, false)) return elsewhere(run);
  const allowed = item.type === "pause" ? PAUSABLE : item.from;
  if (allowed?.includes(row.held) === false) {
    return { status: "refused", why: "state", detail: row.held };
  }
  if (item.type === "pause") {
    holdRun(disk, run, row.seq, "paused", item.reason);
    heldKey(disk, run, work);
  } else if (row.held !== "" && !releaseKey(disk, run, work)) {
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
