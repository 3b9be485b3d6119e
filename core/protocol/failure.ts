import { ClawError, type ErrorRecord } from "./errors.ts";
import { ERROR_MESSAGE_CHARS_MAX, ERROR_STACK_CHARS_MAX, NAME_CHARS_MAX } from "./limits.ts";
import { encodePayload } from "./payload.ts";

/**
 * What workflow code catches when one of its ctx calls failed: a step, task or child. The name,
 * message and code are those of the original error, so that `error.code === "CARD_DECLINED"` works
 * live and at replay alike; without a code of its own it has CLAW-2001 (step) or CLAW-2008 (child).
 */
export class StepError extends Error {
  /** The original error's, else CLAW-2001 (step) or CLAW-2008 (child). */
  readonly code: string;
  /** The identity of the failed call. */
  readonly call: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** The original error's; empty for none. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(record: ErrorRecord, call: string, attempts: number, fallbackCode: string) {
    super(record.message);
    this.name = record.name;
    this.code = record.code ?? fallbackCode;
    this.call = call;
    this.attempts = attempts;
    this.details = record.details ?? {};
    if (record.stack !== undefined) this.stack = record.stack;
  }
}

/** What open and later ctx calls throw once the run was cancelled. */
export class CancelledError extends ClawError {
  constructor(reason: string) {
    super(
      "CLAW-2003",
      reason === "" ? "The run was cancelled" : `The run was cancelled: ${reason}`,
    );
    this.name = "CancelledError";
  }
}

/** True for the error of a cancelled run, live or recorded. */
export function isCancelled(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === "CLAW-2003";
}

/** True for errors that the kernel made: a failed ctx call, `ctx.fail`, a coded error. */
export function isKernelError(error: unknown): boolean {
  return error instanceof StepError || error instanceof ClawError;
}

/** Makes a record of anything thrown. Never throws itself, whatever the author's object does. */
export function recordError(thrown: unknown): ErrorRecord {
  try {
    return thrown instanceof Error
      ? recordOf(thrown)
      : { name: "Error", message: describe(thrown) };
  } catch {
    return { name: "Error", message: "an error that cannot be read was thrown" };
  }
}

function recordOf(error: Error): ErrorRecord {
  const { name, message, stack, code, details } = error as Error & Record<string, unknown>;
  const said: unknown = error instanceof ClawError ? error.detail : message;
  return {
    name: typeof name === "string" ? cut(name, NAME_CHARS_MAX) : "Error",
    message: describe(said),
    ...(typeof code === "string" ? { code: cut(code, NAME_CHARS_MAX) } : {}),
    ...(typeof stack === "string" ? { stack: cut(stack, ERROR_STACK_CHARS_MAX) } : {}),
    ...(isPlainDetails(details) ? { details } : {}),
  };
}

/** One line for people: code, name and message of a record. */
export function describeError(record: ErrorRecord): string {
  const head = record.code ?? record.name;
  return `${head}: ${record.message}`;
}

function isPlainDetails(details: unknown): details is Readonly<Record<string, unknown>> {
  if (typeof details !== "object" || details === null) return false;
  try {
    return encodePayload(details, ERROR_MESSAGE_CHARS_MAX).length > 2;
  } catch {
    return false;
  }
}

function describe(thrown: unknown): string {
  const text = typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown));
  return cut(text, ERROR_MESSAGE_CHARS_MAX);
}

function cut(text: string, charsMax: number): string {
  return clean(text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`);
}

// Stores take neither NUL nor lone surrogates.
function clean(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\u{fffd}");
}
