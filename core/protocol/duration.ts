import { ClawError } from "./errors.ts";
import { DURATION_MS_MAX } from "./limits.ts";

/** A length of time: a number of milliseconds, or text with units such as "500ms", "1h30m", "7d". */
export type Duration = number | string;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/y;

/**
 * Milliseconds of a duration, whole, 0 to 100 years.
 * Errors: CLAW-1007 for anything that cannot be read, negative or too long.
 */
export function durationMs(duration: Duration): number {
  const ms = typeof duration === "number" ? duration : parse(duration);
  if (!Number.isFinite(ms) || ms < 0 || ms > DURATION_MS_MAX) {
    const shown = typeof duration === "string" ? JSON.stringify(duration) : String(duration);
    throw new ClawError("CLAW-1007", `${shown} is not a duration`);
  }
  return Math.round(ms);
}

function parse(text: string): number {
  if (typeof text !== "string" || text.length === 0 || text.length > 64) return Number.NaN;
  let total = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const found = PART.exec(text);
    if (found === null) return Number.NaN;
    total += Number(found[1]) * (UNIT_MS[found[2] ?? ""] ?? Number.NaN);
  }
  return total;
}
