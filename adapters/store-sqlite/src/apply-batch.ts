import type { DatabaseSync } from "node:sqlite";
import type {
  Batch,
  BatchAnswer,
  Clear,
  CommitItem,
  Delivery,
  ItemAnswer,
  Pause,
  Release,
  TaskItem,
} from "@claw/core/ports";
import { ClawError, isClawError } from "@claw/core/protocol";
import { applyStart, applyTransition, publishEvent, type Tables } from "./apply-transition.ts";
import { openApprovals } from "./approvals.ts";
import { openAttributeSetter } from "./attributes.ts";
import { APPLIED, type BatchWork, newWork } from "./batch-work.ts";
import { type Blobs, openBlobs } from "./blobs.ts";
import { openCloser } from "./close-run.ts";
import { openCreator } from "./create-run.ts";
import { openInbox } from "./deliver-message.ts";
import { openEventLog } from "./event-log.ts";
import { Journals } from "./journals.ts";
import { Keys } from "./keys.ts";
import { openPastWriter, openRenewer } from "./renew-run.ts";
import { openRequests } from "./remember-request.ts";
import { openRester } from "./rest-run.ts";
import { isStorageError } from "./storage-error.ts";
import { Spreads } from "./spread.ts";
import { openSubscriptions } from "./subscribe.ts";
import { openStreams } from "./streams.ts";
import { openTraces } from "./traces.ts";
import { openTaskWriter } from "./write-tasks.ts";

/** Writes batches to one open database. */
export interface BatchWriter {
  readonly tables: Tables;
  readonly blobs: Blobs;
  /**
   * One transaction. Errors: CLAW-4007 (nothing written); whatever else it throws tells of the
   * storage, and the database must be opened again.
   */
  commit(batch: Batch): BatchAnswer;
}

const EVENT_KNOWN: ItemAnswer = Object.freeze({ status: "duplicate", run: "", same: true });

/** Prepares all statements that write; settles what the owner before left in the tail. */
export function openBatchWriter(db: DatabaseSync): BatchWriter {
  const blobs = openBlobs(db);
  const keys = new Keys(db, blobs);
  const inbox = openInbox(db, keys);
  const log = openEventLog(db);
  const journals = new Journals(db);
  const requests = openRequests(db);
  const spreads = new Spreads(db, inbox);
  const tables: Tables = {
    creator: openCreator(db),
    rester: openRester(db, keys),
    close: openCloser(db),
    journals,
    keys,
    inbox,
    requests,
    log,
    subscriptions: openSubscriptions(db, inbox, log, spreads),
    spreads,
    tasks: openTaskWriter(db, requests),
    approvals: openApprovals(db, inbox),
    setAttributes: openAttributeSetter(db),
    renew: openRenewer(db, journals),
    streams: openStreams(db),
    writePast: openPastWriter(db),
    traces: openTraces(db),
  };
  const begin = db.prepare("BEGIN IMMEDIATE");
  const end = db.prepare("COMMIT");
  begin.run();
  journals.recover();
  keys.recover(newWork(0, undefined));
  end.run();
  const incarnation = db.prepare("SELECT value FROM meta WHERE name = 'incarnation'");

  function attempt(batch: Batch, apply: (batch: Batch) => BatchAnswer): BatchAnswer {
    begin.run();
    const current = (incarnation.get() as { value: number }).value;
    if (current !== batch.incarnation) {
      throw new ClawError("CLAW-4007", `Incarnation ${batch.incarnation} was ended by ${current}`, {
        details: { incarnation: batch.incarnation, current },
      });
    }
    log.reached(batch.nowMs);
    const answer = apply(batch);
    journals.endBatch();
    end.run();
    return answer;
  }

  return {
    tables,
    blobs,
    commit: (batch) => {
      try {
        return attempt(batch, (whole) => applyTogether(tables, blobs, whole));
      } catch (error) {
        if (isStorageError(error)) throw error;
        db.exec("ROLLBACK");
        log.refresh();
        inbox.refresh();
        spreads.refresh();
        journals.reload();
        if (isClawError(error, "CLAW-4007")) throw error;
        // One item is bad. The others are written without it.
        return attempt(batch, (whole) => applyOneByOne(db, tables, blobs, whole));
      }
    },
  };
}

