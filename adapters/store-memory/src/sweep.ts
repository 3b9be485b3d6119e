import type { SweepOrder, Swept } from "@claw/core/ports";
import { type ClosedStatus, decodePayload, eventKey, newRunId } from "@claw/core/protocol";
import { dropBlobs } from "./blobs.ts";
import type { ClosedRow, EventRow, MemoryDisk } from "./memory-disk.ts";
import { ALL_EVENTS, eventIdentity, typeName } from "./subscribe.ts";

/** Removes closed runs with all their rows, and events; see `Store.sweep`. */
export function sweepDisk(disk: MemoryDisk, order: SweepOrder): Swept {
  const { counts, next: run } = sweepRuns(disk, order);
  const { count, next: event } = sweepEvents(disk, order);
  return { runs: counts, events: count, next: { run, event } };
}

function sweepRuns(
  disk: MemoryDisk,
  order: SweepOrder,
): { counts: Partial<Record<ClosedStatus, number>>; next: string | null } {
  const counts: Partial<Record<ClosedStatus, number>> = {};
  const { from, limit, endedBefore } = order;
  const latest = Math.max(0, ...Object.values(endedBefore));
  if (from.run === null || latest === 0) return { counts, next: null };
  const [after, until] = [from.run, newRunId(latest, 0, [0, 0, 0])];
  const ids = [...disk.closed.values()].map(({ id }) => id);
  const seen = ids
    .filter((id) => id > after && id < until)
    .sort()
    .slice(0, limit);
  const parents = new Set([...disk.runs.values()].map(({ parentRun }) => parentRun));
  for (const id of seen) {
    const row = disk.closed.get(id);
    if (row === undefined || !mayGo(disk, order, row) || parents.has(id)) continue;
    counts[row.status] = (counts[row.status] ?? 0) + 1;
    if (!order.dryRun) removeRun(disk, id);
  }
  return { counts, next: seen.length < limit ? null : (seen.at(-1) ?? null) };
}

function mayGo(disk: MemoryDisk, order: SweepOrder, row: ClosedRow): boolean {
  return (
    row.namespace === order.namespace &&
    row.endedAt < (order.endedBefore[row.status] ?? 0) &&
    !disk.runs.has(row.parentRun)
  );
}

function removeRun(disk: MemoryDisk, id: string): void {
  disk.closed.delete(id);
  disk.journal.delete(id);
  disk.attributes.delete(id);
  disk.generations.delete(id);
  disk.streams.delete(id);
  disk.chunks.delete(id);
  disk.traces.delete(id);
  dropBlobs(disk, id);
  disk.keyedRuns.delete(id);
}

function sweepEvents(disk: MemoryDisk, order: SweepOrder): { count: number; next: number | null } {
  const { from, namespace, limit, loggedBefore } = order;
  const { event: after } = from;
  if (after === null || loggedBefore <= 0) return { count: 0, next: null };
  const all = disk.events.of(ALL_EVENTS).slice(0, -1);
  const seen = all.filter(({ seq }) => seq > after).slice(0, limit);
  let before = loggedBefore;
  for (const row of disk.runs.values()) {
    if (row.namespace === namespace) before = Math.min(before, row.startedAt);
  }
  const going = seen.filter((one) => one.namespace === namespace && one.loggedAt < before);
  if (!order.dryRun) removeEvents(disk, going);
  return { count: going.length, next: seen.length < limit ? null : (seen.at(-1)?.seq ?? null) };
}

function removeEvents(disk: MemoryDisk, events: readonly EventRow[]): void {
  const gone = new Set(events.map(({ seq }) => seq));
  disk.events.keep(ALL_EVENTS, ({ seq }) => !gone.has(seq));
  for (const { namespace, event } of events) {
    disk.eventIds.delete(eventIdentity(namespace, event));
    const data = decodePayload(event.data);
    for (const shape of disk.shapes.get(typeName(namespace, event.type)) ?? []) {
      const key = eventKey(namespace, event.type, shape, data);
      if (key !== null) disk.eventKeys.keep(key, (seq) => !gone.has(seq));
    }
  }
}
