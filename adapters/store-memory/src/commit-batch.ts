import type { Batch, BatchAnswer, ItemAnswer } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { applyItem } from "./apply-item.ts";
import { type BatchWork, newWork } from "./batch-work.ts";
import { writeBlob } from "./blobs.ts";
import type { Fault } from "./faults.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { owesEvents } from "./spread.ts";

/** Writes a batch, with what goes wrong. Errors: CLAW-4007 fenced, CLAW-4006 the outcome is unknown. */
export function commitBatch(
  disk: MemoryDisk,
  batch: Batch,
  fault: Fault | null,
  flushed: boolean,
): BatchAnswer {
  switch (fault?.kind) {
    case "fail":
      throw unknownOutcome("the commit failed");
    case "late":
      disk.late.push(structuredClone(batch));
      throw unknownOutcome("the commit is under way");
    case "torn":
      disk.loseUnflushed(fault.commits);
      throw unknownOutcome("the power failed");
    case "unflushed":
      writeBatch(disk, batch, null, false);
      throw unknownOutcome("the flush failed");
    case "lost-answer":
      writeBatch(disk, batch, null, flushed);
      throw unknownOutcome("the answer was lost");
    default:
      return writeBatch(disk, batch, fault?.item ?? null, flushed);
  }
}

/** Writes what was under way when its sender lost sight of it. */
export function writeLateBatches(disk: MemoryDisk): void {
  for (const batch of disk.late.splice(0)) {
    if (isLive(disk, batch.incarnation)) writeBatch(disk, batch, null, true);
  }
}

function isLive(disk: MemoryDisk, incarnation: number): boolean {
  if (disk.nodes.areThere) return disk.nodes.live(incarnation) !== undefined;
  return incarnation === disk.incarnation;
}

function writeBatch(
  disk: MemoryDisk,
  batch: Batch,
  poisoned: number | null,
  flushed: boolean,
): BatchAnswer {
  const { incarnation: current } = disk;
  if (!isLive(disk, batch.incarnation)) {
    throw new ClawError("CLAW-4007", `Incarnation ${batch.incarnation} was ended by ${current}`, {
      details: { incarnation: batch.incarnation, current },
    });
  }
  const { nowMs, namespace } = batch;
  const work = newWork(nowMs, namespace, disk.nodes.areThere ? batch.incarnation : null);
  disk.nodes.writer = batch.incarnation;
  disk.latestMs = Math.max(disk.latestMs, nowMs);
  const items: ItemAnswer[] = [];
  for (const [index, item] of batch.items.entries()) {
    items.push(
      alone(disk, work, () => {
        if (index === poisoned) throw new Error("a fault was injected");
        const answer = applyItem(disk, item, work);
        for (const blob of batch.blobs ?? []) {
          if (blob.item === index && answer.status === "applied") writeBlob(disk, blob);
        }
        return answer;
      }),
    );
  }
  disk.settleCommit(flushed);
  const { delivered, started, woken } = work;
  const answer = { items, delivered, started, woken };
  return owesEvents(disk) ? { ...answer, owes: true } : answer;
}

// One bad item leaves no trace and does not touch the others.
function alone(disk: MemoryDisk, work: BatchWork, apply: () => ItemAnswer): ItemAnswer {
  const { mark } = disk.undo;
  const delivered = work.delivered.length;
  const started = work.started.length;
  const woken = work.woken.length;
  try {
    return apply();
  } catch (error) {
    disk.undo.rollBack(mark);
    work.delivered.length = delivered;
    work.started.length = started;
    work.woken.length = woken;
    work.refused.length = 0;
    const detail = error instanceof Error ? error.message : String(error);
    return { status: "refused", why: "poison", detail };
  }
}

function unknownOutcome(what: string): ClawError {
  return new ClawError("CLAW-4006", `memory: ${what}`);
}
