import { getRandomValues } from "node:crypto";
import type { Clock, Random, Turns } from "@claw/core/ports";

const DELAY_MS_MAX = 2 ** 31 - 1;

/** The system's clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(Math.max(delayMs, 0), DELAY_MS_MAX));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

const POOL_WORDS = 4_096;

/** The system's randomness, drawn in blocks: one call of the system serves thousands of ids. */
export function systemRandom(): Random {
  const pool = new Uint32Array(POOL_WORDS);
  let at = POOL_WORDS;
  return {
    word() {
      if (at === POOL_WORDS) {
        getRandomValues(pool);
        at = 0;
      }
      return pool[at++] as number;
    },
  };
}

/**
 * Turns on Node's event loop: two immediates queued together run in one check phase, and all
 * microtasks and nextTicks drain between them; no timer and no I/O callback can come in between.
 */
export const systemTurns: Turns = {
  next(deliver, close) {
    setImmediate(deliver);
    setImmediate(close);
  },
};
