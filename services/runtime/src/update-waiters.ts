import type { DraftUpdate } from "@claw/core/engine";
import type { CancelTimer } from "@claw/core/ports";
import { type ChildOutcome, ClawError, type RunId } from "@claw/core/protocol";
import type { Timers } from "./timers.ts";

interface Waiter {
  readonly call: string;
  readonly ended: (outcome: ChildOutcome) => void;
  readonly failed: (error: unknown) => void;
}

/** A client that waits for the end of an update. */
export interface UpdateWait {
  readonly outcome: Promise<ChildOutcome>;
  /** Gives the wait up. */
  readonly cancel: () => void;
}

/** Who waits for the end of which update. */
export class UpdateWaiters {
  readonly #timers: Timers;
  readonly #waiting = new Map<RunId, Set<Waiter>>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Waits for the end of an update; `deadlineMs` 0 means without limit. Errors: CLAW-3010, CLAW-3011. */
  wait(run: RunId, call: string, deadlineMs: number): UpdateWait {
    const { promise, resolve, reject } = Promise.withResolvers<ChildOutcome>();
    promise.catch(() => {});
    let cancelTimer: CancelTimer | null = null;
    const waiter: Waiter = { call, ended: resolve, failed: reject };
    const cancel = (): void => {
      cancelTimer?.();
      const waiters = this.#waiting.get(run);
      waiters?.delete(waiter);
      if (waiters?.size === 0) this.#waiting.delete(run);
    };
    const waiters = this.#waiting.get(run) ?? new Set();
    this.#waiting.set(run, waiters.add(waiter));
    if (deadlineMs > 0) {
      cancelTimer = this.#timers.add(deadlineMs, () => {
        cancel();
        reject(new ClawError("CLAW-3011", `Update ${call} of ${run} has not ended yet`));
      });
    }
    return { outcome: promise, cancel };
  }

  /** Ids of runs of which somebody waits for an update. */
  get runs(): RunId[] {
    return [...this.#waiting.keys()];
  }

  /** True when somebody waits for an update of a run. */
  has(run: RunId): boolean {
    return this.#waiting.has(run);
  }

  /** Calls of the updates of a run that somebody waits for. */
  callsOf(run: RunId): string[] {
    return [...(this.#waiting.get(run) ?? [])].map(({ call }) => call);
  }

  /** Updates have ended, durably. */
  ended(run: RunId, ends: readonly DraftUpdate[]): void {
    for (const waiter of this.#waiting.get(run) ?? []) {
      const end = ends.find(({ call }) => call === waiter.call);
      if (end !== undefined) waiter.ended(end.outcome);
    }
  }

  /** A run has ended: what it left under way is abandoned. */
  runEnded(run: RunId): void {
    if (this.#waiting.has(run)) this.fail(run, abandoned(run));
  }

  /** A run ends no updates at the moment. */
  fail(run: RunId, error: ClawError): void {
    for (const waiter of this.#waiting.get(run) ?? []) waiter.failed(error);
  }

  /** Nobody will learn of an end here any more. */
  drop(error: unknown): void {
    for (const waiters of this.#waiting.values()) {
      for (const waiter of waiters) waiter.failed(error);
    }
  }
}

/** Said to the client of an update whose run has ended. */
export function abandoned(run: RunId): ClawError {
  return new ClawError("CLAW-3010", `Run ${run} ended while the update was under way`);
}
