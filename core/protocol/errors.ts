import { DEFINITION_ERRORS } from "./error-codes/definitions.ts";
import { EDGE_ERRORS } from "./error-codes/edges.ts";
import type { ErrorSpec } from "./error-codes/error-spec.ts";
import { MESSAGE_ERRORS } from "./error-codes/messages.ts";
import { RUN_ERRORS } from "./error-codes/runs.ts";
import { STORE_ERRORS } from "./error-codes/store.ts";
import { TEST_ERRORS } from "./error-codes/tests.ts";

/**
 * Every error that a user can meet. Codes are never reused; each has a page
 * `docs/errors/CLAW-nnnn.md`, compared in both directions by `proof/tidy`.
 * 1xxx definitions and values, 2xxx runs, 3xxx messages, 4xxx store, 5xxx network and command line,
 * 6xxx tests of authors.
 */
export const ERRORS = {
  ...DEFINITION_ERRORS,
  ...RUN_ERRORS,
  ...MESSAGE_ERRORS,
  ...STORE_ERRORS,
  ...EDGE_ERRORS,
  ...TEST_ERRORS,
} as const satisfies Record<string, ErrorSpec>;

export type { ErrorSpec };

/** A registered error code, `CLAW-nnnn`. */
export type ErrorCode = keyof typeof ERRORS;

/** What a ClawError may carry besides its code and detail. */
export interface ClawErrorOptions {
  /** Machine-readable particulars: small, JSON, free of secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What it was made from. */
  readonly cause?: unknown;
}

/**
 * An error that a user can meet: a registered code, one sentence of particulars, and the
 * remedy. `message` reads "detail. remedy" so that a bare stack trace already says what to do.
 */
export class ClawError extends Error {
  /** Never used again for something else. */
  readonly code: ErrorCode;
  /** The particulars, without the remedy. */
  readonly detail: string;
  /** Machine-readable particulars; empty for none. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, detail?: string, options: ClawErrorOptions = {}) {
    const spec: ErrorSpec = ERRORS[code];
    const sentence = detail ?? spec.title;
    super(
      `${code}: ${sentence}${/[.!?]$/.test(sentence) ? "" : "."} ${spec.remedy}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "ClawError";
    this.code = code;
    this.detail = sentence;
    this.details = options.details ?? {};
  }

  /** What went wrong, without particulars. */
  get title(): string {
    return ERRORS[this.code].title;
  }

  /** What the reader can do about it. */
  get remedy(): string {
    return ERRORS[this.code].remedy;
  }

  /** True when the same call may succeed later without a change. */
  get retryable(): boolean {
    return (ERRORS[this.code] as ErrorSpec).retryable ?? false;
  }

  /** The HTTP status that the gateway answers with. */
  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** True for a ClawError, with the given code if one is named. */
export function isClawError(error: unknown, code?: ErrorCode): error is ClawError {
  return error instanceof ClawError && (code === undefined || error.code === code);
}

/** An error as it stands in a journal: names and words, never live objects. */
export interface ErrorRecord {
  /** Name of its class, such as "TypeError". */
  readonly name: string;
  /** Shortened to `ERROR_MESSAGE_CHARS_MAX`. */
  readonly message: string;
  /** The author's or ours; absent when the error had none. */
  readonly code?: string;
  /** Shortened to `ERROR_STACK_CHARS_MAX`. */
  readonly stack?: string;
  /** Machine-readable particulars; absent for none. */
  readonly details?: Readonly<Record<string, unknown>>;
}
