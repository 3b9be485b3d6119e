import { AsyncLocalStorage } from "node:async_hooks";

/** What a promise, a timer or a rejection belongs to: a run, or an attempt of a standalone task. */
export interface Owner {
  /** An author's promise was rejected and nobody handled it. */
  rejected(error: unknown): void;
}

/** Tells what the code that runs now belongs to. */
export const currentRun: AsyncLocalStorage<Owner> = new AsyncLocalStorage();
