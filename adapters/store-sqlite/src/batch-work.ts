import type { ItemAnswer } from "@claw/core/ports";
import type { InboxRow, RefusedStart, RunId, StartRow } from "@claw/core/protocol";

/** What one batch has brought about so far. */
export interface BatchWork {
  /** Time of the batch, milliseconds since 1970. */
  readonly nowMs: number;
  /** Runs of another one are unknown to clients; undefined for no bound. */
  readonly namespace: string | undefined;
  readonly delivered: InboxRow[];
  readonly started: StartRow[];
  /** Runs that have their key by now. */
  readonly woken: RunId[];
  /** Runs of the current item that were not created. */
  readonly refused: RefusedStart[];
}

/** The work of a batch that has brought nothing about yet. */
export function newWork(nowMs: number, namespace: string | undefined): BatchWork {
  return { nowMs, namespace, delivered: [], started: [], woken: [], refused: [] };
}

/** The answer to an item that was written; shared, because most answers are this one. */
export const APPLIED: ItemAnswer = Object.freeze({ status: "applied", parked: false });

/** The answer to a transition that put its run to rest. */
export const PARKED: ItemAnswer = Object.freeze({ status: "applied", parked: true });

/** An item contradicts what the store holds: it is refused alone, as poison. */
export class Contradiction extends Error {}
