import type { RunQuery, StoredRun } from "@claw/core/ports";
import {
  type Attributes,
  decodeEntries,
  Journal,
  describeError,
  type ErrorRecord,
  type Generation,
  type Hold,
  limits,
  type RunId,
  type RunRecord,
  type RunRow,
  type RunStatus,
  type RunSummary,
  type StartRow,
} from "@claw/core/protocol";
import { keyLineOf, keyOf } from "./keys.ts";
import type { ClosedRow, MemoryDisk } from "./memory-disk.ts";
import { headsOf } from "./streams.ts";

/** Open runs with these ids, in this order, each a copy of its own. */
export function loadRuns(disk: MemoryDisk, ids: readonly RunId[]): readonly StoredRun[] {
  const found: StoredRun[] = [];
  for (const id of ids) {
    const row = disk.runs.get(id);
    if (row === undefined) continue;
    const journalText = journalOf(disk, id);
    const keyed = keyOf(disk, id);
    const plain = { ...row, ...traceOf(disk, id) };
    found.push({
      row: keyed === undefined ? plain : { ...plain, keyed },
      journal: Journal.read(journalText, 1, row.startedAt),
      journalText,
      inbox: disk.inbox.of(id).map((message) => ({ ...message })),
      waits: [...disk.waitsByRun.of(id), ...disk.approvals.of(id)].map(({ call }) => call).sort(),
      ...(disk.streams.of(id).length === 0 ? {} : { streams: headsOf(disk, id) }),
    });
  }
  return found;
}

/** Whether whoever asks could go on with a run. */
type Wanted = (row: RunRow) => boolean;

/** Ids of open, unheld runs that are due, most overdue first. */
export function dueRuns(
  disk: MemoryDisk,
  nowMs: number,
  limit: number,
  namespace: string | undefined,
  isWanted: Wanted,
): readonly RunId[] {
  const due: { id: RunId; due: number }[] = [];
  for (const row of disk.runs.values()) {
    if (isSuspect(row) || !isOf(row, namespace) || !isWanted(row)) continue;
    if (row.held === "" && row.due !== null && row.due > 0 && row.due <= nowMs) {
      due.push({ id: row.id, due: row.due });
    }
  }
  due.sort((a, b) => a.due - b.due || (a.id < b.id ? -1 : 1));
  return due.slice(0, limit).map(({ id }) => id);
}

/** Ids of open, unheld runs that may be what ended the processes that took them up. */
export function suspectRuns(
  disk: MemoryDisk,
  limit: number,
  namespace: string | undefined,
  isWanted: Wanted,
): readonly RunId[] {
  const suspects = [...disk.runs.values()].filter(
    (row) => row.held === "" && isSuspect(row) && isOf(row, namespace) && isWanted(row),
  );
  suspects.sort((a, b) => a.recoveries - b.recoveries || (a.id < b.id ? -1 : 1));
  return suspects.slice(0, limit).map(({ id }) => id);
}

function isSuspect({ recoveries }: RunRow): boolean {
  return recoveries >= limits.SUSPECT_RECOVERIES;
}

/** The earliest due time after `afterMs`, or null. */
export function nextDue(
  disk: MemoryDisk,
  afterMs: number,
  namespace: string | undefined,
  isWanted: Wanted,
): number | null {
  let next: number | null = null;
  for (const row of disk.runs.values()) {
    const { due, held } = row;
    if (!isOf(row, namespace) || !isWanted(row)) continue;
    if (held === "" && due !== null && due > 0 && due > afterMs && due < (next ?? Infinity)) {
      next = due;
    }
  }
  return next;
}

/** Ids of runs held for one of the given reasons, oldest first. */
export function heldRuns(
  disk: MemoryDisk,
  kinds: readonly Hold[],
  limit: number,
  namespace?: string,
): readonly RunId[] {
  const held: RunId[] = [];
  for (const row of disk.runs.values()) {
    if (row.held !== "" && kinds.includes(row.held) && isOf(row, namespace)) held.push(row.id);
  }
  return held.sort().slice(0, limit);
}

/** True for the row of a run of this namespace; of any, when none is given. */
export function isOf(row: StartRow, namespace: string | undefined): boolean {
  return namespace === undefined || row.namespace === namespace;
}

