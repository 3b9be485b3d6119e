import type { InboxRow, RefusedStart, RunId, StartRow } from "@claw/core/protocol";

/** What one batch has brought about so far. */
export interface BatchWork {
  readonly nowMs: number;
  /** Runs of another one are unknown to clients; undefined for no bound. */
  readonly namespace: string | undefined;
  /** Who writes, of several nodes; null when one process owns the disk. */
  readonly holder: number | null;
  readonly delivered: InboxRow[];
  readonly started: StartRow[];
  /** Runs that have their key by now. */
  readonly woken: RunId[];
  /** Runs of the current item that were not created. */
  readonly refused: RefusedStart[];
}

/** The work of a batch that has brought nothing about yet. */
export function newWork(
  nowMs: number,
  namespace: string | undefined,
  holder: number | null = null,
): BatchWork {
  return { nowMs, namespace, holder, delivered: [], started: [], woken: [], refused: [] };
}
