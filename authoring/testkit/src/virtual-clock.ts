import type { CancelTimer, Clock } from "@claw/core/ports";

/**
 * A runtime looks around at least this often, whatever is due: its longest pause between two looks at
 * its clock. Timers of this length say nothing about what is due.
 */
const LOOK_EVERY_MS = 60_000;

interface Timer {
  readonly at: number;
  readonly delayMs: number;
  readonly fire: () => void;
}

/** Time that passes only when it is told to. */
export class VirtualClock implements Clock {
  #now: number;
  #timers: Timer[] = [];

  constructor(startMs: number) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** True when a timer may fire now. */
  get isDue(): boolean {
    return this.#timers.some(({ at }) => at <= this.#now);
  }

  /** When the next timer fires; looks around count only with `looks`. Null for never. */
  nextAt(looks: boolean): number | null {
    let next: number | null = null;
    for (const { at, delayMs } of this.#timers) {
      if (delayMs >= LOOK_EVERY_MS && !looks) continue;
      if (next === null || at < next) next = at;
    }
    return next;
  }

  /** Moves on; never back. */
  moveTo(ms: number): void {
    this.#now = Math.max(this.#now, ms);
  }

  /** Fires the earliest timer that is due; false when none is. */
  fireNext(): boolean {
    let first: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.at <= this.#now && (first === null || timer.at < first.at)) first = timer;
    }
    if (first === null) return false;
    this.#remove(first);
    first.fire();
    return true;
  }

  /** Drops the timers of an ended life. */
  forgetAll(): void {
    this.#timers = [];
  }

  after(delayMs: number, fire: () => void): CancelTimer {
    const wholeMs = Math.max(0, Math.ceil(delayMs));
    const timer: Timer = { at: this.#now + wholeMs, delayMs: wholeMs, fire };
    this.#timers.push(timer);
    return () => this.#remove(timer);
  }

  #remove(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }
}
