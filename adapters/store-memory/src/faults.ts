import type { Batch } from "@claw/core/ports";

/**
 * What goes wrong with one commit:
 * `fail` nothing is written, the outcome is unknown to the caller · `lost-answer` it is written, the
 * outcome is unknown to the caller · `late` the outcome is unknown to the caller, and it is written just before the next `open` ·
 * `unflushed` it is written and its flush fails: the outcome is unknown to the caller, and `MemoryDisk.loseUnflushed` can
 * lose it until the next `open` ·
 * `poison` the item of this index is refused as bad data · `torn` the power fails before the last
 * flush: this batch and the newest `commits` unflushed ones are lost, although they were answered.
 */
export type Fault =
  | { readonly kind: "fail" }
  | { readonly kind: "lost-answer" }
  | { readonly kind: "late" }
  | { readonly kind: "unflushed" }
  | { readonly kind: "poison"; readonly item: number }
  | { readonly kind: "torn"; readonly commits: number };

/** Decides before each commit what goes wrong with it; null for nothing. */
export interface FaultPlan {
  beforeCommit?(batch: Batch): Fault | null;
}
