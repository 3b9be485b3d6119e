import { AsyncLocalStorage } from "node:async_hooks";
import type { Activation } from "./activation.ts";

/** Tells which run a promise, a timer or a rejection belongs to. */
export const currentRun: AsyncLocalStorage<Activation> = new AsyncLocalStorage();
