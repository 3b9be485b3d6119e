/** Cancels a timer; calling it again, or after the timer fired, does nothing. */
export type CancelTimer = () => void;

/** Time as the runtime sees it. */
export interface Clock {
  /** Milliseconds since 1970. May go back; callers keep their own order. */
  now(): number;
  /** Calls `fire` once, not before `delayMs` have passed; must not keep the process alive alone. */
  after(delayMs: number, fire: () => void): CancelTimer;
  /**
   * Calls `act`, during which nothing else happens, and stops it in the middle of anything when `msMax` have
   * passed; answers false then. What `act` throws is thrown. Absent where time stands still while code runs:
   * there nothing takes too long, however busy the machine is.
   */
  within?(msMax: number, act: () => void): boolean;
}

/** Randomness for ids. */
export interface Random {
  /** An unsigned 32-bit word. */
  word(): number;
}

/** Turns of author code, given in the order of asking. */
export interface Turns {
  /**
   * Calls `deliver`, lets all microtasks and nextTicks drain, then calls `close`, with nothing else of the
   * event loop in between.
   */
  next(deliver: () => void, close: () => void): void;
  /**
   * A shorter way from turn to turn, for a `close` that has settled no promise: asked there, it answers
   * true when `close` will be called after the draining that follows, as by `next`. The caller delivers the next
   * turn then, before it returns. False, or a port without it: ask `next`.
   */
  follow?(close: () => void): boolean;
}
