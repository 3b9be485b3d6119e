import type { DatabaseSync } from "node:sqlite";
import {
  type HeldHead,
  type KeyName,
  keyOwner,
  type KeyPlace,
  type Payload,
  readCoded,
  type RefusedStart,
  retryAfterMs,
  type RunId,
  type RunKey,
  smoothedTurnMs,
  type StartRow,
  type StoredKey,
} from "@claw/core/protocol";
import { type BatchWork, Contradiction } from "./batch-work.ts";
import type { Blobs } from "./blobs.ts";
import { keyStatements, type KeyStatements } from "./key-statements.ts";
import { type KeyReader, openKeyReader } from "./read-keys.ts";

/** What of a batch the queues of keys change. */
type KeyWork = Pick<BatchWork, "nowMs" | "woken">;

type Member = KeyName & {
  run: string;
  seq: number;
  place: KeyPlace;
  passes: number;
  onHeldHead: HeldHead;
};

type KeyRow = { head: string; headSince: number; waiting: number; turnMs: number };

type Next = { run: string; onHeldHead: HeldHead; held: string };

/**
 * The queues of keys and their states. A run that waits is held as `queued`; whoever takes the key from its
 * head, or the head from its key, wakes the next one at once, so that each waiting run is owed its wake-up by exactly
 * one head.
 */
export class Keys {
  readonly #sql: KeyStatements;
  readonly #blobs: Blobs;
  readonly #read: KeyReader;
  /** Stores without runs of keys need not look for them. */
  #used: boolean;

  constructor(db: DatabaseSync, blobs: Blobs) {
    this.#sql = keyStatements(db);
    this.#blobs = blobs;
    this.#read = openKeyReader(db);
    this.#used = this.#sql.any.get() !== undefined;
  }

  /** The key of a run; null for a run without one. */
  of(run: RunId): StoredKey | null {
    return this.#used ? this.#read(run) : null;
  }

  /** Queues a new run whose row is written next; "head" when it has the key at once. */
  enter(row: StartRow, keyed: RunKey, work: KeyWork): "head" | "waiting" | RefusedStart {
    this.#used = true;
    const { id, namespace, workflow } = row;
    const { key, waitingMax, onHeldHead } = keyed;
    const name = { namespace, workflow, key };
    const known = this.#row(name);
    const isFree = known === null || known.head === "";
    if (!isFree) {
      const why = this.#holdsKey(row.parentRun, name) ? "deadlock" : "mailbox";
      if (why === "deadlock" || known.waiting >= waitingMax) {
        const ms = why === "deadlock" ? 0 : retryAfterMs(known.turnMs);
        return { run: id, workflow, key, why, retryAfterMs: ms };
      }
    }
    const place = isFree ? "head" : "waiting";
    const more = isFree ? 0 : 1;
    const { seq } = this.#sql.count.get(namespace, workflow, key, more) as { seq: number };
    if (isFree) {
      this.#sql.setHead.run(id, work.nowMs, namespace, workflow, key);
      work.woken.push(id);
    }
    this.#sql.insert.run(id, namespace, workflow, key, seq, place, waitingMax, onHeldHead);
    return place;
  }

  /** The row of a run that waits is written: it may be let past a held head. */
  entered(run: RunId, work: KeyWork): void {
    const member = this.#member(run);
    if (member !== null) this.#letPast(member, work);
  }

  /** A run has ended: it leaves the queue. */
  leave(run: RunId, work: KeyWork): void {
    const member = this.#member(run);
    if (member === null) throw new Contradiction(`${run} is in the queue of no key`);
    const { place, namespace, workflow, key } = member;
    if (place === "ended") return;
    this.#sql.setPlace.run("ended", run);
    if (place === "waiting") this.#sql.addWaiting.run(-1, namespace, workflow, key);
    if (place !== "head") return;
    const { headSince, turnMs } = this.#row(member) ?? { headSince: work.nowMs, turnMs: 0 };
    const smoothed = smoothedTurnMs(turnMs, work.nowMs - headSince);
    this.#sql.freeKey.run(smoothed, namespace, workflow, key);
    this.#passOn(member, work);
  }

  /** A run was held: others may be let past. */
  held(run: RunId, work: KeyWork): void {
    const member = this.#member(run);
    if (member?.place === "head") this.#letPast(member, work);
  }

