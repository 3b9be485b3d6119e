import { hash128 } from "./hash.ts";

/**
 * Public id of a run: `run_` and 26 characters of Crockford base 32, sortable by time:
 * 10 of milliseconds since 1970, 3 of partition (0..4095), 13 of randomness.
 */
export type RunId = string;

/** Number of partitions; a run's partition is the unit of placement and is fixed for its life. */
export const PARTITION_COUNT = 4096;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const PAIRS: string[] = [];
for (const high of ALPHABET) for (const low of ALPHABET) PAIRS.push(high + low);
const RUN_ID = /^run_[0-9a-hjkmnp-tv-z]{26}$/;

let timeCachedMs = -1;
let timeCached = "";

function timeChars(timeMs: number): string {
  if (timeMs === timeCachedMs) return timeCached;
  let rest = timeMs;
  let chars = "";
  for (let i = 0; i < 5; i++) {
    chars = pair(rest % 1024) + chars;
    rest = Math.floor(rest / 1024);
  }
  timeCachedMs = timeMs;
  timeCached = chars;
  return chars;
}

function pair(tenBits: number): string {
  return PAIRS[tenBits & 1023] ?? "";
}

function tail(a: number, b: number, c: number): string {
  return (
    pair(a) +
    pair(a >>> 10) +
    pair(a >>> 20) +
    pair(b) +
    pair(b >>> 10) +
    pair(b >>> 20) +
    (ALPHABET[c & 31] ?? "")
  );
}

/** An id for a new run. `words` are three random unsigned 32-bit words. */
export function newRunId(
  timeMs: number,
  partition: number,
  words: readonly [number, number, number],
): RunId {
  const place = (ALPHABET[(partition >>> 10) & 31] ?? "") + pair(partition);
  return `run_${timeChars(timeMs)}${place}${tail(words[0], words[1], words[2])}`;
}

/**
 * The id of a run started by the call of another: the same for the same parent, call and time, so
 * that a repeated start after a crash meets the first one.
 */
export function derivedRunId(parent: RunId, call: string, timeMs: number): RunId {
  const [a, b, c, d] = hash128(`${parent}\u001f${call}`);
  return newRunId(timeMs, d % PARTITION_COUNT, [a, b, c]);
}

/** The partition that an id carries. */
export function partitionOf(id: RunId): number {
  const at = id.length - 16;
  const high = ALPHABET.indexOf(id[at] ?? "");
  const middle = ALPHABET.indexOf(id[at + 1] ?? "");
  const low = ALPHABET.indexOf(id[at + 2] ?? "");
  return (high << 10) | (middle << 5) | low;
}

/** The partition of a key: the same everywhere. */
export function partitionOfKey(key: string): number {
  return hash128(key)[0] % PARTITION_COUNT;
}

/** True for text of the form of a run id. */
export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

/** When a run with this id was started, in milliseconds since 1970. */
export function startTimeOf(id: RunId): number {
  let timeMs = 0;
  for (let i = 4; i < 14; i++) timeMs = timeMs * 32 + ALPHABET.indexOf(id[i] ?? "");
  return timeMs;
}
