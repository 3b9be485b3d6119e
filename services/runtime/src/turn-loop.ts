import type { Clock, Turns } from "@claw/core/ports";
import { limits } from "@claw/core/protocol";
import type { Activation } from "./activation.ts";

/** Turns of replays after which others have their commit: about as long as a commit takes. */
const REPLAYED_TURNS = 256;

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
  /** True when there may be something to commit: others do not wait for a run that only replays. */
  #owes = false;
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
    this.#ask();
  }

  /** Asks for a close, and with it a commit, even if no run is ready. */
  schedule(): void {
    this.#owes = true;
    this.#ask();
  }

  #ask(): void {
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
      this.#owes = true;
      activation.closeTurn(now);
    }
    const most = now === 0 && this.#owes ? REPLAYED_TURNS : limits.BATCH_TURNS_MAX;
    const mayGoOn = this.#sinceFlush < most;
    const goesOn = this.#ready.length > 0 && mayGoOn;
    if (goesOn && now === 0 && this.#turns.follow?.(this.#close) === true) return this.#deliver();
    this.#scheduled = false;
    if (goesOn) {
      this.#ask();
      return;
    }
    this.#sinceFlush = 0;
    this.#owes = false;
    this.#flush(now || this.#clock.now());
    if (this.#ready.length > 0) this.#ask();
  };
}

function nothing(): void {}
