import type { StoreLook } from "@claw/core/ports";
import type {
  ArchivedKey,
  ErrorRecord,
  RunArchive,
  RunId,
  StartRequest,
  StartRow,
} from "@claw/core/protocol";
import { readBlob } from "./blobs.ts";
import { findKey, keyOf } from "./keys.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { findRun, listRuns } from "./read-runs.ts";
import { headsOf } from "./streams.ts";
import { ALL_EVENTS } from "./subscribe.ts";

/** A look at what is on a disk now: at a copy of it. */
export function lookAt(now: MemoryDisk): StoreLook {
  const disk = MemoryDisk.restore(now.snapshot());
  return {
    lastEvent: disk.events.of(ALL_EVENTS).at(-1)?.seq ?? 0,
    list: (query) => listRuns(disk, query),
    archive: (id) => archiveOf(disk, id),
    key: (name) => findKey(disk, name, 1),
    openChildren: (id) => childrenOf(disk, id),
    requests: (runs) => requestsOf(disk, runs),
    blob: function* (run, id) {
      const bytes = readBlob(disk, run, id);
      if (bytes !== null) yield bytes;
    },
    close: () => {},
  };
}

function archiveOf(disk: MemoryDisk, id: RunId): Omit<RunArchive, "request"> | null {
  const found = findRun(disk, id);
  if (found === null) return null;
  const { journal, generations = [], attributes } = found;
  const blocks = disk.chunks.of(id).map((block) => ({ ...block }));
  const streams = { heads: headsOf(disk, id), blocks };
  const keyName = keyOf(disk, id)?.key ?? "";
  const shared = { journal, generations, attributes, streams, keyName };
  const open = disk.runs.get(id);
  if (open !== undefined) {
    const { phase, held, heldReason } = open;
    const inbox = disk.inbox.of(id).map((row) => ({ ...row }));
    const state = { phase, held, heldReason, inbox, key: keyIn(disk, id) };
    const seq = disk.journal.of(id).at(-1)?.lastSeq ?? 0;
    return { start: startOf(disk, open), seq, ...shared, open: state, ending: null };
  }
  const closed = disk.closed.get(id);
  if (closed === undefined) return null;
  const { status, endedAt, output, error, seq } = closed;
  const ending = {
    status,
    endedAt,
    output,
    error: error === null ? null : (JSON.parse(error) as ErrorRecord),
    abandoned: found.abandoned,
  };
  return { start: startOf(disk, closed), seq, ...shared, open: null, ending };
}

function keyIn(disk: MemoryDisk, id: RunId): ArchivedKey | null {
  const stored = keyOf(disk, id);
  if (stored === undefined || stored.place === "ended") return null;
  const { key, waitingMax, onHeldHead, seq, state } = stored;
  return { key, waitingMax, onHeldHead, seq, state };
}

function startOf(disk: MemoryDisk, row: StartRow): StartRow {
  const { id, namespace, workflow, version, input, startedAt, parentRun, parentCall, cause } = row;
  const start = {
    id,
    namespace,
    workflow,
    version,
    input,
    startedAt,
    parentRun,
    parentCall,
    cause,
  };
  const trace = disk.traces.get(id);
  return trace === undefined ? start : { ...start, trace };
}

function childrenOf(disk: MemoryDisk, id: RunId): readonly RunId[] {
  const children = [...disk.runs.values()].filter(({ parentRun }) => parentRun === id);
  return children.map((row) => row.id).sort();
}

function requestsOf(disk: MemoryDisk, runs: ReadonlySet<RunId>): ReadonlyMap<RunId, StartRequest> {
  const found = new Map<RunId, StartRequest>();
  for (const [scope, { run, print, expiresAt }] of disk.dedup.entries()) {
    if (runs.has(run)) found.set(run, { scope, print, expiresAt });
  }
  return found;
}
