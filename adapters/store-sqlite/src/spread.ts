import type { DatabaseSync, StatementSync } from "node:sqlite";
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
export class Spreads {
  readonly #inbox: Inbox;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;
  readonly #move: StatementSync;
  readonly #remove: StatementSync;
  readonly #first: StatementSync;
  readonly #next: StatementSync;
  readonly #owedTo: StatementSync;
  readonly #answerAll: StatementSync;
  readonly #answerOne: StatementSync;
  /** Asked for with every event and subscription, nearly always empty. Null: not read yet. */
  #known: Spread[] | null = null;

  constructor(db: DatabaseSync, inbox: Inbox) {
    this.#inbox = inbox;
    this.#select = db.prepare("SELECT seq, key, note, run, call FROM spreads ORDER BY seq, key");
    this.#insert = db.prepare("INSERT INTO spreads (seq, key, note) VALUES (?, ?, ?)");
    this.#move = db.prepare("UPDATE spreads SET run = ?, call = ? WHERE seq = ? AND key = ?");
    this.#remove = db.prepare("DELETE FROM spreads WHERE seq = ? AND key = ?");
    // A bound limit makes SQLite prepare the statement anew each time.
    this.#first = db.prepare(
      `SELECT run, call FROM waits WHERE key = ?
       ORDER BY run, call LIMIT ${limits.EVENT_SPREAD_ROWS + 1}`,
    );
    this.#next = db.prepare(`
      SELECT run, call FROM waits WHERE key = ? AND (run, call) > (?, ?) AND beyond < ?
      ORDER BY run, call LIMIT ?`);
    this.#owedTo = db.prepare(
      "SELECT call FROM waits WHERE key = ? AND run = ? AND beyond < ? ORDER BY call",
    );
    this.#answerAll = db.prepare("DELETE FROM waits WHERE key = ?");
    this.#answerOne = db.prepare("DELETE FROM waits WHERE key = ? AND run = ? AND call = ?");
  }

  /** True while an event is owed to waiting calls. */
  get owes(): boolean {
    return this.#pending().length > 0;
  }

  /** Answers all calls that wait under `key`, or leaves them to later commits when they are very many. */
  answer(key: string, seq: number, note: string, delivered: InboxRow[]): void {
    const rows = this.#first.all(key) as Waiting[];
    if (rows.length === 0) return;
    const others = this.#pending();
    if (rows.length > limits.EVENT_SPREAD_ROWS || others.some((one) => one.key === key)) {
      this.#insert.run(seq, key, note);
      others.push({ seq, key, note, run: "", call: "" });
      return;
    }
    this.#answerAll.run(key);
    for (const { run, call } of rows) {
      if (others.length > 0) this.settle(run, seq, delivered);
      this.#inbox.push(toCall(run, call, note), delivered);
    }
  }

  /** Answers the next calls. */
  goOn(delivered: InboxRow[]): void {
    const [oldest] = this.#pending();
    if (oldest === undefined) return;
    const { key, seq, note } = oldest;
    const most = limits.EVENT_SPREAD_ROWS;
    const rows = this.#next.all(key, oldest.run, oldest.call, seq, most) as Waiting[];
    for (const { run, call } of rows) {
      this.#answerOne.run(key, run, call);
      this.#inbox.push(toCall(run, call, note), delivered);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < most) {
      this.#remove.run(seq, key);
      this.#pending().shift();
    } else {
      this.#move.run(last.run, last.call, seq, key);
      oldest.run = last.run;
      oldest.call = last.call;
    }
  }

  /** Gives a run what is owed to it of events before number `seq`. */
  settle(run: RunId, seq: number, delivered: InboxRow[]): void {
    for (const one of this.#pending()) {
      if (one.seq >= seq) return;
      for (const { call } of this.#owedTo.all(one.key, run, one.seq) as { call: string }[]) {
        this.#answerOne.run(one.key, run, call);
        this.#inbox.push(toCall(run, call, one.note), delivered);
      }
    }
  }

  /** The newest event that is owed under `key`; 0 for none. */
  newestOf(key: string): number {
    return this.#pending().findLast((one) => one.key === key)?.seq ?? 0;
  }

  /** Forgets what is remembered of the tables, after a rollback. */
  refresh(): void {
    this.#known = null;
  }

  #pending(): Spread[] {
    this.#known ??= this.#select.all() as Spread[];
    return this.#known;
  }
}

/** The message that tells a call of an event. Who published it is in its source: no run has sent it. */
export function toCall(to: RunId, call: string, note: string): Message {
  return { to, kind: "event", name: call, from: "", data: note };
}
