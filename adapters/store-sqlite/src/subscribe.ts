import type { DatabaseSync } from "node:sqlite";
import type { Wait } from "@claw/core/ports";
import { encodeEventNote, type InboxRow, type RunId } from "@claw/core/protocol";
import type { Inbox } from "./deliver-message.ts";
import type { EventLog, LoggedEvent } from "./event-log.ts";
import { type Spreads, toCall } from "./spread.ts";

/** Subscriptions of calls to events. */
export interface Subscriptions {
  /**
   * Registers a subscription, or answers it at once: the first logged event that it looks back to
   * goes into the run's inbox and no row is kept.
   */
  add(run: RunId, namespace: string, wait: Wait, delivered: InboxRow[]): void;
  remove(run: RunId, call: string): void;
  /** Removes all subscriptions of a run. */
  removeAll(run: RunId): void;
}

/** The subscription verbs on an open database. */
export function openSubscriptions(
  db: DatabaseSync,
  inbox: Inbox,
  log: EventLog,
  spreads: Spreads,
): Subscriptions {
  const insert = db.prepare(
    "INSERT INTO waits (key, run, call) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const insertBeyond = db.prepare("INSERT INTO waits VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
  const remove = db.prepare("DELETE FROM waits WHERE run = ? AND call = ?");
  const removeAll = db.prepare("DELETE FROM waits WHERE run = ?");

  // While an event is on its way to many calls: this one is none of them, it has looked back.
  function addBeside(
    run: RunId,
    { key, call }: Wait,
    found: LoggedEvent | null,
    delivered: InboxRow[],
  ): void {
    if (found === null) {
      insertBeyond.run(key, run, call, spreads.newestOf(key));
      return;
    }
    remove.run(run, call);
    spreads.settle(run, found.seq, delivered);
    inbox.push(toCall(run, call, encodeEventNote(found.seq, found.event)), delivered);
  }

  return {
    add: (run, namespace, wait, delivered) => {
      log.learnShape(namespace, wait.type, wait.shape);
      const found = log.firstAfter(wait.key, wait.after, wait.since);
      if (spreads.owes) addBeside(run, wait, found, delivered);
      else if (found === null) insert.run(wait.key, run, wait.call);
      else inbox.push(toCall(run, wait.call, encodeEventNote(found.seq, found.event)), delivered);
    },
    remove: (run, call) => {
      remove.run(run, call);
    },
    removeAll: (run) => {
      removeAll.run(run);
    },
  };
}
