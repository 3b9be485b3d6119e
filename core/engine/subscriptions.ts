import type { RunState } from "./run-state.ts";

/** What a run knows of its subscriptions to events; made with the first one. */
export interface Subscriptions {
  /** Calls whose subscriptions are in the store. */
  readonly calls: Set<string>;
  /** Number of the last event taken per subscription key. */
  readonly cursor: Map<string, number>;
}

/** The subscriptions of a run, begun if there are none. */
export function subscriptionsOf(run: RunState): Subscriptions {
  run.subscriptions ??= { calls: new Set(), cursor: new Map() };
  return run.subscriptions;
}
