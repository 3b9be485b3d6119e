import { ClawError, ERRORS, isClawError, type ErrorCode } from "@claw/core/protocol";

/** An error as it stands in an answer: RFC 9457 problem details with our own members. */
export interface Problem {
  /** A URI that names the kind of error: `urn:claw:CLAW-nnnn`, or `about:blank` for an unforeseen one. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** A registered code; absent for an unforeseen error, whose particulars stand in the log only. */
  readonly code?: ErrorCode;
  readonly remedy: string;
  /** True when the same request may succeed later without a change. */
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What fastify calls a body that it refused, and what we call it. */
const CODES_OF_FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "CLAW-5005",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "CLAW-5002",
  FST_ERR_CTP_EMPTY_JSON_BODY: "CLAW-5002",
  FST_ERR_CTP_INVALID_JSON_BODY: "CLAW-5002",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "CLAW-5002",
  FST_ERR_BAD_URL: "CLAW-5004",
};

/** Any error as a ClawError; null for one that nobody foresaw. */
export function asClawError(error: unknown): ClawError | null {
  if (isClawError(error)) return error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === "string" ? CODES_OF_FASTIFY[code] : undefined;
  if (known !== undefined) {
    return new ClawError(known, error instanceof Error ? error.message : undefined);
  }
  // What else fastify refuses with a 4xx is about the form of the message.
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) {
    return new ClawError("CLAW-5002", error instanceof Error ? error.message : undefined);
  }
  return null;
}

/** The answer's body for an error. Never holds a stack or the words of an unforeseen error. */
export function problemOf(error: unknown): Problem {
  const known = asClawError(error);
  if (known === null) {
    return {
      type: "about:blank",
      title: "Internal error",
      status: 500,
      detail: "The request met an error that nobody foresaw.",
      remedy: "See the process's log; this is a bug.",
      retryable: false,
    };
  }
  return {
    type: `urn:claw:${known.code}`,
    title: ERRORS[known.code].title,
    status: known.status,
    detail: known.detail,
    code: known.code,
    remedy: known.remedy,
    retryable: known.retryable,
    ...(Object.keys(known.details).length > 0 ? { details: known.details } : {}),
  };
}
