import type { DatabaseSync } from "node:sqlite";
import { type InboxRow, limits, type Message, type RunId } from "@claw/core/protocol";
import type { Inbox } from "./deliver-message.ts";

/** An event on its way to the calls that wait for it under one key. */
type Spread = {
  readonly seq: number;
  readonly key: string;
  readonly note: string;
  /** The last call that was answered; calls are answered in the order of run and call. */
  run: string;
  call: string;
};

type Waiting = { run: string; call: string };

/**
 * Events that more calls wait for than one commit should answer. Such an event is a row of `spreads`; each commit
 * of a `spread` item answers the next calls, the oldest event first. What was answered has no row in
 * `waits` any more, so a crash repeats nothing.
 *
 * A run gets its events in their order: before it gets a newer event it gets what is owed to it. A
 * subscription that came after the event looked back itself; `waits.beyond` keeps the event from it.
 */
export interface Spreads {
  /** True while an event is owed to waiting calls. */
  readonly owes: boolean;
  /** Answers all calls that wait under `key`, or as many as is right and the others with later commits. */
  answer(key: string, seq: number, note: string, delivered: InboxRow[]): void;
  /** Answers the next calls. */
  goOn(delivered: InboxRow[]): void;
  /** Gives a run what is owed to it of events before number `seq`. */
  settle(run: RunId, seq: number, delivered: InboxRow[]): void;
  /** The newest event that is owed under `key`; 0 for none. */
  newestOf(key: string): number;
  /** Forgets what is remembered of the tables, after a rollback. */
  refresh(): void;
}

/** The spreading verbs on an open database. */
export function openSpreads(db: DatabaseSync, inbox: Inbox): Spreads {
  const select = db.prepare("SELECT seq, key, note, run, call FROM spreads ORDER BY seq, key");
  const insert = db.prepare("INSERT INTO spreads (seq, key, note) VALUES (?, ?, ?)");
  const move = db.prepare("UPDATE spreads SET run = ?, call = ? WHERE seq = ? AND key = ?");
  const remove = db.prepare("DELETE FROM spreads WHERE seq = ? AND key = ?");
  const first = db.prepare("SELECT run, call FROM waits WHERE key = ? ORDER BY run, call LIMIT ?");
  const next = db.prepare(`
    SELECT run, call FROM waits WHERE key = ? AND (run, call) > (?, ?) AND beyond < ?
    ORDER BY run, call LIMIT ?`);
  const owedTo = db.prepare(
    "SELECT call FROM waits WHERE key = ? AND run = ? AND beyond < ? ORDER BY call",
  );
  const answerAll = db.prepare("DELETE FROM waits WHERE key = ?");
  const answerOne = db.prepare("DELETE FROM waits WHERE key = ? AND run = ? AND call = ?");
  // Asked for with every event and subscription, nearly always empty: kept in memory.
  let known: Spread[] | null = null;

  const pending = (): Spread[] => {
    known ??= select.all() as Spread[];
    return known;
  };

  function settle(run: RunId, seq: number, delivered: InboxRow[]): void {
    for (const one of pending()) {
      if (one.seq >= seq) return;
      for (const { call } of owedTo.all(one.key, run, one.seq) as { call: string }[]) {
        answerOne.run(one.key, run, call);
        inbox.push(toCall(run, call, one.note), delivered);
      }
    }
  }

  return {
    get owes() {
      return pending().length > 0;
    },
    settle,
    answer: (key, seq, note, delivered) => {
      const rows = first.all(key, limits.EVENT_SPREAD_ROWS + 1) as Waiting[];
      if (rows.length === 0) return;
      const others = pending();
      if (rows.length > limits.EVENT_SPREAD_ROWS || others.some((one) => one.key === key)) {
        insert.run(seq, key, note);
        others.push({ seq, key, note, run: "", call: "" });
        return;
      }
      answerAll.run(key);
      for (const { run, call } of rows) {
        if (others.length > 0) settle(run, seq, delivered);
        inbox.push(toCall(run, call, note), delivered);
      }
    },
    goOn: (delivered) => {
      const [oldest] = pending();
      if (oldest === undefined) return;
      const { key, seq, note } = oldest;
      const most = limits.EVENT_SPREAD_ROWS;
      const rows = next.all(key, oldest.run, oldest.call, seq, most) as Waiting[];
      for (const { run, call } of rows) {
        answerOne.run(key, run, call);
        inbox.push(toCall(run, call, note), delivered);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < most) {
        remove.run(seq, key);
        pending().shift();
      } else {
        move.run(last.run, last.call, seq, key);
        oldest.run = last.run;
        oldest.call = last.call;
      }
    },
    newestOf: (key) => pending().findLast((one) => one.key === key)?.seq ?? 0,
    refresh: () => {
      known = null;
    },
  };
}

/** The message that tells a call of an event. Who published it is in its source: no run has sent it. */
export function toCall(to: RunId, call: string, note: string): Message {
  return { to, kind: "event", name: call, from: "", data: note };
}
