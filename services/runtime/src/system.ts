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

/** Turns that can follow one another in one check phase, before timers and I/O have their time. */
const TURNS_PER_PHASE_MAX = 64;

/**
 * Turns on Node's event loop: two immediates queued together run in one check phase, and all
 * microtasks and nextTicks drain between them; no timer and no I/O callback can come in between.
 *
 * A pass of the event loop costs several times what a turn does, and an immediate that is queued in a check
 * phase runs in the next one. So while turn follows turn, more pairs are queued ahead, up to
 * TURNS_PER_PHASE_MAX: a long replay takes a pass for 64 turns. A pair that nobody needs does nothing.
 */
export const systemTurns: Turns = turnsAhead();

function turnsAhead(): Turns {
  const asked: (() => void)[] = [];
  let inTurn: (() => void) | null = null;
  let queued = 0;
  let unused = 0;
  let ahead = 0;

  function open(): void {
    const deliver = asked.shift();
    inTurn = asked.shift() ?? null;
    if (deliver === undefined) unused++;
    else deliver();
  }

  function shut(): void {
    const close = inTurn;
    inTurn = null;
    queued--;
    if (queued === 0) {
      ahead = unused === 0 ? Math.min(ahead * 2 + 1, TURNS_PER_PHASE_MAX - 1) : ahead >> 1;
      unused = 0;
    }
    close?.();
  }

  return {
    next(deliver, close) {
      asked.push(deliver, close);
      const left = inTurn === null ? queued : queued - 1;
      if (left * 2 >= asked.length) return;
      for (let more = left === 0 ? ahead : 0; more >= 0; more--) {
        queued++;
        setImmediate(open);
        setImmediate(shut);
      }
    },
  };
}
