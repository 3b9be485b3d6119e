import { type InboxRow, limits, type Message, type RunId } from "@claw/core/protocol";
import type { BatchWork } from "./batch-work.ts";
import { cancelledKey } from "./keys.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { isOf } from "./read-runs.ts";

/**
 * Delivers what a run or an event owes: never refused for room, because that would strand the
 * receiver. Dropped when there is no such open run, and when a run asks again for what lies there: to cancel.
 */
export function pushMessage(disk: MemoryDisk, message: Message, delivered: InboxRow[]): void {
  const { to, kind, name, from, data } = message;
  const run = disk.runs.get(to);
  if (run === undefined) return;
  if (kind === "cancel" && from !== "" && hasCancel(disk, to)) return;
  const stays = run.due === 0 || run.held !== "";
  const seq = run.inboxSeq + 1;
  disk.runs.set(to, { ...run, inboxSeq: seq, due: stays ? run.due : 1 });
  const row: InboxRow = { to, kind, name, from, data, seq };
  disk.inbox.add(to, row);
  delivered.push({ ...row });
  disk.nodes.wrote(to);
  if (kind === "cancel") cancelledKey(disk, to);
}

/** Delivers a client's message, if there is room; a run of another namespace is unknown. A full inbox still takes one request to cancel. */
export function offerMessage(
  disk: MemoryDisk,
  message: Message,
  { namespace, delivered }: BatchWork,
): "delivered" | "unknown" | "closed" | "full" {
  const row = disk.runs.get(message.to);
  const known = row ?? disk.closed.get(message.to);
  if (known === undefined || !isOf(known, namespace)) return "unknown";
  if (row === undefined) return "closed";
  const unread = disk.inbox.of(message.to);
  const firstCancel = message.kind === "cancel" && !hasCancel(disk, message.to);
  if (unread.length >= limits.INBOX_ROWS_MAX && !firstCancel) return "full";
  pushMessage(disk, message, delivered);
  return "delivered";
}

function hasCancel(disk: MemoryDisk, run: RunId): boolean {
  return disk.inbox.of(run).some(({ kind }) => kind === "cancel");
}
