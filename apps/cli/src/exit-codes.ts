import { ClawError, type ErrorCode, ERRORS } from "@claw/core/protocol";

/** What the command's exit code means; the README has the same table. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  notFound: 3,
  notAuthorised: 4,
  conflict: 5,
  runFailed: 6,
  runCancelled: 7,
  waitTimeout: 8,
  ownerUnreachable: 9,
  unavailable: 10,
  invalid: 11,
  interrupted: 130,
} as const;

/** Meanings of the exit codes, for `--help`. */
export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  [EXIT.ok]: "ok",
  [EXIT.unexpected]: "unexpected error",
  [EXIT.usage]: "the command line is not valid",
  [EXIT.notFound]: "no such run, task, workflow or database",
  [EXIT.notAuthorised]: "not authorised",
  [EXIT.conflict]: "conflict with what is there",
  [EXIT.runFailed]: "the run failed, or failed and was compensated",
  [EXIT.runCancelled]: "the run was cancelled or terminated",
  [EXIT.waitTimeout]: "the wait ran out of time",
  [EXIT.ownerUnreachable]: "the process that owns the store does not answer",
  [EXIT.unavailable]: "not available at the moment: the same command may succeed later",
  [EXIT.invalid]: "a value, event, definition, file or store is not valid",
  [EXIT.interrupted]: "interrupted",
};

// What an error means to a script stands in its HTTP status; these mean something else here.
const EXIT_OF_CODE: Partial<Record<ErrorCode, number>> = {
  "CLAW-2003": EXIT.runCancelled,
  "CLAW-2014": EXIT.runCancelled,
  "CLAW-2016": EXIT.notFound,
  "CLAW-4002": EXIT.invalid,
  "CLAW-4003": EXIT.invalid,
  "CLAW-4008": EXIT.invalid,
  "CLAW-4070": EXIT.notAuthorised,
  "CLAW-4071": EXIT.notFound,
  "CLAW-4072": EXIT.notAuthorised,
  "CLAW-4077": EXIT.invalid,
  "CLAW-4078": EXIT.invalid,
  "CLAW-5001": EXIT.conflict,
  "CLAW-5006": EXIT.ownerUnreachable,
  "CLAW-5010": EXIT.usage,
};

const EXIT_OF_STATUS: Readonly<Record<number, number>> = {
  400: EXIT.invalid,
  401: EXIT.notAuthorised,
  403: EXIT.notAuthorised,
  404: EXIT.notFound,
  409: EXIT.conflict,
  413: EXIT.invalid,
  422: EXIT.invalid,
  429: EXIT.unavailable,
  500: EXIT.unexpected,
  503: EXIT.unavailable,
  504: EXIT.waitTimeout,
};

/** The exit code for an error; `unexpected` for what has no code of ours. */
export function exitOf(error: unknown): number {
  if (!(error instanceof ClawError)) return EXIT.unexpected;
  const { status } = ERRORS[error.code];
  return EXIT_OF_CODE[error.code] ?? EXIT_OF_STATUS[status] ?? EXIT.unexpected;
}

/** The exit code for a run that has ended, or `ok` while it goes on. */
export function exitOfRun(status: string): number {
  if (status === "failed" || status === "compensated") return EXIT.runFailed;
  return status === "cancelled" || status === "terminated" ? EXIT.runCancelled : EXIT.ok;
}
