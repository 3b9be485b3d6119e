import { getRandomValues } from "node:crypto";
import { createContext, Script } from "node:vm";
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
  within(msMax, act) {
    performed.act = act;
    enter ??= newEntrance();
    try {
      enter(msMax);
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return false;
      throw error;
    } finally {
      performed.act = nothing;
    }
  },
};

// The context is no wall, and none is needed: what runs is ours. It is the only way to stop a pattern that backtracks
// for ever, or references that multiply, on the thread that waits for them.
const performed: { act: () => void } = { act: nothing };
let enter: ((msMax: number) => void) | null = null;

// Made with the first call: most processes never need it.
function newEntrance(): (msMax: number) => void {
  const script = new Script("act()");
  const place = createContext(performed);
  return (msMax) => void script.runInContext(place, { timeout: msMax });
}

function nothing(): void {}

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

/** Callbacks that are queued for one check phase. */
const STEPS_PER_PHASE_MAX = 256;
/** Time of turns in one check phase, until timers and I/O have theirs. */
const PHASE_MS_MAX = 1;

/**
 * Turns on Node's event loop: immediates queued together run in one check phase, all microtasks and
 * nextTicks drain between them, and no timer and no I/O callback can come in between. A turn takes two of
 * them, or one when it follows another at once.
 *
 * A pass of the event loop costs several times what a turn does, and an immediate that is queued in a check
 * phase runs in the next one. So while turn follows turn, more are queued ahead: a long replay takes
 * a pass for 256 turns, or for a millisecond of them. One that nobody needs does nothing.
 */
export class PhasedTurns implements Turns {
  readonly #nowMs: () => number;
  /** Turns that were asked for: what delivers and what closes, in pairs. */
  readonly #asked: (() => void)[] = [];
  /** What closes the turn that is open. */
  #closing: (() => void) | null = null;
  /** Steps that have not run yet, of the block that runs, and of the block that is queued for the next phase. */
  #left = 0;
  #queued = 0;
  #unused = 0;
  #size = 2;
  #until = 0;
  /** True when the time of this phase is over: the steps that are left do nothing. */
  #isOver = false;

  /** `nowMs` is a clock that only goes forward. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  next(deliver: () => void, close: () => void): void {
    this.#asked.push(deliver, close);
    const steps = this.#asked.length + (this.#closing === null ? 0 : 1);
    if (this.#queued === 0 && !this.#mayStep(steps)) this.#queueBlock();
  }

  follow(close: () => void): boolean {
    if (this.#asked.length > 0 || !this.#mayStep(1)) return false;
    this.#closing = close;
    return true;
  }

  #mayStep(steps: number): boolean {
    if (this.#left < steps || this.#isOver) return false;
    this.#isOver = this.#nowMs() > this.#until;
    return !this.#isOver;
  }

  readonly #step = (): void => {
    if (this.#left === 0) this.#beginPhase();
    this.#left--;
    if (this.#closing !== null) {
      const close = this.#closing;
      this.#closing = null;
      close();
    } else if (this.#asked.length > 0 && this.#left > 0 && !this.#isOver) {
      const deliver = this.#asked.shift() as () => void;
      this.#closing = this.#asked.shift() as () => void;
      deliver();
    } else {
      this.#unused++;
    }
    if (this.#left === 0 && this.#asked.length > 0 && this.#queued === 0) this.#queueBlock();
  };

  #queueBlock(): void {
    this.#queued = this.#size;
    for (let at = 0; at < this.#size; at++) setImmediate(this.#step);
  }

  #beginPhase(): void {
    const most = Math.min(this.#size * 2, STEPS_PER_PHASE_MAX);
    this.#size = this.#unused <= 1 ? most : Math.max(2, this.#size >> 1);
    this.#unused = 0;
    this.#left = this.#queued;
    this.#queued = 0;
    this.#isOver = false;
    this.#until = this.#nowMs() + PHASE_MS_MAX;
  }
}

/** Turns on the event loop of this process. */
export function systemTurns(): Turns {
  return new PhasedTurns(() => performance.now());
}
