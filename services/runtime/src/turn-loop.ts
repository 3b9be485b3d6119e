import type { Clock, Turns } from "@claw/core/ports";
import { limits } from "@claw/core/protocol";
import type { Activation } from "./activation.ts";

/**
 * Gives turns to all runs that are ready, one item each, and commits when none is ready any
 * more (or after BATCH_TURNS_MAX turns, so that a busy run cannot hold back the commit of others).
 */
export class TurnLoop {
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #flush: (nowMs: number) => void;
  #ready: Activation[] = [];
  #delivering: Activation[] = [];
  #scheduled = false;
  #sinceFlush = 0;
  /** Turns given since the start. */
  turnCount = 0;
  stopped = false;

  constructor(clock: Clock, turns: Turns, flush: (nowMs: number) => void) {
    this.#clock = clock;
    this.#turns = turns;
    this.#flush = flush;
  }

  /** Asks for a turn of this run. */
  wake(activation: Activation): void {
    if (activation.queued) return;
    activation.queued = true;
    this.#ready.push(activation);
    this.schedule();
  }

  /** Asks for a close, and with it a commit, even if no run is ready. */
  schedule(): void {
    if (this.#scheduled || this.stopped) return;
    this.#scheduled = true;
    this.#turns.next(this.#deliver, this.#close);
  }

  /** Calls back in a turn of its own, after those that were asked for before. */
  later(act: () => void): void {
    this.#turns.next(nothing, act);
  }

  /** Settles in a turn of its own, after those that were asked for before. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      this.later(resolve);
    });
  }

  readonly #deliver = (): void => {
    this.#delivering = this.#ready;
    this.#ready = [];
    for (const activation of this.#delivering) {
      activation.queued = false;
      activation.openTurn();
    }
    this.turnCount += this.#delivering.length;
    this.#sinceFlush += this.#delivering.length;
  };

  readonly #close = (): void => {
    const closing = this.#delivering;
    this.#delivering = [];
    let now = 0;
    for (const activation of closing) {
      if (activation.replaysOn()) continue;
      now ||= this.#clock.now();
      activation.closeTurn(now);
    }
    const goesOn = this.#ready.length > 0 && this.#sinceFlush < limits.BATCH_TURNS_MAX;
    if (goesOn && now === 0 && this.#turns.follow?.(this.#close) === true) return this.#deliver();
    this.#scheduled = false;
    if (goesOn) {
      this.schedule();
      return;
    }
    this.#sinceFlush = 0;
    this.#flush(now || this.#clock.now());
    if (this.#ready.length > 0) this.schedule();
  };
}

function nothing(): void {}
