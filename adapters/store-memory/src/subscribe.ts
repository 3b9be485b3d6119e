import type { Wait } from "@claw/core/ports";
import {
  decodePayload,
  encodeEventNote,
  eventKey,
  type InboxRow,
  type Message,
  type RunId,
  type StoredEvent,
} from "@claw/core/protocol";
import { pushMessage } from "./deliver-message.ts";
import type { EventRow, MemoryDisk } from "./memory-disk.ts";

const ALL = "";
const UNIT = "\u001f";

/** Logs an event under every shape known of its type; null when (namespace, source, id) is known. */
export function logEvent(
  disk: MemoryDisk,
  namespace: string,
  event: StoredEvent,
  nowMs: number,
): { readonly seq: number; readonly keys: readonly string[] } | null {
  const identity = [namespace, event.source, event.id].join(UNIT);
  if (disk.eventIds.has(identity)) return null;
  const seq = disk.events.of(ALL).length + 1;
  disk.eventIds.set(identity, seq);
  const row: EventRow = { seq, namespace, loggedAt: nowMs, event: { ...event } };
  disk.events.add(ALL, row);
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
    pushMessage(disk, toCall(run, call, encodeEventNote(found.seq, found.event)), delivered);
  } else if (!disk.waitsByKey.of(key).some((other) => other.run === run && other.call === call)) {
    disk.waitsByKey.add(key, { key, run, call });
    disk.waitsByRun.add(run, { key, run, call });
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

/** Turns every subscription to `key` into a message, in the order of run and call. */
export function answerWaits(
  disk: MemoryDisk,
  key: string,
  note: string,
  delivered: InboxRow[],
): void {
  const waiting = [...disk.waitsByKey.of(key)].sort((a, b) =>
    a.run === b.run ? compare(a.call, b.call) : compare(a.run, b.run),
  );
  if (waiting.length === 0) return;
  disk.waitsByKey.delete(key);
  for (const { run, call } of waiting) {
    disk.waitsByRun.keep(run, (other) => other.key !== key || other.call !== call);
    pushMessage(disk, toCall(run, call, note), delivered);
  }
}

function learnShape(disk: MemoryDisk, namespace: string, { type, shape }: Wait): void {
  const name = typeName(namespace, type);
  const known = disk.shapes.get(name) ?? [];
  if (known.includes(shape)) return;
  disk.shapes.set(name, [...known, shape].sort());
  for (const { seq, namespace: place, event } of disk.events.of(ALL)) {
    if (place !== namespace || event.type !== type) continue;
    const key = eventKey(namespace, type, shape, decodePayload(event.data));
    if (key !== null) disk.eventKeys.add(key, seq);
  }
}

function lookBack(disk: MemoryDisk, { key, after, since }: Wait): EventRow | undefined {
  const events = disk.events.of(ALL);
  for (const seq of disk.eventKeys.of(key)) {
    const row = events[seq - 1];
    if (row !== undefined && seq > after && row.loggedAt >= since) return row;
  }
  return undefined;
}

function toCall(to: RunId, call: string, note: string): Message {
  return { to, kind: "event", name: call, from: "", data: note };
}

function typeName(namespace: string, type: string): string {
  return `${namespace}${UNIT}${type}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
