import type { DatabaseSync } from "node:sqlite";
import type { Wait } from "@claw/core/ports";
import { encodeEventNote, type InboxRow, type Message, type RunId } from "@claw/core/protocol";
import type { Inbox } from "./deliver-message.ts";
import type { EventLog } from "./event-log.ts";

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
  /** Turns every subscription to `key` into a message with the event, in the order of run and call. */
  answer(key: string, note: string, delivered: InboxRow[]): void;
}

type Waiting = { run: string; call: string };

/** The subscription verbs on an open database. */
export function openSubscriptions(db: DatabaseSync, inbox: Inbox, log: EventLog): Subscriptions {
  const insert = db.prepare("INSERT INTO waits VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const remove = db.prepare("DELETE FROM waits WHERE run = ? AND call = ?");
  const removeAll = db.prepare("DELETE FROM waits WHERE run = ?");
  const waiting = db.prepare("SELECT run, call FROM waits WHERE key = ? ORDER BY run, call");
  const answered = db.prepare("DELETE FROM waits WHERE key = ?");

  return {
    add: (run, namespace, wait, delivered) => {
      log.learnShape(namespace, wait.type, wait.shape);
      const found = log.firstAfter(wait.key, wait.after, wait.since);
      if (found === null) insert.run(wait.key, run, wait.call);
      else inbox.push(toCall(run, wait.call, encodeEventNote(found.seq, found.event)), delivered);
    },
    remove: (run, call) => {
      remove.run(run, call);
    },
    removeAll: (run) => {
      removeAll.run(run);
    },
    answer: (key, note, delivered) => {
      const rows = waiting.all(key) as Waiting[];
      if (rows.length === 0) return;
      answered.run(key);
      for (const { run, call } of rows) inbox.push(toCall(run, call, note), delivered);
    },
  };
}

// Events have no sender among runs: who published one is in its source.
function toCall(to: RunId, call: string, note: string): Message {
  return { to, kind: "event", name: call, from: "", data: note };
}
