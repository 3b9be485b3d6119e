import type { BatchAnswer, CommitItem, ItemAnswer, Store } from "@claw/core/ports";
import { limits } from "@claw/core/protocol";
import type { Activation } from "./activation.ts";
import { type Admit, takeTransition } from "./transition.ts";

/** A write that a client waits for. */
export interface Request {
  readonly item: CommitItem;
  /** The write is durable, or was refused. */
  readonly answered: (answer: ItemAnswer) => void;
  /** The outcome is not known. */
  readonly lost: (error: unknown) => void;
}

/** A batch that was sent. */
interface UnderWay {
  readonly items: readonly CommitItem[];
  readonly dirty: readonly Activation[];
  readonly requests: readonly Request[];
  /** Requests before this one stand before the transitions, the others after them. */
  readonly leading: number;
}

const NOTHING: UnderWay = { items: [], dirty: [], requests: [], leading: 0 };

// A decision would be acknowledged to nobody if the approval is given up, or the run ends, in the same batch: after
// that it is refused.
function putDecisionsLast(requests: Request[]): number {
  const isLate = ({ item }: Request): boolean => item.type === "decision";
  if (!requests.some(isLate)) return requests.length;
  const late = requests.filter(isLate);
  const leading = requests.filter((one) => !isLate(one));
  requests.splice(0, requests.length, ...leading, ...late);
  return leading.length;
}

/** What the committer tells the node. */
export interface CommitListener {
  /** After every item was answered: messages that came in, runs that were created. */
  committed(answer: BatchAnswer, items: readonly CommitItem[]): void;
  /** The store threw: the outcome of the batch is not known, or this node was fenced. */
  lost(error: unknown): void;
}

/**
 * The one write path: gathers the drafts of many runs and the requests of clients into one store
 * transaction. Nothing acts before the commit that it stands on: bodies start, clients are answered and new runs begin
 * only when `settle` is reached. One batch is under way at a time.
 */
export class Committer {
  readonly #store: Store;
  readonly #listener: CommitListener;
  readonly #admit: Admit;
  readonly #namespace: string;
  #dirty: Activation[] = [];
  #requests: Request[] = [];
  #underWay: UnderWay | null = null;
  #number = 0;
  incarnation = 0;
  /** False while the store is lost: nothing is sent. */
  open = false;
  commitCount = 0;
  transitionCount = 0;

  constructor(store: Store, namespace: string, listener: CommitListener, admit: Admit) {
    this.#store = store;
    this.#namespace = namespace;
    this.#listener = listener;
    this.#admit = admit;
  }

  /** True when nothing waits to be written or acted on. */
  get idle(): boolean {
    return this.#underWay === null && this.#dirty.length === 0 && this.#requests.length === 0;
  }

  /** Remembers a run that has a draft, or something to begin after the next commit. */
  touch(activation: Activation): void {
    if (activation.dirty) return;
    activation.dirty = true;
    this.#dirty.push(activation);
  }

  request(request: Request): void {
    this.#requests.push(request);
  }

  /** Sends what there is, unless a batch is under way; `more` in the node's loop sends the rest. */
  flush(nowMs: number): void {
    if (this.#underWay !== null || !this.open) return;
    if (this.#dirty.length === 0 && this.#requests.length === 0) return;
    const requests = this.#requests.splice(0, limits.BATCH_TRANSITIONS_MAX);
    const leading = putDecisionsLast(requests);
    const dirty =
      this.#dirty.length <= limits.BATCH_TRANSITIONS_MAX
        ? this.#dirty
        : this.#dirty.slice(0, limits.BATCH_TRANSITIONS_MAX);
    this.#dirty = dirty === this.#dirty ? [] : this.#dirty.slice(dirty.length);
    const items: CommitItem[] = [];
    let woken: string[] | null = null;
    let proved: string[] | null = null;
    for (let at = 0; at < leading; at++) items.push((requests[at] as Request).item);
    for (const activation of dirty) {
      activation.dirty = false;
      const { draft } = activation.state;
      activation.sent = draft !== null && !activation.inert;
      if (draft === null || activation.inert) continue;
      const item = takeTransition(activation.state, draft, activation.dedup, this.#admit);
      items.push(item);
      if (activation.rests || activation.recoveries > 0) {
        const goesOn = item.park === null && item.hold === null && item.finish === null;
        if (goesOn && activation.rests) (woken ??= []).push(item.run);
        if (goesOn && activation.recoveries > 0) (proved ??= []).push(item.run);
        if (goesOn) activation.rests = false;
      }
      activation.sentDraft = draft;
      activation.sentSeq = activation.state.seq;
    }
    for (let at = leading; at < requests.length; at++) items.push((requests[at] as Request).item);
    if (items.length === 0) {
      for (const activation of dirty) activation.act(nowMs);
      return;
    }
    // The store believes that they rest: after a crash nobody would go on with what has just begun.
    if (woken !== null) items.push({ type: "take", runs: woken });
    // Whoever records something is not what ended the processes before, and must not be blamed for the end of this one.
    if (proved !== null) for (const run of proved) items.push({ type: "clear", run });
    this.#send({ items, dirty, requests, leading }, nowMs);
  }

  #send(sent: UnderWay, nowMs: number): void {
    const { items } = sent;
    this.#number++;
    this.commitCount++;
    this.transitionCount += items.length;
    this.#underWay = sent;
    const { incarnation } = this;
    const batch = { incarnation, number: this.#number, namespace: this.#namespace, nowMs, items };
    let answer: BatchAnswer | Promise<BatchAnswer>;
    try {
      answer = this.#store.commit(batch);
    } catch (error) {
      this.#listener.lost(error);
      return;
    }
    if (!(answer instanceof Promise)) {
      this.#settle(answer, nowMs);
      return;
    }
    answer.then(
      (late) => {
        if (this.#underWay === sent) this.#settle(late, nowMs);
      },
      (error: unknown) => {
        if (this.#underWay === sent) this.#listener.lost(error);
      },
    );
  }

  #settle(answer: BatchAnswer, nowMs: number): void {
    const { items, dirty, requests, leading } = this.#underWay ?? NOTHING;
    this.#underWay = null;
    let at = 0;
    for (; at < leading; at++) requests[at]?.answered(answer.items[at] as ItemAnswer);
    for (const activation of dirty) {
      if (activation.sent) activation.committed(answer.items[at++] as ItemAnswer, nowMs);
      else activation.act(nowMs);
    }
    for (let late = leading; late < requests.length; late++) {
      requests[late]?.answered(answer.items[at++] as ItemAnswer);
    }
    this.#listener.committed(answer, items);
  }

  /** Drops everything: requests are answered with `error`, activations are the node's to discard. */
  drop(error: unknown): void {
    const requests = [...(this.#underWay?.requests ?? []), ...this.#requests];
    this.#underWay = null;
    this.#dirty = [];
    this.#requests = [];
    for (const request of requests) request.lost(error);
  }
}
