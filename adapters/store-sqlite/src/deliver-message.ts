import type { DatabaseSync } from "node:sqlite";
import { type InboxRow, limits, type Message, type RunId } from "@claw/core/protocol";
import type { BatchWork } from "./batch-work.ts";
import type { Keys } from "./keys.ts";

/** Puts messages into the inboxes of open runs. */
export interface Inbox {
  /**
   * Delivers what a run or an event owes: never refused for room, because that would strand the receiver.
   * False when there is no such open run, and when a run asks again for what lies there: to cancel.
   */
  push(message: Message, delivered: InboxRow[]): boolean;
  /** Delivers a client's message, if there is room; runs of another namespace than the batch's are unknown. */
  offer(message: Message, work: BatchWork): "delivered" | "unknown" | "closed" | "full";
  /** Removes a message that was taken. */
  take(run: RunId, seq: number): void;
  /** Forgets what is remembered of the table, after a rollback. */
  refresh(): void;
}

const FULL_KNOWN_MAX = 1_000;

/** The inbox verbs on an open database. */
export function openInbox(db: DatabaseSync, keys: Keys): Inbox {
  // A parked run becomes due at once; one in memory (0) and a held one stay as they are.
  const count = db.prepare(`
    UPDATE runs SET
      inbox_seq = inbox_seq + 1,
      due = CASE WHEN due = 0 OR held <> '' THEN due ELSE 1 END
    WHERE id = ? RETURNING inbox_seq AS seq`);
  const insert = db.prepare("INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?)");
  const numberOf = db.prepare("SELECT namespace, inbox_seq AS seq FROM runs WHERE id = ?");
  const unread = db.prepare("SELECT count(*) AS n FROM inbox WHERE run = ?");
  const cancels = db.prepare("SELECT 1 FROM inbox WHERE run = ? AND kind = 'cancel' LIMIT 1");
  const isClosed = db.prepare(
    "SELECT 1 FROM closed WHERE id = ? AND namespace = coalesce(?, namespace)",
  );
  const remove = db.prepare("DELETE FROM inbox WHERE run = ? AND seq = ?");

  function push(message: Message, delivered: InboxRow[]): boolean {
    const { to, kind, name, from, data } = message;
    if (kind === "cancel" && from !== "" && cancels.get(to) !== undefined) return false;
    const row = count.get(to) as { seq: number } | undefined;
    if (row === undefined) return false;
    insert.run(to, row.seq, kind, name, from, data);
    delivered.push({ to, kind, name, from, data, seq: row.seq });
    if (kind === "cancel") keys.cancelled(to);
    return true;
  }

  // Counting so many rows takes longer than all the rest of a refusal: a full inbox stays full until something
  // is taken from it.
  const full = new Set<RunId>();

  // Rows are counted only for runs that ever got that many. A full inbox still takes one request to cancel.
  function isFull(message: Message, seq: number): boolean {
    if (seq < limits.INBOX_ROWS_MAX) return false;
    if (message.kind === "cancel" && cancels.get(message.to) === undefined) return false;
    if (full.has(message.to)) return true;
    if ((unread.get(message.to) as { n: number }).n < limits.INBOX_ROWS_MAX) return false;
    if (full.size >= FULL_KNOWN_MAX) full.clear();
    full.add(message.to);
    return true;
  }

  return {
    push,
    offer: (message, { namespace, delivered }) => {
      const row = numberOf.get(message.to) as { namespace: string; seq: number } | undefined;
      if (row === undefined) {
        return isClosed.get(message.to, namespace ?? null) === undefined ? "unknown" : "closed";
      }
      if (row.namespace !== (namespace ?? row.namespace)) return "unknown";
      if (isFull(message, row.seq)) return "full";
      push(message, delivered);
      return "delivered";
    },
    take: (run, seq) => {
      remove.run(run, seq);
      full.delete(run);
    },
    refresh: () => full.clear(),
  };
}
