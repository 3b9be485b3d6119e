import type { Clock } from "@claw/core/ports";

/** Bodies under way in this process, those of runs that were dropped included. */
export class BodiesUnderWay {
  /** How many there are. */
  count = 0;
  #told: (() => void)[] = [];

  /** Counts a body until it settles, whatever becomes of its run. */
  follow(body: PromiseLike<unknown>): void {
    this.count++;
    body.then(this.#ended, this.#ended);
  }

  readonly #ended = (): void => {
    this.count--;
    if (this.count > 0) return;
    for (const told of this.#told.splice(0)) told();
  };

  /** Settles when none is under way, after `longestMs` at the latest. */
  ended(clock: Clock, longestMs: number): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.after(longestMs, resolve);
      this.#told.push(() => {
        cancel();
        resolve();
      });
    });
  }
}
