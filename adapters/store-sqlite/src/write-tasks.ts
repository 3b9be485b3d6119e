import type { DatabaseSync } from "node:sqlite";
import type { Enqueue, ItemAnswer, Redrive, TaskItem, TaskProgress } from "@claw/core/ports";
import { type AsideTask, taskIdOf, type TaskBlock } from "@claw/core/protocol";
import { APPLIED } from "./batch-work.ts";
import type { Requests } from "./remember-request.ts";

/** Writes standalone tasks. */
export interface TaskWriter {
  apply(item: TaskItem, nowMs: number): ItemAnswer;
  /** Forgets at most `limit` kept tasks whose time is over. */
  expire(nowMs: number, limit: number): void;
}

/** The writing task verbs on an open database. */
export function openTaskWriter(db: DatabaseSync, requests: Requests): TaskWriter {
  const insertBlock = db.prepare("INSERT INTO task_blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const raise = db.prepare("UPDATE meta SET value = max(value, ?) WHERE name = 'task_id'");
  const removeBlock = db.prepare("DELETE FROM task_blocks WHERE id = ?");
  const removeMarks = db.prepare("DELETE FROM task_marks WHERE block = ?");
  const mark = db.prepare("INSERT OR REPLACE INTO task_marks VALUES (?, ?)");
  const removeAside = db.prepare("DELETE FROM task_aside WHERE id = ?");
  const writeAside = db.prepare(`
    INSERT OR REPLACE INTO task_aside VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const revive = db.prepare(`
    UPDATE task_aside SET status = 'waiting', attempt = 1, due = ?3, error = NULL
    WHERE id = ?1 AND namespace = ?2 AND status = 'dead'`);
  const forget = db.prepare(`
    DELETE FROM task_aside WHERE id IN
      (SELECT id FROM task_aside WHERE status = 'completed' AND due < ? LIMIT ?)
    RETURNING id, input LIKE '~%' OR output LIKE '~%' OR attempt > 1 AS apart`);
  const removeBlobs = db.prepare("DELETE FROM blobs WHERE run = ?");

  const block = (row: TaskBlock): void => {
    const { id, namespace, queue, rank, name, count, addedAt, inputs } = row;
    insertBlock.run(id, namespace, queue, rank, name, count, addedAt, inputs);
  };
  const aside = (row: AsideTask): void => {
    const { id, namespace, queue, rank, name, status, attempt, due, addedAt } = row;
    const place = [id, namespace, queue, rank, name];
    const values = [row.input, row.output, row.progress];
    const error = row.error === null ? null : JSON.stringify(row.error);
    writeAside.run(...place, status, attempt, due, addedAt, ...values, error);
  };

  function enqueue(item: Enqueue, nowMs: number): ItemAnswer {
    if (item.dedup !== null) {
      const first = requests.remember(item.dedup, taskIdOf(item.lastId), nowMs);
      if (first !== null) return first;
    }
    for (const row of item.blocks) block(row);
    for (const row of item.aside) aside(row);
    raise.run(item.lastId);
    return APPLIED;
  }

  function progress(item: TaskProgress): ItemAnswer {
    for (const id of item.blocksGone) {
      removeBlock.run(id);
      removeMarks.run(id);
    }
    for (const { block: id, done } of item.marks) mark.run(id, done);
    for (const id of item.asideGone) removeAside.run(id);
    for (const row of item.aside) aside(row);
    for (const id of item.blobsGone ?? []) removeBlobs.run(id);
    return APPLIED;
  }

  function redrive({ id, namespace }: Redrive, nowMs: number): ItemAnswer {
    if (revive.run(id, namespace, nowMs).changes === 1) return APPLIED;
    return { status: "refused", why: "unknown", detail: taskIdOf(id) };
  }

  return {
    apply: (item, nowMs) => {
      if (item.type === "enqueue") return enqueue(item, nowMs);
      return item.type === "tasks" ? progress(item) : redrive(item, nowMs);
    },
    expire: (nowMs, limit) => {
      for (const { id, apart } of forget.all(nowMs, limit)) {
        if (apart === 1) removeBlobs.run(taskIdOf(Number(id)));
      }
    },
  };
}