  /** Queues a held run that is released and does not have its key; false for any other run. */
  release(run: RunId, work: KeyWork): boolean {
    const member = this.#member(run);
    if (member?.place !== "waiting" && member?.place !== "aside") return false;
    this.#sql.queue.run(run);
    if (member.place === "waiting") {
      // Told to stop while it was paused, before it ever began.
      if (this.#sql.cancels.get(run) !== undefined) this.cancelled(run);
      return true;
    }
    // Its number, and not the time of its release, says when its turn is.
    const { namespace, workflow, key, seq } = member;
    this.#sql.setPlace.run("waiting", run);
    this.#sql.keepKey.run(namespace, workflow, key, seq);
    this.#sql.addWaiting.run(1, namespace, workflow, key);
    if (this.#row(member)?.head === "") this.#passOn(member, work);
    else this.#letPast(member, work);
    return true;
  }

  /** A run was told to stop: it waits no longer, unless it has begun. */
  cancelled(run: RunId): void {
    const member = this.#member(run);
    // What has begun may have steps to undo: it goes on when it has the key.
    if (member === null || member.place !== "waiting" || member.passes > 0) return;
    if (this.#sql.wake.run(run).changes === 0) return;
    const { namespace, workflow, key } = member;
    this.#sql.setPlace.run("ended", run);
    this.#sql.addWaiting.run(-1, namespace, workflow, key);
  }

  /** True for a run that has its key. */
  has(run: RunId): boolean {
    const member = this.#member(run);
    return member !== null && this.#row(member)?.head === run;
  }

  /** Sets the state of the key that a run has; empty for none. */
  setState(run: RunId, state: Payload): void {
    const member = this.#member(run);
    if (member === null || !this.has(run)) throw new Contradiction(`${run} does not have a key`);
    const { namespace, workflow, key } = member;
    const before = this.#sql.stateOf.get(namespace, workflow, key)?.["state"] ?? "";
    const blob = readCoded(String(before))?.blob ?? null;
    if (blob !== null && before !== state) this.#blobs.drop(keyOwner(member), blob.id);
    if (state === "") this.#sql.forgetState.run(namespace, workflow, key);
    else this.#sql.setState.run(namespace, workflow, key, state);
  }

  /** Lets others past the runs that were quarantined when the store was opened. */
  recover(work: KeyWork): void {
    if (!this.#used) return;
    for (const { run } of this.#sql.quarantined.all()) this.held(String(run), work);
  }

  #row({ namespace, workflow, key }: KeyName): KeyRow | null {
    return (this.#sql.keyRow.get(namespace, workflow, key) as KeyRow | undefined) ?? null;
  }

  #member(run: RunId): Member | null {
    if (!this.#used) return null;
    return (this.#sql.member.get(run) as Member | undefined) ?? null;
  }

  // Whether a run, or one that waits for it, stands in the queue of a key.
  #holdsKey(run: RunId, name: KeyName): boolean {
    for (let at = run; at !== ""; ) {
      const member = this.#member(at);
      if (member !== null && member.place !== "ended" && isSame(member, name)) return true;
      at = (this.#sql.parentOf.get(at) as { parent: string } | undefined)?.parent ?? "";
    }
    return false;
  }

  // Gives a key that nobody has to the next run. A held one has it although it cannot go on, unless others
  // wait and it is to be skipped.
  #passOn(name: KeyName, work: KeyWork): void {
    const { namespace, workflow, key } = name;
    for (;;) {
      const next = this.#sql.next.get(namespace, workflow, key) as Next | undefined;
      if (next === undefined) break;
      this.#sql.setPlace.run("head", next.run);
      this.#sql.setHead.run(next.run, work.nowMs, namespace, workflow, key);
      this.#sql.addWaiting.run(-1, namespace, workflow, key);
      if (next.held === "queued") {
        this.#sql.wake.run(next.run);
        work.woken.push(next.run);
        return;
      }
      if (next.onHeldHead === "block" || this.#row(name)?.waiting === 0) return;
      this.#stepAside(next.run, name);
    }
    this.#sql.forget.run(namespace, workflow, key);
  }

  // Lets others past a head that is held, if there are others.
  #letPast(name: KeyName, work: KeyWork): void {
    const row = this.#row(name);
    if (row === null || row.waiting === 0) return;
    if (this.#sql.skipped.get(row.head) === undefined) return;
    this.#stepAside(row.head, name);
    this.#passOn(name, work);
  }

  #stepAside(run: RunId, { namespace, workflow, key }: KeyName): void {
    this.#sql.stepAside.run(run);
    this.#sql.setHead.run("", 0, namespace, workflow, key);
  }
}

function isSame(a: KeyName, b: KeyName): boolean {
  return a.namespace === b.namespace && a.workflow === b.workflow && a.key === b.key;
}
