import { draftOf, type RunState } from "../run-state.ts";

/** Puts a run to rest with its next transition, unless a message comes before that is written. */
export function parkRun(run: RunState, due: number | null, waits: number): void {
  draftOf(run).park = { due, waits, inboxSeen: run.inboxSeen };
}
