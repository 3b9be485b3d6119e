import {
  type KeyLine,
  type KeyName,
  keyOwner,
  type KeyRecord,
  type Payload,
  readCoded,
  type RefusedStart,
  retryAfterMs,
  type RunId,
  type RunKey,
  smoothedTurnMs,
  type StartRow,
  type StoredKey,
} from "@claw/core/protocol";
import type { BatchWork } from "./batch-work.ts";
import type { KeyedRunRow, KeyRow, MemoryDisk } from "./memory-disk.ts";

/** Queues a new run whose row is written next; "head" when it has the key at once. */
export function enterKey(
  disk: MemoryDisk,
  row: StartRow,
  keyed: RunKey,
  work: BatchWork,
): "head" | "waiting" | RefusedStart {
  const { id: run, namespace, workflow } = row;
  const { key, waitingMax } = keyed;
  const name = { namespace, workflow, key };
  const known = keyRow(disk, name) ?? newKey(name, 0);
  if (known.head !== "") {
    if (holdsKey(disk, row.parentRun, name)) {
      return { run, workflow, key, why: "deadlock", retryAfterMs: 0 };
    }
    if (known.waiting >= waitingMax) {
      return { run, workflow, key, why: "mailbox", retryAfterMs: retryAfterMs(known.turnMs) };
    }
  }
  const place = known.head === "" ? "head" : "waiting";
  const seq = known.lastSeq + 1;
  if (place === "head") {
    setKey(disk, { ...known, lastSeq: seq, head: run, headSince: work.nowMs });
    work.woken.push(run);
  } else {
    setKey(disk, { ...known, lastSeq: seq, waiting: known.waiting + 1 });
    disk.keyQueues.add(idOf(name), { seq, run });
  }
  disk.keyedRuns.set(run, { ...name, ...keyed, run, seq, place, passes: 0 });
  return place;
}

/** The row of a run that waits is written: it may be let past a held head. */
export function enteredKey(disk: MemoryDisk, run: RunId, work: BatchWork): void {
  const member = disk.keyedRuns.get(run);
  if (member !== undefined) letPast(disk, member, work);
}

/** A run has ended: it leaves the queue of its key. */
export function leaveKey(disk: MemoryDisk, run: RunId, work: BatchWork): void {
  const member = disk.keyedRuns.get(run);
  if (member === undefined) throw new Error(`${run} is in the queue of no key`);
  const { place } = member;
  if (place === "ended") return;
  disk.keyedRuns.set(run, { ...member, place: "ended" });
  if (place === "waiting") removeWaiting(disk, member);
  const row = keyRow(disk, member);
  if (place !== "head" || row === undefined) return;
  const turnMs = smoothedTurnMs(row.turnMs, work.nowMs - row.headSince);
  setKey(disk, { ...row, head: "", turnMs });
  passOn(disk, member, work);
}

/** A run was held: others may be let past. */
export function heldKey(disk: MemoryDisk, run: RunId, work: BatchWork): void {
  const member = disk.keyedRuns.get(run);
  if (member?.place === "head") letPast(disk, member, work);
}

/** Queues a held run that is released and does not have its key; false for any other run. */
export function releaseKey(disk: MemoryDisk, run: RunId, work: BatchWork): boolean {
  const member = disk.keyedRuns.get(run);
  const row = disk.runs.get(run);
  if (member === undefined || row === undefined) return false;
  if (member.place !== "waiting" && member.place !== "aside") return false;
  disk.runs.set(run, { ...row, held: "queued", heldReason: "", due: null, recoveries: 0 });
  if (member.place === "waiting") {
    // Told to stop while it was paused, before it ever began.
    if (disk.inbox.of(run).some(({ kind }) => kind === "cancel")) cancelledKey(disk, run);
    return true;
  }
  disk.keyedRuns.set(run, { ...member, place: "waiting" });
  const known = keyRow(disk, member) ?? newKey(member, member.seq);
  setKey(disk, { ...known, waiting: known.waiting + 1 });
  const queue = [...disk.keyQueues.of(idOf(member)), { seq: member.seq, run }];
  disk.keyQueues.delete(idOf(member));
  for (const one of queue.sort((a, b) => a.seq - b.seq)) disk.keyQueues.add(idOf(member), one);
  if (known.head === "") passOn(disk, member, work);
  else letPast(disk, member, work);
  return true;
}

/** A run was told to stop: it waits for its key no longer, unless it has begun. */
export function cancelledKey(disk: MemoryDisk, run: RunId): void {
  const member = disk.keyedRuns.get(run);
  // What has begun may have steps to undo: it goes on when it has the key.
  if (member === undefined || member.place !== "waiting" || member.passes > 0) return;
  if (!wake(disk, run)) return;
  disk.keyedRuns.set(run, { ...member, place: "ended" });
  removeWaiting(disk, member);
}

/** True for a run that has its key. */
export function hasKey(disk: MemoryDisk, run: RunId): boolean {
  const member = disk.keyedRuns.get(run);
  return member !== undefined && keyRow(disk, member)?.head === run;
}

/** Sets the state of the key that a run has; empty for none. */
export function setKeyState(disk: MemoryDisk, run: RunId, state: Payload): void {
  const row = disk.keyedRuns.get(run);
  if (row === undefined || !hasKey(disk, run)) throw new Error(`${run} does not have a key`);
  const before = stateOf(disk, row);
  const blob = readCoded(before)?.blob ?? null;
  if (blob !== null && before !== state) disk.blobs.delete(`${keyOwner(row)}/${blob.id}`);
  if (state === "") disk.keyStates.delete(idOf(row));
  else disk.keyStates.set(idOf(row), state);
}

