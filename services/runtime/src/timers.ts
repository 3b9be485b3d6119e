import type { CancelTimer, Clock } from "@claw/core/ports";

interface Timer {
  readonly at: number;
  fire: (() => void) | null;
}

/** Longest sleep of the one system timer: a clock that was set is noticed within this time. */
const LOOK_EVERY_MS = 60_000;
/** Cancelled timers that are tolerated before the heap is rebuilt. */
const SWEEP_AT = 1_024;

/** Many due times on one system timer: a binary heap, earliest first. */
export class Timers {
  readonly #clock: Clock;
  #heap: Timer[] = [];
  #armedFor = 0;
  #cancel: CancelTimer | null = null;
  /** Timers in the heap that were cancelled (never less: those that fired count until the next sweep). */
  #cancelled = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `fire` when the clock has reached `at`; never synchronously. Gives a function that cancels. */
  add(at: number, fire: () => void): CancelTimer {
    const timer: Timer = { at, fire };
    this.#push(timer);
    this.#arm();
    return () => {
      if (timer.fire === null) return;
      timer.fire = null;
      this.#cancelled++;
      if (this.#cancelled > SWEEP_AT && this.#cancelled * 2 > this.#heap.length) this.#sweep();
    };
  }

  clear(): void {
    this.#heap = [];
    this.#cancelled = 0;
    this.#cancel?.();
    this.#cancel = null;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || (this.#cancel !== null && this.#armedFor <= first.at)) return;
    this.#cancel?.();
    this.#armedFor = first.at;
    const delayMs = Math.min(first.at - this.#clock.now(), LOOK_EVERY_MS);
    this.#cancel = this.#clock.after(delayMs, () => this.#fire());
  }

  #fire(): void {
    this.#cancel = null;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.#pop();
      const { fire } = first;
      first.fire = null;
      fire?.();
    }
    this.#arm();
  }

  // Steps with long timeouts that end soon would otherwise fill the heap with dead entries.
  #sweep(): void {
    const living = this.#heap.filter((timer) => timer.fire !== null);
    this.#heap = [];
    this.#cancelled = 0;
    for (const timer of living) this.#push(timer);
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above] as Timer;
      if (other.at <= timer.at) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && right.at < (heap[below] as Timer).at) below++;
      const smaller = heap[below] as Timer;
      if (smaller.at >= last.at) break;
      heap[at] = smaller;
      at = below;
    }
    heap[at] = last;
  }
}
