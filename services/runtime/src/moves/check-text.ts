import {
  checkName,
  type ErrorRecord,
  isCoded,
  isRunId,
  limits,
  type Payload,
  readCoded,
  traceOfHeaders,
} from "@claw/core/protocol";

/** Says why something that was read is not what it must be; caught where the line is known. */
export class Wrong extends Error {}

/** A record or value that was read, as fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** Latest instant that a Date can hold, milliseconds since 1970. */
const INSTANT_MAX = 8.64e15;
const DEPTH_MAX = 200;
const CALL_CHARS_MAX = 20_000;
const NOTE_CHARS_MAX = 100_000;

/** The value as an object that has these fields, these if it likes, and no others. */
export function fieldsOf(value: unknown, what: string, names: string, optional = ""): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Wrong(`${what} is no object`);
  }
  const known = names.split(" ").filter((name) => name !== "");
  for (const name of known)
    if (!Object.hasOwn(value, name)) throw new Wrong(`${what} has no ${name}`);
  const allowed = new Set([...known, ...optional.split(" ")]);
  for (const name of Object.keys(value)) {
    if (!allowed.has(name)) throw new Wrong(`${what} has an unknown field ${name.slice(0, 40)}`);
  }
  return value as Fields;
}

/** A whole number in these bounds. */
export function wholeOf(value: unknown, what: string, from: number, to: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= from && value <= to) {
    return value;
  }
  throw new Wrong(`${what} is no whole number from ${from} to ${to}`);
}

/** Milliseconds since 1970. */
export function instantOf(value: unknown, what: string, from = 0): number {
  return wholeOf(value, what, from, INSTANT_MAX);
}

/** One of these texts. */
export function oneOf<T extends string>(value: unknown, what: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new Wrong(`${what} is none of ${known.join(", ")}`);
  return found;
}

/** A text that a store can hold. */
export function textOf(value: unknown, what: string, charsMax: number): string {
  if (typeof value !== "string") throw new Wrong(`${what} is no text`);
  if (value.length > charsMax) throw new Wrong(`${what} has more than ${charsMax} characters`);
  if (!value.isWellFormed() || value.includes("\0")) {
    throw new Wrong(`${what} has a NUL character or a lone surrogate`);
  }
  return value;
}

/** A text without control characters. */
export function lineOf(value: unknown, what: string, charsMax = CALL_CHARS_MAX): string {
  const text = textOf(value, what, charsMax);
  if (/\p{Cc}/u.test(text)) throw new Wrong(`${what} has a control character`);
  return text;
}

/** A name as definitions have them. Throws Wrong. */
export function nameOf(value: unknown, what: string): string {
  const name = lineOf(value, what, limits.NAME_CHARS_MAX);
  try {
    return checkName(name, what);
  } catch {
    throw new Wrong(`${what} is no name`);
  }
}

/** A note for people. */
export function noteOf(value: unknown, what: string): string {
  return textOf(value, what, NOTE_CHARS_MAX);
}

/** The id of a run, or the empty text where there need be none. */
export function runIdOf(value: unknown, what: string, mayBeEmpty = false): string {
  if (mayBeEmpty && value === "") return "";
  if (typeof value === "string" && isRunId(value)) return value;
  throw new Wrong(`${what} is no id of a run`);
}

/** A list, each of whose members is read. */
export function listOf<T>(value: unknown, what: string, read: (one: unknown) => T): readonly T[] {
  if (!Array.isArray(value)) throw new Wrong(`${what} is no list`);
  return value.map(read);
}

/**
 * A payload as a store has it: empty, JSON that can be stored, or what codecs made of it for this run.
 * `decoded` is undefined for one that is coded or empty.
 */
export function payloadOf(
  value: unknown,
  what: string,
  run: string,
): { readonly payload: Payload; readonly decoded: unknown } {
  if (typeof value !== "string") throw new Wrong(`${what} is no text`);
  if (value === "") return { payload: "", decoded: undefined };
  if (isCoded(value)) {
    const coded = readCoded(value);
    if (coded === null || /\p{Cc}/u.test(value)) throw new Wrong(`${what} is no stored value`);
    const { blob } = coded;
    if (blob !== null && (blob.run !== run || blob.bytes > 4 * limits.PAYLOAD_BYTES_MAX)) {
      throw new Wrong(`${what} refers to bytes that cannot be its own`);
    }
    return { payload: value, decoded: undefined };
  }
  if (depthOf(value) > DEPTH_MAX) throw new Wrong(`${what} is nested deeper than ${DEPTH_MAX}`);
  let decoded: unknown;
  try {
    decoded = JSON.parse(value) as unknown;
  } catch {
    throw new Wrong(`${what} is not JSON`);
  }
  if (!value.isWellFormed() || (value.includes("\\u") && !isStorable(decoded))) {
    throw new Wrong(`${what} has a NUL character or a lone surrogate`);
  }
  return { payload: value, decoded };
}

/** An error as it is recorded. */
export function errorOf(value: unknown, what: string): ErrorRecord {
  const { name, message, code, stack, details } = fieldsOf(
    value,
    what,
    "name message",
    "code stack details",
  );
  noteOf(name, `the name of ${what}`);
  // A coded one stands in its message, and is longer than messages are.
  textOf(message, `the message of ${what}`, limits.PAYLOAD_BYTES_MAX);
  if (code !== undefined) noteOf(code, `the code of ${what}`);
  if (stack !== undefined) noteOf(stack, `the stack of ${what}`);
  if (details !== undefined && (typeof details !== "object" || details === null)) {
    throw new Wrong(`the details of ${what} are no object`);
  }
  return value as ErrorRecord;
}

// Brackets outside of texts: counted without a recursion that deep nesting could exhaust.
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let at = 0; at < json.length; at++) {
    const unit = json.charCodeAt(at);
    if (inText) {
      if (unit === 0x5c) at++;
      else if (unit === 0x22) inText = false;
    } else if (unit === 0x22) inText = true;
    else if (unit === 0x5b || unit === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (unit === 0x5d || unit === 0x7d) depth--;
  }
  return deepest;
}

// Bounded by DEPTH_MAX.
function isStorable(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\0");
  if (Array.isArray(value)) return value.every(isStorable);
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, one]) => isStorable(name) && isStorable(one));
}

/** A trace context as the row of a run has it. */
export function traceFieldOf(value: unknown): string {
  const trace = lineOf(value, "trace");
  const at = trace.indexOf(" ");
  const [parent, state] = at < 0 ? [trace] : [trace.slice(0, at), trace.slice(at + 1)];
  if (traceOfHeaders(parent, state) !== trace) throw new Wrong("trace is no trace context");
  return trace;
}