/** Lines about runs, newest first. */
export function listRuns(disk: MemoryDisk, query: RunQuery): readonly RunSummary[] {
  const { namespace, workflow, status, since, before } = query;
  return [
    ...[...disk.runs.values()].map((row) => openSummary(disk, row)),
    ...[...disk.closed.values()].map((row) => closedSummary(disk, row)),
  ]
    .filter(
      (run) =>
        (namespace === undefined || run.namespace === namespace) &&
        (workflow === undefined || run.workflow === workflow) &&
        (status === undefined || run.status === status) &&
        (since === undefined || run.startedAt >= since) &&
        (before === undefined || run.id < before) &&
        hasAttributes(run, query.attributes),
    )
    .sort((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, query.limit);
}

function hasAttributes(run: RunSummary, asked: Attributes = {}): boolean {
  return Object.entries(asked).every(
    ([name, value]) =>
      Object.hasOwn(run.attributes, name) && String(run.attributes[name]) === String(value),
  );
}

/** One run with its journal, open or closed. */
export function findRun(disk: MemoryDisk, id: RunId): RunRecord | null {
  const open = disk.runs.get(id);
  if (open !== undefined) {
    return {
      ...openSummary(disk, open),
      input: open.input,
      output: "",
      error: null,
      abandoned: [],
      due: open.due,
      journal: decodeEntries(journalOf(disk, id), 1, open.startedAt),
      ...generationsOf(disk, open),
      ...queueOf(disk, id),
      ...traceOf(disk, id),
      parentCall: open.parentCall,
    };
  }
  const closed = disk.closed.get(id);
  if (closed === undefined) return null;
  return {
    ...closedSummary(disk, closed),
    input: closed.input,
    output: closed.output,
    error: closed.error === null ? null : (JSON.parse(closed.error) as ErrorRecord),
    abandoned: JSON.parse(closed.abandoned) as string[],
    due: null,
    journal: decodeEntries(closed.journal ?? journalOf(disk, id), 1, closed.startedAt),
    ...generationsOf(disk, closed),
    ...queueOf(disk, id),
    ...traceOf(disk, id),
    parentCall: closed.parentCall,
  };
}

function traceOf(disk: MemoryDisk, id: RunId): Pick<StartRow, "trace"> {
  const trace = disk.traces.get(id);
  return trace === undefined ? {} : { trace };
}

function queueOf(disk: MemoryDisk, id: RunId): Pick<RunRecord, "queue"> {
  const queue = keyLineOf(disk, id);
  return queue === undefined ? {} : { queue };
}

function generationsOf(
  disk: MemoryDisk,
  { id, startedAt }: StartRow,
): { readonly generations?: readonly Generation[] } {
  const rows = disk.generations.of(id);
  if (rows.length === 0) return {};
  const generations = rows.map((row) => ({
    ...row,
    journal: decodeEntries(row.journal, 1, startedAt),
  }));
  return { generations };
}

/** The text of a journal that is kept in rows. */
function journalOf(disk: MemoryDisk, id: RunId): string {
  return disk.journal
    .of(id)
    .map(({ entries }) => entries)
    .join("");
}

function openSummary(disk: MemoryDisk, row: RunRow): RunSummary {
  // 0: a process holds it; 1: due at once.
  const resting: RunStatus = row.due === 0 || row.due === 1 ? "running" : "waiting";
  return {
    ...sharedSummary(disk, row),
    status: row.held || row.phase || resting,
    endedAt: null,
    reason: row.heldReason,
  };
}

function closedSummary(disk: MemoryDisk, row: ClosedRow): RunSummary {
  return {
    ...sharedSummary(disk, row),
    status: row.status,
    endedAt: row.endedAt,
    reason: row.error === null ? "" : describeError(JSON.parse(row.error) as ErrorRecord),
  };
}

function sharedSummary(
  disk: MemoryDisk,
  row: StartRow,
): Omit<RunSummary, "status" | "endedAt" | "reason"> {
  const { id, namespace, workflow, version, startedAt, parentRun, cause } = row;
  const attributes = { ...disk.attributes.get(id) };
  return { id, namespace, workflow, version, startedAt, parentRun, cause, attributes };
}
