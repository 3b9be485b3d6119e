import type { Wait } from "@claw/core/ports";
import {
  decodePayload,
  encodeEventNote,
  eventKey,
  type InboxRow,
  type RunId,
  type StoredEvent,
} from "@claw/core/protocol";
import { pushMessage } from "./deliver-message.ts";
import type { EventRow, MemoryDisk } from "./memory-disk.ts";
import { newestSpread, owesEvents, settleSpreads, toCall } from "./spread.ts";

/** The one name under which all events are kept. */
export const ALL_EVENTS = "";
const UNIT = "\u001f";

/** Logs an event under every shape known of its type; null when (namespace, source, id) is known. */
export function logEvent(
  disk: MemoryDisk,
  namespace: string,
  event: StoredEvent,
): { readonly seq: number; readonly keys: readonly string[] } | null {
  const identity = eventIdentity(namespace, event);
  if (disk.eventIds.has(identity)) return null;
  const seq = (disk.events.of(ALL_EVENTS).at(-1)?.seq ?? 0) + 1;
  disk.eventIds.set(identity, seq);
  const row: EventRow = { seq, namespace, loggedAt: disk.latestMs, event: { ...event } };
  disk.events.add(ALL_EVENTS, row);
  const shapes = disk.shapes.get(typeName(namespace, event.type)) ?? [];
  const data = shapes.length === 0 ? null : decodePayload(event.data);
  const keys = shapes
    .map((shape) => eventKey(namespace, event.type, shape, data))
    .filter((key) => key !== null);
  for (const key of keys) disk.eventKeys.add(key, seq);
  return { seq, keys };
}

/**
 * Registers a subscription, or answers it at once: the first logged event that it looks back to
 * goes into the run's inbox and no row is kept.
 */
export function subscribe(
  disk: MemoryDisk,
  run: RunId,
  namespace: string,
  wait: Wait,
  delivered: InboxRow[],
): void {
  learnShape(disk, namespace, wait);
  const { key, call } = wait;
  const found = lookBack(disk, wait);
  if (found !== undefined) {
    if (owesEvents(disk)) {
      unsubscribe(disk, run, call);
      settleSpreads(disk, run, found.seq, delivered);
    }
    pushMessage(disk, toCall(run, call, encodeEventNote(found.seq, found.event)), delivered);
  } else if (!disk.waitsByKey.of(key).some((other) => other.run === run && other.call === call)) {
    // An event on its way to others is none for this call: it has looked back.
    const row = { key, run, call, beyond: newestSpread(disk, key) };
    disk.waitsByKey.add(key, row);
    disk.waitsByRun.add(run, row);
  }
}

/** Ends the subscription of one call, or all of a run. */
export function unsubscribe(disk: MemoryDisk, run: RunId, call?: string): void {
  for (const wait of disk.waitsByRun.of(run)) {
    if (call !== undefined && wait.call !== call) continue;
    disk.waitsByKey.keep(wait.key, (other) => other.run !== run || other.call !== wait.call);
    disk.waitsByRun.keep(run, (other) => other !== wait);
  }
}

function learnShape(disk: MemoryDisk, namespace: string, { type, shape }: Wait): void {
  const name = typeName(namespace, type);
  const known = disk.shapes.get(name) ?? [];
  if (known.includes(shape)) return;
  disk.shapes.set(name, [...known, shape].sort());
  for (const { seq, namespace: place, event } of disk.events.of(ALL_EVENTS)) {
    if (place !== namespace || event.type !== type) continue;
    const key = eventKey(namespace, type, shape, decodePayload(event.data));
    if (key !== null) disk.eventKeys.add(key, seq);
  }
}

function lookBack(disk: MemoryDisk, { key, after, since }: Wait): EventRow | undefined {
  const events = disk.events.of(ALL_EVENTS);
  // Numbers have no gaps but at the beginning, where events were swept away, unless namespaces are mixed.
  const firstSeq = events[0]?.seq ?? 1;
  for (const seq of disk.eventKeys.of(key)) {
    const near = events[seq - firstSeq];
    const row = near?.seq === seq ? near : events.find((one) => one.seq === seq);
    if (row !== undefined && seq > after && row.loggedAt >= since) return row;
  }
  return undefined;
}

/** What makes an event the same as another. */
export function eventIdentity(namespace: string, { source, id }: StoredEvent): string {
  return [namespace, source, id].join(UNIT);
}

/** The name under which the shapes of a type are kept. */
export function typeName(namespace: string, type: string): string {
  return `${namespace}${UNIT}${type}`;
}
