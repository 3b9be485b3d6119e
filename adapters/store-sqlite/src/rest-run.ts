import type { DatabaseSync } from "node:sqlite";
import type { Park } from "@claw/core/ports";
import type { Hold, Phase, RunId } from "@claw/core/protocol";
import { type BatchWork, Contradiction } from "./batch-work.ts";
import type { Keys } from "./keys.ts";

/** What became of an operator's request; `held` is what stood in its way. */
export type Outcome = "done" | "unknown" | "closed" | { readonly held: string };

/** Puts open runs to rest and wakes them. Operators reach the runs of the namespace of their batch. */
export interface Rester {
  /**
   * Puts a run to rest unless a message came; true when it rests. `seq` is the number of its last entry, null
   * when none were added since it rested last.
   */
  park(run: RunId, seq: number | null, park: Park): boolean;
  hold(run: RunId, seq: number | null, kind: Hold, reason: string, work: BatchWork): void;
  /** Shows what a run does as its status. */
  mark(run: RunId, phase: Phase): void;
  /** Lets a run that was created at rest stay with its process after all. */
  keepActive(run: RunId): void;
  /** Makes a held run due at once, or queues it for its key; else its hold, which is none of `from`. */
  release(run: RunId, from: readonly string[] | null, work: BatchWork): Outcome;
  /** Holds a run as paused; else the other reason for which it is held. */
  pause(run: RunId, reason: string, work: BatchWork): Outcome;
  /** Says that this process holds a run in memory. */
  take(run: RunId): void;
  /** Sets the recoveries of a run to 0. */
  clear(run: RunId): void;
}

// Who was paused by a person stays paused.
const HOLD = `
  UPDATE runs SET seq = coalesce(?, seq), due = NULL, recoveries = 0,
    held = CASE held WHEN 'paused' THEN held ELSE ? END,
    held_reason = CASE held WHEN 'paused' THEN held_reason ELSE ? END
  WHERE id = ?`;

/** The resting verbs on an open database. */
export function openRester(db: DatabaseSync, keys: Keys): Rester {
  const park = db.prepare(`
    UPDATE runs SET seq = coalesce(?, seq), due = ?, waits = ?, recoveries = 0
    WHERE id = ? AND inbox_seq = ?`);
  const hold = db.prepare(HOLD);
  const mark = db.prepare("UPDATE runs SET phase = ? WHERE id = ?");
  const keepActive = db.prepare("UPDATE runs SET due = 0, waits = 0 WHERE id = ?");
  const release = db.prepare(`
    UPDATE runs SET due = 1, held = '', held_reason = '', recoveries = 0
    WHERE id = ? AND held <> ''`);
  const pause = db.prepare(`
    UPDATE runs SET due = NULL, held = 'paused', held_reason = ?, recoveries = 0
    WHERE id = ? AND held IN ('', 'paused', 'queued') AND namespace = coalesce(?, namespace)`);
  const take = db.prepare("UPDATE runs SET due = 0 WHERE id = ? AND held = ''");
  const clear = db.prepare("UPDATE runs SET recoveries = 0 WHERE id = ?");
  const isOpen = db.prepare(
    "SELECT held FROM runs WHERE id = ? AND namespace = coalesce(?, namespace)",
  );
  const isClosed = db.prepare(
    "SELECT 1 FROM closed WHERE id = ? AND namespace = coalesce(?, namespace)",
  );

  function lookUp(run: RunId, namespace: string | null): Exclude<Outcome, "done"> {
    const row = isOpen.get(run, namespace) as { held: string } | undefined;
    if (row !== undefined) return row;
    return isClosed.get(run, namespace) === undefined ? "unknown" : "closed";
  }

  return {
    park: (run, seq, { due, waits, inboxSeen }) => {
      mustBeWoken(run, due, waits);
      if (park.run(seq, due, waits, run, inboxSeen).changes === 1) return true;
      if (isOpen.get(run, null) === undefined) throw new Contradiction(`${run} is not an open run`);
      return false;
    },
    hold: (run, seq, kind, reason, work) => {
      if (hold.run(seq, kind, reason, run).changes === 0) {
        throw new Contradiction(`${run} is not an open run`);
      }
      keys.held(run, work);
    },
    mark: (run, phase) => {
      mark.run(phase, run);
    },
    keepActive: (run) => {
      keepActive.run(run);
    },
    release: (run, from, work) => {
      const found = lookUp(run, work.namespace ?? null);
      if (typeof found === "string") return found;
      if (from !== null && !from.includes(found.held)) return found;
      if (found.held !== "" && !keys.release(run, work)) release.run(run);
      return "done";
    },
    pause: (run, reason, work) => {
      const namespace = work.namespace ?? null;
      if (pause.run(reason, run, namespace).changes === 0) return lookUp(run, namespace);
      keys.held(run, work);
      return "done";
    },
    take: (run) => {
      take.run(run);
    },
    clear: (run) => {
      clear.run(run);
    },
  };
}

// The row's own check would let it pass when a message came in between.
function mustBeWoken(run: RunId, due: number | null, waits: number): void {
  if (due !== null || waits > 0) return;
  throw new Contradiction(`${run} would be stranded: nothing would wake it`);
}
