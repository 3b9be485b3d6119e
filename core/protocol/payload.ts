import { ClawError, isClawError } from "./errors.ts";
import { PAYLOAD_BYTES_MAX } from "./limits.ts";

/** An encoded value: JSON text. The empty string stands for `undefined`. */
export type Payload = string;

/**
 * What a value is after it was stored and read: dates and other objects with `toJSON` become what
 * that returns, functions and symbols cannot be stored, `undefined` fields are dropped.
 */
export type Stored<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends { toJSON(): infer J }
    ? Stored<J>
    : T extends (...args: never[]) => unknown
      ? never
      : T extends object
        ? { [K in keyof T]: Stored<T[K]> }
        : T;

const DEPTH_MAX = 200;

/**
 * Encodes a value as JSON text.
 * Errors: CLAW-1005 names the path of what JSON cannot hold or would lose (function, symbol, BigInt,
 * NaN, cycle, Map, Promise, Error, bytes, NUL, lone surrogate, nesting over 200); CLAW-1006 when the
 * text is over `bytesMax` bytes.
 */
export function encodePayload(value: unknown, bytesMax: number = PAYLOAD_BYTES_MAX): Payload {
  if (value === undefined) return "";
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  const text = textOf(value);
  // JSON.stringify escapes NUL and lone surrogates, so text without \u needs no closer look.
  if (text.includes("\\u")) inspectText(JSON.parse(text), "$");
  if (text.length * 3 > bytesMax && utf8Bytes(text) > bytesMax) {
    throw new ClawError("CLAW-1006", `The payload has ${utf8Bytes(text)} bytes of ${bytesMax}`);
  }
  return text;
}

// Getters, toJSON and proxies are the author's code: whatever they throw becomes a coded error.
function textOf(value: unknown): string {
  try {
    if (typeof value !== "string") inspect(value, "$", 0, []);
    return JSON.stringify(value);
  } catch (error) {
    if (isClawError(error)) throw error;
    throw refused("$", error instanceof Error ? error.message : "reading it failed");
  }
}

/** True for a stored payload that must be decoded first, by a codec or from a blob: no JSON begins with "~". */
export function isCoded(payload: Payload): boolean {
  return payload.charCodeAt(0) === 126;
}

/** Decodes what `encodePayload` made. Errors: CLAW-4011 for what must be decoded first. */
export function decodePayload(payload: Payload): unknown {
  if (isCoded(payload)) throw new ClawError("CLAW-4011", "A codec is missing");
  if (payload === "") return undefined;
  return payload.length <= DIGITS_MAX ? decodeShort(payload) : JSON.parse(payload);
}

/** Digits that are a small integer in any case. */
const DIGITS_MAX = 9;

// Most short values are counts and ids, for which the parser's own start costs more than their digits.
function decodeShort(payload: Payload): unknown {
  let value = 0;
  for (let at = 0; at < payload.length; at++) {
    const digit = payload.charCodeAt(at) - 48;
    // No number of JSON begins with 0 but 0 itself.
    if (!(digit >= 0 && digit <= 9) || (at === 1 && value === 0)) return JSON.parse(payload);
    value = value * 10 + digit;
  }
  return value;
}

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

function refused(path: string, why: string): ClawError {
  return new ClawError("CLAW-1005", `The value at ${path} cannot be stored: ${why}`, {
    details: { path },
  });
}

function inspect(value: unknown, path: string, depth: number, above: object[]): void {
  switch (typeof value) {
    case "number":
      if (!Number.isFinite(value)) throw refused(path, `${value} has no JSON form`);
      return;
    case "bigint":
      throw refused(path, "it is a BigInt; convert it to a string");
    case "function":
      throw refused(path, "it is a function");
    case "symbol":
      throw refused(path, "it is a symbol");
    case "object":
      if (value !== null) inspectObject(value, path, depth, above);
      return;
    default:
  }
}

function inspectObject(value: object, path: string, depth: number, above: object[]): void {
  if (depth >= DEPTH_MAX) throw refused(path, `it is nested deeper than ${DEPTH_MAX}`);
  if (above.includes(value)) throw refused(path, "it refers back to itself");
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") {
    // As in JSON.stringify, what toJSON gives is taken as it is, even if it has a toJSON too.
    const given = toJSON.call(value, "") as unknown;
    if (typeof given === "object" && given !== null) inspectFields(given, path, depth, above);
    else inspect(given, path, depth, above);
  } else {
    inspectFields(value, path, depth, above);
  }
}

function inspectFields(value: object, path: string, depth: number, above: object[]): void {
  const prototype = Object.getPrototypeOf(value) as unknown;
  const isPlain = prototype === Object.prototype || prototype === Array.prototype;
  if (!isPlain && prototype !== null && !inspectSpecial(value, path, depth, above)) return;
  above.push(value);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) inspect(value[i], `${path}[${i}]`, depth + 1, above);
  } else {
    for (const name of Object.keys(value)) {
      inspect((value as Record<string, unknown>)[name], `${path}.${name}`, depth + 1, above);
    }
  }
  above.pop();
}

// JSON.stringify would write these as {} or as a list of bytes by number.
const LOST = [Map, Set, WeakMap, WeakSet, WeakRef, Promise, Error, RegExp, ArrayBuffer];

const BOXED = /^\[object (Number|String|Boolean|BigInt)\]$/;

// Instances of classes: false when JSON takes them for a plain value.
function inspectSpecial(value: object, path: string, depth: number, above: object[]): boolean {
  if (LOST.some((kind) => value instanceof kind) || ArrayBuffer.isView(value)) {
    throw refused(path, `it is a ${value.constructor.name}`);
  }
  const isBoxed = BOXED.test(Object.prototype.toString.call(value));
  if (isBoxed) inspect(value.valueOf(), path, depth, above);
  return !isBoxed;
}

// Of a value that was read back: only its texts and names can still be wrong.
function inspectText(value: unknown, path: string): void {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw refused(path, "it has a lone surrogate");
    if (value.includes("\0")) throw refused(path, "it has a NUL character");
  } else if (Array.isArray(value)) {
    value.forEach((one, at) => inspectText(one, `${path}[${at}]`));
  } else if (typeof value === "object" && value !== null) {
    for (const [name, one] of Object.entries(value)) {
      inspectText(name, `${path}.(a name)`);
      inspectText(one, `${path}.${name}`);
    }
  }
}