function applyTogether(tables: Tables, blobs: Blobs, batch: Batch): BatchAnswer {
  const { nowMs, namespace } = batch;
  const work = newWork(nowMs, namespace);
  const items: ItemAnswer[] = [];
  for (const item of batch.items) items.push(applyItem(tables, item, work));
  for (const blob of batch.blobs ?? []) {
    if (items[blob.item]?.status === "applied") blobs.write(blob);
  }
  return answerOf(tables, items, work);
}

function applyOneByOne(db: DatabaseSync, tables: Tables, blobs: Blobs, batch: Batch): BatchAnswer {
  const { nowMs, namespace } = batch;
  const work = newWork(nowMs, namespace);
  const items: ItemAnswer[] = [];
  tables.journals.beginDirect();
  for (const [at, item] of batch.items.entries()) {
    const [delivered, started] = [work.delivered.length, work.started.length];
    const woken = work.woken.length;
    db.exec("SAVEPOINT item");
    try {
      const answer = applyItem(tables, item, work);
      for (const blob of batch.blobs ?? []) {
        if (blob.item === at && answer.status === "applied") blobs.write(blob);
      }
      items.push(answer);
    } catch (error) {
      if (isStorageError(error)) throw error;
      db.exec("ROLLBACK TO item");
      tables.log.refresh();
      tables.inbox.refresh();
      tables.spreads.refresh();
      work.delivered.length = delivered;
      work.started.length = started;
      work.woken.length = woken;
      work.refused.length = 0;
      const detail = error instanceof Error ? error.message : String(error);
      items.push({ status: "refused", why: "poison", detail });
    }
    db.exec("RELEASE item");
  }
  tables.journals.endDirect();
  return answerOf(tables, items, work);
}

function answerOf(tables: Tables, items: readonly ItemAnswer[], work: BatchWork): BatchAnswer {
  const { delivered, started, woken } = work;
  const answer = { items, delivered, started, woken };
  return tables.spreads.owes ? { ...answer, owes: true } : answer;
}

function applyItem(tables: Tables, item: CommitItem, work: BatchWork): ItemAnswer {
  if (item.type === "transition") return withRefused(applyTransition(tables, item, work), work);
  if (item.type === "start") return applyStart(tables, item, work);
  if (item.type === "delivery") return applyDelivery(tables, item, work);
  if (item.type === "decision") return tables.approvals.decide(item, work);
  if (isTaskItem(item)) return tables.tasks.apply(item, work.nowMs);
  if (item.type === "take") {
    for (const run of item.runs) tables.rester.take(run);
    return APPLIED;
  }
  if (item.type === "spread") {
    tables.spreads.goOn(work.delivered);
    return APPLIED;
  }
  if (item.type !== "publication") return applyOperation(tables, item, work);
  return publishEvent(tables, item, work) ? withRefused(APPLIED, work) : EVENT_KNOWN;
}

// Few items start a run of a key, and few of those meet a full mailbox.
function withRefused(answer: ItemAnswer, work: BatchWork): ItemAnswer {
  if (work.refused.length === 0 || answer.status !== "applied") return answer;
  return { ...answer, refused: work.refused.splice(0) };
}

function isTaskItem(item: CommitItem): item is TaskItem {
  return item.type === "tasks" || item.type === "enqueue" || item.type === "redrive";
}

function applyDelivery(tables: Tables, item: Delivery, work: BatchWork): ItemAnswer {
  const { message, dedup } = item;
  if (dedup !== null) {
    const first = tables.requests.remember(dedup, "", work.nowMs);
    if (first !== null) return first;
  }
  const outcome = tables.inbox.offer(message, work);
  if (outcome === "delivered") return APPLIED;
  if (dedup !== null) tables.requests.forget(dedup);
  return { status: "refused", why: outcome, detail: message.to };
}

function applyOperation(
  tables: Tables,
  item: Release | Pause | Clear,
  work: BatchWork,
): ItemAnswer {
  const { rester } = tables;
  const { run } = item;
  if (item.type === "clear") {
    rester.clear(run);
    return APPLIED;
  }
  const outcome =
    item.type === "pause"
      ? rester.pause(run, item.reason, work)
      : rester.release(run, item.from ?? null, work);
  if (outcome === "done") return APPLIED;
  if (typeof outcome === "string") return { status: "refused", why: outcome, detail: run };
  return { status: "refused", why: "state", detail: outcome.held };
}
