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

/** Takes back a subscription that was asked for and not sent; false when there is none. */
export function dropWait(run: RunState, call: string): boolean {
  const waits = run.draft?.extras?.waits ?? [];
  const at = waits.findIndex((wait) => wait.call === call);
  if (at >= 0) waits.splice(at, 1);
  return at >= 0;
}
