import type { CancelTimer, Clock } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import type { Timers } from "../timers.ts";

/** Watches over one attempt: its timeout, and its heartbeat. */
export class Vigil {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #cancelTimeout: CancelTimer | null = null;
  #cancelBeat: CancelTimer | null = null;
  #beatAt = 0;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** `giveUp` is called at most once: CLAW-2002 out of time, CLAW-2019 no sign of life. 0 sets no limit. */
  begin(
    what: string,
    bounds: { readonly timeoutMs: number; readonly heartbeatMs: number },
    giveUp: (error: ClawError) => void,
  ): void {
    const { timeoutMs, heartbeatMs } = bounds;
    const now = this.#clock.now();
    this.#beatAt = now;
    if (timeoutMs > 0) {
      this.#cancelTimeout = this.#timers.add(now + timeoutMs, () => {
        this.end();
        giveUp(new ClawError("CLAW-2002", `${what} ran out of time`));
      });
    }
    if (heartbeatMs > 0) this.#listen(what, heartbeatMs, giveUp);
  }

  // One timer for many heartbeats: it looks when the last one was, and goes on from there.
  #listen(what: string, heartbeatMs: number, giveUp: (error: ClawError) => void): void {
    this.#cancelBeat = this.#timers.add(this.#beatAt + heartbeatMs, () => {
      if (this.#clock.now() < this.#beatAt + heartbeatMs) {
        this.#listen(what, heartbeatMs, giveUp);
        return;
      }
      this.end();
      giveUp(new ClawError("CLAW-2019", `${what} gave no sign of life for ${heartbeatMs} ms`));
    });
  }

  heartbeat(): void {
    this.#beatAt = this.#clock.now();
  }

  end(): void {
    this.#cancelTimeout?.();
    this.#cancelBeat?.();
  }
}
