import type { LiveBody } from "./body-log.ts";

/** How long a body is waited for that nothing of this process seems to bring to an end. */
const QUIET_BODY_MS = 25;
const PAUSE_MS = 1;

/** Lets everything happen that has been queued: microtasks, nextTicks, immediates. */
export function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Waits for what really takes time: a body that awaits a real timer, file or connection. A body for which the
 * process holds no such thing is only given a moment: it waits for the test, or for its timeout.
 */
export class RealTime {
  readonly #maxMs: number;
  readonly #usual = process.getActiveResourcesInfo().length;
  #codeWaitedMs = 0;

  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** True when something moved; false when there is nothing (more) to wait for. */
  async wait(
    moved: () => boolean,
    underWay: () => readonly LiveBody[],
    codeToo: boolean,
  ): Promise<boolean> {
    await drain();
    if (moved()) {
      this.#codeWaitedMs = 0;
      return true;
    }
    for (;;) {
      const isBusy = process.getActiveResourcesInfo().length > this.#usual;
      const maxMs = isBusy ? this.#maxMs : Math.min(this.#maxMs, QUIET_BODY_MS);
      const waited = underWay().filter(({ waitedMs }) => waitedMs < maxMs);
      const forCode = codeToo && isBusy && this.#codeWaitedMs < this.#maxMs;
      if (waited.length === 0 && !forCode) return false;
      const spentMs = await pause();
      for (const body of waited) body.waitedMs += spentMs;
      this.#codeWaitedMs += spentMs;
      if (moved()) {
        this.#codeWaitedMs = 0;
        return true;
      }
    }
  }
}

async function pause(): Promise<number> {
  const from = performance.now();
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return performance.now() - from;
}