/** Lets others past the runs that were quarantined when the disk was opened. */
export function recoverKeys(disk: MemoryDisk, work: BatchWork): void {
  for (const { id, held } of disk.runs.values())
    if (held === "quarantined") heldKey(disk, id, work);
}

/** The key of a stored run; undefined for a run without one. */
export function keyOf(disk: MemoryDisk, run: RunId): StoredKey | undefined {
  const member = disk.keyedRuns.get(run);
  if (member === undefined) return undefined;
  const { key, waitingMax, onHeldHead, seq, place, passes } = member;
  return { key, waitingMax, onHeldHead, seq, place, passes, state: stateOf(disk, member) };
}

/** A key with the first runs that wait for it. */
export function findKey(disk: MemoryDisk, name: KeyName, limit: number): KeyRecord | null {
  const row = keyRow(disk, name);
  const state = stateOf(disk, name);
  if (row === undefined && state === "") return null;
  const { namespace, workflow, key } = name;
  const { head = "", waiting = 0 } = row ?? {};
  const next = disk.keyQueues.of(idOf(name)).slice(0, limit);
  return { namespace, workflow, key, state, head, waiting, next: next.map(({ run }) => run) };
}

/** Where a run stands; undefined for a run without a key. */
export function keyLineOf(disk: MemoryDisk, run: RunId): KeyLine | undefined {
  const member = disk.keyedRuns.get(run);
  if (member === undefined) return undefined;
  const { key, seq, place } = member;
  if (place !== "waiting") return { key, seq, place, behind: "" };
  const before = disk.keyQueues.of(idOf(member)).findLast((one) => one.seq < seq);
  return { key, seq, place, behind: before?.run ?? keyRow(disk, member)?.head ?? "" };
}

/** What names a key on the disk. */
export function idOf({ namespace, workflow, key }: KeyName): string {
  return [namespace, workflow, key].join("\u001f");
}

function keyRow(disk: MemoryDisk, name: KeyName): KeyRow | undefined {
  return disk.keys.get(idOf(name));
}

function newKey({ namespace, workflow, key }: KeyName, lastSeq: number): KeyRow {
  const rest = { head: "", headSince: 0, waiting: 0, turnMs: 0 } as const;
  return { namespace, workflow, key, lastSeq, ...rest };
}

function stateOf(disk: MemoryDisk, name: KeyName): Payload {
  return disk.keyStates.get(idOf(name)) ?? "";
}

function setKey(disk: MemoryDisk, row: KeyRow): void {
  disk.keys.set(idOf(row), row);
}

// Whether a run, or one that waits for it, stands in the queue of a key.
function holdsKey(disk: MemoryDisk, run: RunId, name: KeyName): boolean {
  for (let at = run; at !== ""; at = disk.runs.get(at)?.parentRun ?? "") {
    const member = disk.keyedRuns.get(at);
    if (member === undefined || member.place === "ended") continue;
    if (idOf(member) === idOf(name)) return true;
  }
  return false;
}

// Gives a key that nobody has to the next run. A held one has it although it cannot go on, unless others
// wait and it is to be skipped.
function passOn(disk: MemoryDisk, name: KeyName, work: BatchWork): void {
  for (;;) {
    const [next] = disk.keyQueues.of(idOf(name));
    const member = disk.keyedRuns.get(next?.run ?? "");
    if (next === undefined || member === undefined) break;
    disk.keyedRuns.set(next.run, { ...member, place: "head" });
    removeWaiting(disk, member);
    const row = keyRow(disk, name) ?? newKey(name, member.seq);
    setKey(disk, { ...row, head: next.run, headSince: work.nowMs });
    if (wake(disk, next.run)) {
      work.woken.push(next.run);
      return;
    }
    if (member.onHeldHead === "block" || row.waiting === 0) return;
    stepAside(disk, member);
  }
  disk.keys.delete(idOf(name));
}

// Lets others past a head that is held, if there are others.
function letPast(disk: MemoryDisk, name: KeyName, work: BatchWork): void {
  const row = keyRow(disk, name);
  if (row === undefined || row.waiting === 0) return;
  const head = disk.keyedRuns.get(row.head);
  const isHeld = (disk.runs.get(row.head)?.held ?? "") !== "";
  if (head === undefined || head.onHeldHead !== "skip" || !isHeld) return;
  stepAside(disk, head);
  passOn(disk, name, work);
}

function stepAside(disk: MemoryDisk, member: KeyedRunRow): void {
  disk.keyedRuns.set(member.run, { ...member, place: "aside", passes: member.passes + 1 });
  const row = keyRow(disk, member);
  if (row !== undefined) setKey(disk, { ...row, head: "", headSince: 0 });
}

function removeWaiting(disk: MemoryDisk, member: KeyedRunRow): void {
  disk.keyQueues.keep(idOf(member), ({ run }) => run !== member.run);
  const row = keyRow(disk, member);
  if (row !== undefined) setKey(disk, { ...row, waiting: row.waiting - 1 });
}

// A run that waits for its key is due at once; false for one that is held for another reason.
function wake(disk: MemoryDisk, run: RunId): boolean {
  const row = disk.runs.get(run);
  if (row?.held !== "queued") return false;
  disk.runs.set(run, { ...row, held: "", heldReason: "", due: 1 });
  return true;
}
