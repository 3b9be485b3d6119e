import type { Finish, NewRun, Park, Renewal, Transition } from "@claw/core/ports";
import {
  type AttributeChanges,
  entriesBefore,
  type Hold,
  limits,
  type Phase,
  type RunId,
  type RunRow,
  type StartRow,
} from "@claw/core/protocol";
import type { MemoryDisk } from "./memory-disk.ts";
import { unsubscribe } from "./subscribe.ts";

/** Creates the run that a client starts, held by the committing process. */
export function insertRun(disk: MemoryDisk, start: StartRow, seq: number): void {
  if (disk.runs.has(start.id)) throw new Error(`${start.id} exists already`);
  if (start.keyed !== undefined) throw new Error(`${start.id} must join the queue of its key`);
  disk.runs.set(start.id, { ...newRow(start, 0), seq });
  if (start.trace !== undefined) disk.traces.set(start.id, start.trace);
}

/** Creates a run that another or an event starts; false when its id is known, open or closed. */
export function createRun(disk: MemoryDisk, { row, due }: NewRun): boolean {
  if (disk.runs.has(row.id) || disk.closed.has(row.id)) return false;
  disk.runs.set(row.id, newRow(row, due));
  if (row.trace !== undefined) disk.traces.set(row.id, row.trace);
  return true;
}

/** Lets a new run rest until it has its key. */
export function queueRun(disk: MemoryDisk, run: RunId): void {
  disk.runs.set(run, { ...openRow(disk, run), due: null, held: "queued" });
}

/** Appends the entries `firstSeq` to `lastSeq` of one transition. */
export function appendEntries(disk: MemoryDisk, run: RunId, item: Transition): void {
  const { firstSeq, seq: lastSeq, entries } = item;
  const last = disk.journal.of(run).at(-1)?.lastSeq ?? 0;
  if (firstSeq !== last + 1) {
    throw new Error(`entry ${firstSeq} of ${run} does not follow entry ${last}`);
  }
  openRow(disk, run);
  disk.journal.add(run, { seq: firstSeq, lastSeq, entries });
}

/** Replaces the entries from `firstSeq` on. */
export function replaceEntries(disk: MemoryDisk, run: RunId, item: Transition): void {
  const { firstSeq, seq: lastSeq, entries } = item;
  const rows = disk.journal.of(run);
  const last = rows.at(-1)?.lastSeq ?? 0;
  if (firstSeq > last + 1) {
    throw new Error(`entry ${firstSeq} of ${run} does not follow entry ${last}`);
  }
  openRow(disk, run);
  disk.journal.delete(run);
  for (const row of rows) {
    if (row.seq >= firstSeq) break;
    const kept = entriesBefore(row.entries, row.seq, firstSeq);
    const end = Math.min(row.lastSeq, firstSeq - 1);
    disk.journal.add(run, { seq: row.seq, lastSeq: end, entries: kept });
  }
  disk.journal.add(run, { seq: firstSeq, lastSeq, entries });
}

/** Puts a run to rest unless a message came; true when it rests. */
export function parkRun(disk: MemoryDisk, run: RunId, seq: number, park: Park): boolean {
  const row = openRow(disk, run);
  if (park.due === null && park.waits <= 0) {
    throw new Error(`${run} would be stranded: nothing would wake it`);
  }
  if (row.inboxSeq !== park.inboxSeen) return false;
  disk.runs.set(run, { ...row, seq, due: park.due, waits: park.waits, recoveries: 0 });
  return true;
}

/** Shows what a run does as its status. */
export function markRun(disk: MemoryDisk, run: RunId, phase: Phase): void {
  disk.runs.set(run, { ...openRow(disk, run), phase });
}

/** Closes the journal of a run as that of a generation, and begins that of the next one. */
export function renewRun(disk: MemoryDisk, run: RunId, renewal: Renewal): void {
  const { generation, endedAt, input, seq } = renewal;
  const row = openRow(disk, run);
  const rows = disk.journal.of(run);
  const journal = rows.map(({ entries }) => entries).join("");
  disk.generations.add(run, { generation, endedAt, input: row.input, journal });
  disk.journal.delete(run);
  disk.journal.add(run, { seq: 1, lastSeq: seq, entries: renewal.journal });
  disk.runs.set(run, { ...row, input, seq });
  if (renewal.inbox === undefined) return;
  const unread = disk.inbox.of(run);
  disk.inbox.delete(run);
  const back = renewal.inbox.map(({ call: _call, ...message }) => message);
  for (const message of [...back, ...unread]) disk.inbox.add(run, message);
}

/** Sets attributes of a run; null takes one away. */
export function setAttributes(disk: MemoryDisk, run: RunId, changes: AttributeChanges): void {
  const values = new Map(Object.entries(disk.attributes.get(run) ?? {}));
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) values.delete(name);
    else values.set(name, value);
  }
  if (values.size > limits.ATTRIBUTES_MAX) throw new Error(`${run} has too many attributes`);
  disk.attributes.set(run, Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Holds a run back until it is released. */
export function holdRun(
  disk: MemoryDisk,
  run: RunId,
  seq: number,
  held: Hold,
  heldReason: string,
): void {
  const row = openRow(disk, run);
  // What a person said stands; what holds the run besides shows when it is resumed.
  const stays = row.held === "paused" && held !== "paused";
  const why = stays ? {} : { held, heldReason };
  disk.runs.set(run, { ...row, seq, due: null, ...why, recoveries: 0 });
}

/** Replaces the open run by its closed row. */
export function closeRun(disk: MemoryDisk, last: Transition, finish: Finish): void {
  const { start, ending, journal } = finish;
  if (disk.closed.has(start.id)) throw new Error(`${start.id} has ended already`);
  if (last.start !== null) insertRun(disk, start, 0);
  if (journal !== null) disk.journal.delete(start.id);
  else if (last.rare?.replaces === true) replaceEntries(disk, start.id, last);
  else if (last.entries !== "") appendEntries(disk, start.id, last);
  openRow(disk, start.id);
  disk.runs.delete(start.id);
  disk.inbox.delete(start.id);
  unsubscribe(disk, start.id);
  disk.approvals.delete(start.id);
  disk.closed.set(start.id, {
    ...startRowOf(start),
    status: ending.status,
    endedAt: ending.endedAt,
    output: ending.output,
    error: ending.error === null ? null : JSON.stringify(ending.error),
    abandoned: JSON.stringify(ending.abandoned),
    seq: last.seq,
    journal,
  });
}

/** The columns of a start row alone: what is handed in may carry more. Its key stands in other tables. */
function startRowOf(row: StartRow): Omit<StartRow, "keyed"> {
  return {
    id: row.id,
    namespace: row.namespace,
    workflow: row.workflow,
    version: row.version,
    input: row.input,
    startedAt: row.startedAt,
    parentRun: row.parentRun,
    parentCall: row.parentCall,
    cause: row.cause,
  };
}

function newRow(start: StartRow, due: 0 | 1): RunRow {
  const rest = {
    seq: 0,
    inboxSeq: 0,
    due,
    waits: 0,
    phase: "" as const,
    recoveries: 0,
    held: "" as const,
    heldReason: "",
  };
  return { ...startRowOf(start), ...rest };
}

function openRow(disk: MemoryDisk, run: RunId): RunRow {
  const row = disk.runs.get(run);
  if (row === undefined) throw new Error(`${run} is not an open run`);
  return row;
}
