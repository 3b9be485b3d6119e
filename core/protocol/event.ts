import { ClawError } from "./errors.ts";
import { hash128 } from "./hash.ts";
import type { Payload } from "./payload.ts";

/** An event as it is kept: the attributes of CloudEvents 1.0 that matter here, and its data. */
export interface StoredEvent {
  /** Unique together with `source`. */
  readonly id: string;
  /** Where it comes from: a URI reference. */
  readonly source: string;
  /** Such as "com.shop.order.opened". */
  readonly type: string;
  /** What it is about; absent for none. */
  readonly subject?: string;
  /** When it happened, milliseconds since 1970. */
  readonly time: number;
  /** Empty for none. */
  readonly data: Payload;
}

/** An equality map: path in the event's data, with dots, to the value that must stand there. */
export type Match = Readonly<Record<string, string | number | boolean | null>>;

/** The paths of a match in sorted order, joined: matches of one shape share an index. */
export type Shape = string;

const SEPARATOR = "\u001f";
const KEY_CHARS_MAX = 240;

/** The shape of a match; empty for a match without paths. */
export function shapeOf(match: Match): Shape {
  return Object.keys(match).sort().join(SEPARATOR);
}

/** The index key of a subscription: equal keys mean that event and match agree. */
export function matchKey(namespace: string, type: string, match: Match): string {
  const shape = shapeOf(match);
  const values = shape === "" ? [] : shape.split(SEPARATOR).map((path) => match[path]);
  return indexKey(namespace, type, shape, JSON.stringify(values));
}

/** The index key of an event under a shape; null when a path leads nowhere in its data. */
export function eventKey(
  namespace: string,
  type: string,
  shape: Shape,
  data: unknown,
): string | null {
  const values: unknown[] = [];
  if (shape !== "") {
    for (const path of shape.split(SEPARATOR)) {
      const value = valueAt(data, path);
      if (value === undefined || (typeof value === "object" && value !== null)) return null;
      values.push(value);
    }
  }
  return indexKey(namespace, type, shape, JSON.stringify(values));
}

function indexKey(namespace: string, type: string, shape: Shape, values: string): string {
  const key = [namespace, type, shape, values].join(SEPARATOR);
  if (key.length <= KEY_CHARS_MAX) return key;
  return `#${hash128(key)
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("")}`;
}

/** What an inbox row and an entry hold of an event: its number in the log, and the event. */
export interface EventNote {
  readonly number: number;
  readonly event: Omit<StoredEvent, "data"> & { readonly data: unknown };
}

/** Text of an EventNote, without decoding the event's data. */
export function encodeEventNote(number: number, event: StoredEvent): Payload {
  const { data, ...attributes } = event;
  const head = JSON.stringify(attributes);
  const tail = data === "" ? "" : `,"data":${data}`;
  return `${NOTE_HEAD}${number},"event":${head.slice(0, -1)}${tail}}}`;
}

const NOTE_HEAD = '{"number":';

/** The number in the text of an EventNote, without decoding the rest. */
export function eventNumberOf(note: Payload): number {
  return Number.parseInt(note.slice(NOTE_HEAD.length), 10);
}

/** What stands at a path such as "issue.number" in data; undefined when it leads nowhere. */
export function valueAt(data: unknown, path: string): unknown {
  let value = data;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/**
 * Checks a match: paths are names joined by dots, values are strings, finite numbers, booleans or null.
 * Errors: CLAW-1001.
 */
export function checkMatch(match: Match): void {
  if (typeof match !== "object" || match === null || Array.isArray(match)) {
    throw new ClawError("CLAW-1001", "match is not an object of paths and values");
  }
  for (const [path, value] of Object.entries(match)) {
    if (!isPath(path) || !isScalar(value)) {
      throw new ClawError(
        "CLAW-1001",
        `match has no valid path and scalar at ${JSON.stringify(path)}`,
      );
    }
  }
}

// Control characters separate the parts of a key.
function isPath(path: string): boolean {
  return path !== "" && path.isWellFormed() && !/\p{Cc}/u.test(path);
}

function isScalar(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\0");
  return value === null || typeof value === "boolean" || Number.isFinite(value);
}
