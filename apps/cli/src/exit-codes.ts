import { ClawError, type ErrorCode } from "@claw/core/protocol";

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
  invalid: 11,
  interrupted: 130,
} as const;

/** Meanings of the exit codes, for `--help`. */
export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  [EXIT.ok]: "ok",
  [EXIT.unexpected]: "unexpected error",
  [EXIT.usage]: "the command line is not valid",
  [EXIT.notFound]: "no such run, task or workflow",
  [EXIT.notAuthorised]: "not authorised",
  [EXIT.conflict]: "conflict with what is there",
  [EXIT.runFailed]: "the run failed",
  [EXIT.runCancelled]: "the run was cancelled or terminated",
  [EXIT.waitTimeout]: "the wait ran out of time",
  [EXIT.ownerUnreachable]: "the process that owns the store does not answer",
  [EXIT.invalid]: "a value, event, definition or file is not valid",
  [EXIT.interrupted]: "interrupted",
};

const EXIT_OF: Partial<Record<ErrorCode, number>> = {
  "CLAW-1001": EXIT.invalid,
  "CLAW-1002": EXIT.conflict,
  "CLAW-1003": EXIT.notFound,
  "CLAW-1004": EXIT.invalid,
  "CLAW-1005": EXIT.invalid,
  "CLAW-1006": EXIT.invalid,
  "CLAW-1007": EXIT.invalid,
  "CLAW-1008": EXIT.invalid,
  "CLAW-2012": EXIT.waitTimeout,
  "CLAW-3001": EXIT.notFound,
  "CLAW-3002": EXIT.conflict,
  "CLAW-3003": EXIT.conflict,
  "CLAW-2015": EXIT.conflict,
  "CLAW-2016": EXIT.notFound,
  "CLAW-2017": EXIT.conflict,
  "CLAW-3006": EXIT.notFound,
  "CLAW-3007": EXIT.invalid,
  "CLAW-3010": EXIT.conflict,
  "CLAW-3011": EXIT.waitTimeout,
  "CLAW-3012": EXIT.notFound,
  "CLAW-3013": EXIT.conflict,
  "CLAW-3014": EXIT.notAuthorised,
  "CLAW-3015": EXIT.notFound,
  "CLAW-3071": EXIT.notFound,
  "CLAW-3051": EXIT.invalid,
  "CLAW-3052": EXIT.notFound,
  "CLAW-4001": EXIT.conflict,
  "CLAW-4010": EXIT.conflict,
  "CLAW-5002": EXIT.invalid,
  "CLAW-5005": EXIT.invalid,
  "CLAW-5006": EXIT.ownerUnreachable,
  "CLAW-5007": EXIT.notAuthorised,
  "CLAW-5008": EXIT.invalid,
  "CLAW-5009": EXIT.invalid,
  "CLAW-5010": EXIT.usage,
  "CLAW-5071": EXIT.conflict,
};

/** The exit code for an error. */
export function exitOf(error: unknown): number {
  return error instanceof ClawError ? (EXIT_OF[error.code] ?? EXIT.unexpected) : EXIT.unexpected;
}

/** The exit code for a run that has ended, or `ok` while it goes on. */
export function exitOfRun(status: string): number {
  if (status === "failed") return EXIT.runFailed;
  return status === "cancelled" || status === "terminated" ? EXIT.runCancelled : EXIT.ok;
}
