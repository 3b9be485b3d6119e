import { ClawError, type Duration, durationMs, hash128, limits } from "../protocol/index.ts";

/** How failed attempts are repeated; every field has a default. */
export interface RetryOptions {
  /** Attempts in all, 1 means no repetition. Default 3. */
  readonly attempts?: number;
  /** How the pause grows. Default "exponential". */
  readonly backoff?: "exponential" | "fixed";
  /** Pause after the first failure. Default "200ms". */
  readonly initial?: Duration;
  /** Longest pause. Default "30s". */
  readonly max?: Duration;
  /** Growth of an exponential pause. Default 2. */
  readonly factor?: number;
  /** Part of a pause that is spread, 0 to 1, the same for the same attempt. Default 0.1. */
  readonly jitter?: number;
  /** Codes or names of errors that are final at once. Default none. */
  readonly notOn?: readonly string[];
}

/** A checked retry policy, in milliseconds. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly fixed: boolean;
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor: number;
  readonly jitter: number;
  readonly notOn: readonly string[];
}

/** What holds where nothing is said. */
export const RETRY_DEFAULT: RetryPolicy = {
  attempts: 3,
  fixed: false,
  initialMs: 200,
  maxMs: 30_000,
  factor: 2,
  jitter: 0.1,
  notOn: [],
};

/** Checks retry options. Errors: CLAW-1001, CLAW-1007. */
export function retryPolicy(options: RetryOptions | undefined): RetryPolicy {
  if (options === undefined) return RETRY_DEFAULT;
  if (typeof options !== "object" || options === null) {
    throw new ClawError("CLAW-1001", "retry must be an object");
  }
  const backoff = options.backoff ?? "exponential";
  if (backoff !== "exponential" && backoff !== "fixed") {
    throw new ClawError("CLAW-1001", 'retry.backoff must be "exponential" or "fixed"');
  }
  const policy: RetryPolicy = {
    attempts: options.attempts ?? RETRY_DEFAULT.attempts,
    fixed: backoff === "fixed",
    initialMs: durationMs(options.initial ?? RETRY_DEFAULT.initialMs),
    maxMs: durationMs(options.max ?? RETRY_DEFAULT.maxMs),
    factor: options.factor ?? RETRY_DEFAULT.factor,
    jitter: options.jitter ?? RETRY_DEFAULT.jitter,
    notOn: options.notOn ?? RETRY_DEFAULT.notOn,
  };
  checkNumbers(policy);
  if (!Array.isArray(policy.notOn) || policy.notOn.some((code) => typeof code !== "string")) {
    throw new ClawError("CLAW-1001", "retry.notOn must be a list of codes or names of errors");
  }
  return policy;
}

function checkNumbers(policy: RetryPolicy): void {
  if (!(Number.isInteger(policy.attempts) && policy.attempts >= 1)) {
    throw new ClawError("CLAW-1001", "retry.attempts must be a whole number from 1");
  }
  if (policy.attempts > limits.ATTEMPTS_MAX) {
    throw new ClawError("CLAW-1001", `retry.attempts is over ${limits.ATTEMPTS_MAX}`);
  }
  if (!(policy.factor >= 1 && policy.factor <= 100)) {
    throw new ClawError("CLAW-1001", "retry.factor must be from 1 to 100");
  }
  if (!(policy.jitter >= 0 && policy.jitter <= 1)) {
    throw new ClawError("CLAW-1001", "retry.jitter must be from 0 to 1");
  }
}

/**
 * Pause after the failure of attempt `attempt` (from 1), in milliseconds. The jitter comes from
 * `seed`, so that the same attempt of the same call always waits equally long.
 */
export function pauseMs(policy: RetryPolicy, attempt: number, seed: string): number {
  if (policy.initialMs === 0) return 0; // and not 0 times infinity
  const growth = policy.fixed ? 1 : policy.factor ** Math.min(attempt - 1, 1_000);
  const pause = Math.min(policy.maxMs, policy.initialMs * growth);
  if (policy.jitter === 0) return Math.round(pause);
  const spread = (hash128(`${seed}|${attempt}`)[0] / 0x1_0000_0000) * policy.jitter;
  return Math.round(pause * (1 - spread));
}
