import { ClawError, type Ending, type RunId } from "@claw/core/protocol";
import type { CancelTimer } from "@claw/core/ports";
import type { Timers } from "./timers.ts";

interface Waiter {
  readonly ended: (ending: Ending) => void;
  readonly failed: (error: unknown) => void;
}

/** Who waits for the end of which run. */
export class Results {
  readonly #timers: Timers;
  readonly #waiting = new Map<RunId, Set<Waiter>>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Told of each run that has ended, durably. Set by the node. */
  onEnded: (run: RunId) => void = () => {};

  /** Ids of runs that somebody waits for. */
  get runs(): RunId[] {
    return [...this.#waiting.keys()];
  }

  /** True when somebody waits for the end of a run. */
  has(run: RunId): boolean {
    return this.#waiting.has(run);
  }

  /** A run has ended, durably. */
  ended(run: RunId, ending: Ending): void {
    this.onEnded(run);
    const waiters = this.#waiting.get(run);
    if (waiters === undefined) return;
    this.#waiting.delete(run);
    for (const waiter of waiters) waiter.ended(ending);
  }

  /** There is no such run: those who wait for it are told, and forgotten. */
  unknown(run: RunId, error: unknown): void {
    const waiters = this.#waiting.get(run);
    this.#waiting.delete(run);
    for (const waiter of waiters ?? []) waiter.failed(error);
  }

  /** Nobody will learn of an end here any more: tells all who wait. */
  drop(error: unknown): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiters of all) for (const waiter of waiters) waiter.failed(error);
  }

  /** Waits for the end; `deadlineMs` 0 means without limit. Errors: CLAW-2012. */
  wait(run: RunId, deadlineMs: number): Promise<Ending> {
    return new Promise((resolve, reject) => {
      let cancel: CancelTimer | null = null;
      const waiter: Waiter = {
        ended: (ending) => {
          cancel?.();
          resolve(ending);
        },
        failed: reject,
      };
      const waiters = this.#waiting.get(run);
      if (waiters === undefined) this.#waiting.set(run, new Set([waiter]));
      else waiters.add(waiter);
      if (deadlineMs === 0) return;
      cancel = this.#timers.add(deadlineMs, () => {
        const left = this.#waiting.get(run);
        left?.delete(waiter);
        if (left?.size === 0) this.#waiting.delete(run);
        reject(new ClawError("CLAW-2012", `Run ${run} has not ended yet`));
      });
    });
  }
}
