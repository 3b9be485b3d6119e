import type { DatabaseSync } from "node:sqlite";
import type { Park } from "@claw/core/ports";
import type { Hold, Phase, RunId } from "@claw/core/protocol";
import { Contradiction } from "./batch-work.ts";

/** Puts open runs to rest and wakes them. */
export interface Rester {
  /**
   * Puts a run to rest unless a message came; true when it rests. `seq` is the number of its last entry, null
   * when none were added since it rested last.
   */
  park(run: RunId, seq: number | null, park: Park): boolean;
  hold(run: RunId, seq: number | null, kind: Hold, reason: string): void;
  /** Shows what a run does as its status. */
  mark(run: RunId, phase: Phase): void;
  /** Lets a run that was created at rest stay with its process after all. */
  keepActive(run: RunId): void;
  /** Makes a held run due at once. */
  release(run: RunId): "released" | "unknown" | "closed";
}

/** The resting verbs on an open database. */
export function openRester(db: DatabaseSync): Rester {
  const park = db.prepare(`
    UPDATE runs SET seq = coalesce(?, seq), due = ?, waits = ? WHERE id = ? AND inbox_seq = ?`);
  const hold = db.prepare(`
    UPDATE runs SET seq = coalesce(?, seq), due = NULL, held = ?, held_reason = ? WHERE id = ?`);
  const mark = db.prepare("UPDATE runs SET phase = ? WHERE id = ?");
  const keepActive = db.prepare("UPDATE runs SET due = 0, waits = 0 WHERE id = ?");
  const release = db.prepare(
    "UPDATE runs SET due = 1, held = '', held_reason = '' WHERE id = ? AND held <> ''",
  );
  const isOpen = db.prepare("SELECT 1 FROM runs WHERE id = ?");
  const isClosed = db.prepare("SELECT 1 FROM closed WHERE id = ?");

  return {
    park: (run, seq, { due, waits, inboxSeen }) => {
      // The row's own check would let it pass when a message came in between.
      if (due === null && waits <= 0) {
        throw new Contradiction(`${run} would be stranded: nothing would wake it`);
      }
      if (park.run(seq, due, waits, run, inboxSeen).changes === 1) return true;
      if (isOpen.get(run) === undefined) throw new Contradiction(`${run} is not an open run`);
      return false;
    },
    hold: (run, seq, kind, reason) => {
      if (hold.run(seq, kind, reason, run).changes === 1) return;
      throw new Contradiction(`${run} is not an open run`);
    },
    mark: (run, phase) => {
      mark.run(phase, run);
    },
    keepActive: (run) => {
      keepActive.run(run);
    },
    release: (run) => {
      if (release.run(run).changes === 1 || isOpen.get(run) !== undefined) return "released";
      return isClosed.get(run) === undefined ? "unknown" : "closed";
    },
  };
}
