/** Cancels a timer; calling it again, or after the timer fired, does nothing. */
export type CancelTimer = () => void;

/** Time as the runtime sees it. */
export interface Clock {
  /** Milliseconds since 1970. May go back; callers keep their own order. */
  now(): number;
  /** Calls `fire` once, not before `delayMs` have passed; must not keep the process alive alone. */
  after(delayMs: number, fire: () => void): CancelTimer;
}

/** Randomness for ids. */
export interface Random {
  /** An unsigned 32-bit word. */
  word(): number;
}

/**
 * Turns of author code. `next` calls `deliver`, lets all microtasks and nextTicks drain, then calls
 * `close`, with nothing else of the event loop in between. Asked for once at a time.
 */
export interface Turns {
  /** Asks for one turn; see above. */
  next(deliver: () => void, close: () => void): void;
}
