import type { MaybePromise, Transition } from "@claw/core/ports";
import { ClawError, limits, type RunId } from "@claw/core/protocol";
import type { ReadOptions } from "../claw.ts";
import type { Node } from "../node.ts";

/** What is numbered in the order in which a run wrote it. */
export interface Numbered {
  readonly seq: number;
}

/** A part of what a run wrote, as the store has it. */
export interface FeedPage<Item> {
  readonly items: readonly Item[];
  /** True when the store has more. */
  readonly more: boolean;
  /** True when nothing follows after what the store has. */
  readonly ended: boolean;
  /** Number of the last item that the run wrote so far. */
  readonly last: number;
}

/** Where the items of a feed come from. */
export interface FeedSource<Item> {
  readonly run: RunId;
  /** What it is called in messages: "entry" or "chunk". */
  readonly what: string;
  /** Items after a number, from the store. Errors: CLAW-3001. */
  read(after: number): MaybePromise<FeedPage<Item>>;
  /** Items of a transition that has become durable. */
  itemsOf(transition: Transition): readonly Item[];
  /** Characters of what they were made of: it bounds what waits in memory. */
  charsOf(transition: Transition): number;
  /** True when nothing follows after this transition. */
  endsWith(transition: Transition): boolean;
}

/**
 * What a run wrote after a number, in order, each item once, as soon as it is durable. It reads the store until
 * it has come to the end, then lives on the transitions of this node; a reader that is too slow for them,
 * and one whose store was lost, reads the store again from where it stands.
 */
export class Feed<Item extends Numbered> implements AsyncIterableIterator<Item, undefined> {
  readonly #node: Node;
  readonly #source: FeedSource<Item>;
  readonly #follows: boolean;
  #cursor: number;
  #waiting: Item[] = [];
  #chars = 0;
  #isBehind = true;
  #missed = false;
  #isOver = false;
  #isDone = false;
  #isFirst = true;
  #failure: unknown = null;
  #wake: (() => void) | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** Errors: CLAW-3051. */
  constructor(node: Node, source: FeedSource<Item>, { from = 0, follow = true }: ReadOptions) {
    if (!(Number.isSafeInteger(from) && from >= 0)) {
      throw new ClawError("CLAW-3051", `The cursor ${String(from)} is no whole number from 0`);
    }
    this.#node = node;
    this.#source = source;
    this.#cursor = from;
    this.#follows = follow;
  }

  get run(): RunId {
    return this.#source.run;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    const next = this.#last.then(() => this.#next());
    this.#last = next.catch(() => {});
    return next;
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.#finish();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** A transition of the run has become durable. */
  saw(transition: Transition): void {
    if (this.#isBehind) this.#missed = true;
    else {
      const last = this.#waiting.at(-1)?.seq ?? this.#cursor;
      const items = this.#source.itemsOf(transition).filter(({ seq }) => seq > last);
      this.#chars = (last === this.#cursor ? 0 : this.#chars) + this.#source.charsOf(transition);
      this.#waiting.push(...items);
      this.#isOver ||= this.#source.endsWith(transition);
      const isMuch = this.#waiting.length > limits.FEED_WAITING_MAX;
      if (isMuch || this.#chars > limits.FEED_CHARS_MAX) this.#fallBehind();
    }
    this.#rouse();
  }

  /** What was seen last may not be all: the store was lost, or opened again. */
  reread(): void {
    this.#fallBehind();
    this.#rouse();
  }

  /** Nothing will be learned here any more. */
  fail(error: unknown): void {
    this.#failure = error;
    this.#rouse();
  }

  async #next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#isFirst) this.#begin();
    while (!this.#isDone) {
      const item = this.#waiting.shift();
      if (item !== undefined) {
        this.#cursor = item.seq;
        return { done: false, value: item };
      }
      if (this.#failure !== null) throw this.#given(this.#failure);
      if (this.#isBehind && this.#node.available) await this.#readOn();
      else if (this.#isOver || (!this.#follows && !this.#isBehind)) break;
      else await this.#roused();
    }
    this.#finish();
    return { done: true, value: undefined };
  }

  #begin(): void {
    this.#node.mustBeAvailable();
    this.#node.feeds.add(this);
  }

  async #readOn(): Promise<void> {
    this.#missed = false;
    let page: FeedPage<Item>;
    try {
      page = await this.#source.read(this.#cursor);
    } catch (error) {
      // Of a store that was lost meanwhile it is told when it is there again.
      if (!this.#node.available && !this.#isFirst) return;
      throw this.#given(error);
    }
    if (this.#isFirst && this.#cursor > page.last) {
      const { what, run } = this.#source;
      const detail = `The cursor ${this.#cursor} is beyond the last ${what} ${page.last} of ${run}`;
      throw this.#given(new ClawError("CLAW-3051", detail));
    }
    this.#isFirst = false;
    this.#waiting.push(...page.items);
    this.#isBehind = page.more || this.#missed;
    this.#isOver = page.ended && !page.more;
    if (this.#isOver) this.#isBehind = false;
  }

  #fallBehind(): void {
    this.#waiting = [];
    this.#chars = 0;
    this.#isBehind = true;
    this.#missed = true;
    this.#isOver = false;
  }

  #roused(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #rouse(): void {
    this.#wake?.();
    this.#wake = null;
  }

  #given(error: unknown): unknown {
    this.#finish();
    return error;
  }

  #finish(): void {
    this.#isDone = true;
    this.#node.feeds.remove(this);
    this.#rouse();
  }
}
