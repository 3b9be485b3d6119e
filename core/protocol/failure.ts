import { ClawError, type ErrorRecord } from "./errors.ts";
import { ERROR_MESSAGE_CHARS_MAX, ERROR_STACK_CHARS_MAX } from "./limits.ts";

/**
 * What workflow code catches when one of its ctx calls failed: a step, task or child. The name,
 * message and code are those of the original error, so that `error.code === "CARD_DECLINED"` works
 * live and at replay alike; without a code of its own it has CLAW-2001 (step) or CLAW-2008 (child).
 */
export class StepError extends Error {
  readonly code: string;
  /** The identity of the failed call. */
  readonly call: string;
  /** How often it was tried. */
  readonly attempts: number;
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

/** Makes a record of anything thrown. Never throws itself. */
export function recordError(thrown: unknown): ErrorRecord {
  if (!(thrown instanceof Error)) {
    return { name: "Error", message: cut(describe(thrown), ERROR_MESSAGE_CHARS_MAX) };
  }
  const { code, details } = thrown as { code?: unknown; details?: unknown };
  const message = thrown instanceof ClawError ? thrown.detail : thrown.message;
  return {
    name: clean(String(thrown.name)),
    message: cut(message, ERROR_MESSAGE_CHARS_MAX),
    ...(typeof code === "string" ? { code: clean(code) } : {}),
    ...(typeof thrown.stack === "string"
      ? { stack: cut(thrown.stack, ERROR_STACK_CHARS_MAX) }
      : {}),
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
    const text = JSON.stringify(details);
    return text.length > 2 && text.length <= ERROR_MESSAGE_CHARS_MAX && !text.includes("\\u");
  } catch {
    return false;
  }
}

function describe(thrown: unknown): string {
  try {
    return typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown));
  } catch {
    return "something that has no text was thrown";
  }
}

function cut(text: string, charsMax: number): string {
  return clean(text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`);
}

// Stores take neither NUL nor lone surrogates.
function clean(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\u{fffd}");
}
