import type { CancelTimer } from "@claw/core/ports";
import { limits, type RunId } from "@claw/core/protocol";
import type { Sharing } from "./sharing.ts";
import { tellNews } from "./tell-news.ts";

/** Runs of others that are looked at again in one round, in case that a note about them was lost. */
const RECHECKS_MAX = 50;
const RECHECK_AFTER_MS = 10_000;

/** What others leave for this node, and what it wants to hear of: taken on a hint, and at bounded times. */
export class PostRoom {
  readonly #sharing: Sharing;
  /** Runs of others that somebody waits for here, and when they were looked at last. */
  readonly #watched = new Map<RunId, number>();
  #cancel: CancelTimer | null = null;
  #at = Number.POSITIVE_INFINITY;
  #isTaking = false;
  #again = false;

  constructor(sharing: Sharing) {
    this.#sharing = sharing;
  }

  begin(): void {
    this.#sharing.store.onHint(() => {
      void this.take();
      this.#sharing.node.tasks.lookSoon();
    });
    this.#armIn(limits.POST_EVERY_MS);
  }

  stop(): void {
    this.#sharing.store.onHint(null);
    this.#cancel?.();
    this.#cancel = null;
    this.#at = Number.POSITIVE_INFINITY;
    this.#watched.clear();
    this.#again = false;
  }

  /** Somebody begins to wait for what another node does. */
  expect(): void {
    this.#armIn(limits.POST_SOON_MS);
  }

  #armIn(delayMs: number): void {
    const { clock } = this.#sharing.node;
    const at = clock.now() + delayMs;
    if (this.#cancel !== null && this.#at <= at) return;
    this.#cancel?.();
    this.#at = at;
    this.#cancel = clock.after(delayMs, () => {
      this.#cancel = null;
      void this.take();
    });
  }

  /** Takes what there is. */
  async take(): Promise<void> {
    const { node, store } = this.#sharing;
    if (!node.available) return;
    if (this.#isTaking) {
      this.#again = true;
      return;
    }
    this.#isTaking = true;
    const { incarnation } = node.committer;
    const isOver = (): boolean => !node.available || incarnation !== node.committer.incarnation;
    try {
      do {
        this.#again = false;
        if (!this.#sharing.mayAct()) return;
        const stale = await this.#watch();
        if (isOver()) return;
        const { runs, errands, replies } = await store.collect();
        if (isOver()) return;
        for (const reply of replies) this.#sharing.errands.replied(reply);
        for (const errand of errands) void this.#sharing.errands.carryOut(errand);
        await this.#sort(runs, stale);
      } while (this.#again && !isOver());
    } catch (error) {
      this.#sharing.failed("taking post failed", error);
    } finally {
      this.#isTaking = false;
      if (!isOver()) this.#armIn(limits.POST_EVERY_MS);
      // Of a new incarnation, which found this one still at it.
      else if (node.available) this.#armIn(limits.POST_SOON_MS);
    }
  }

  async #sort(runs: readonly RunId[], stale: readonly RunId[]): Promise<void> {
    const { node, inboxes } = this.#sharing;
    const news = new Set(stale);
    const asleep: RunId[] = [];
    for (const run of runs) {
      if (this.#watched.has(run)) news.add(run);
      if (node.active.has(run)) void inboxes.read(run);
      else if (node.takeUps.isLoading(run)) node.takeUps.wrote(run);
      // Something came for it while it left the memory: a request to cancel ends also a run that is held back.
      else if (!this.#watched.has(run)) asleep.push(run);
    }
    node.takeUpSoon(asleep);
    if (news.size > 0) await tellNews(node, [...news]);
  }

  // Watches what somebody waits for and is not in memory here. Answers what must be looked at.
  async #watch(): Promise<readonly RunId[]> {
    const { node, store } = this.#sharing;
    const wanted = new Set<RunId>();
    for (const runs of [node.results.runs, node.updates.runs, node.feeds.runs]) {
      for (const run of runs) if (!node.active.has(run)) wanted.add(run);
    }
    if (wanted.size === 0 && this.#watched.size === 0) return [];
    const gone = [...this.#watched.keys()].filter((run) => !wanted.has(run));
    const fresh = [...wanted].filter((run) => !this.#watched.has(run));
    const now = node.clock.now();
    // Remembered when the store knows it: after an error it is asked again.
    if (gone.length > 0) await store.watch(gone, false);
    for (const run of gone) this.#watched.delete(run);
    if (fresh.length > 0) await store.watch(fresh, true);
    const looked = fresh;
    for (const [run, at] of this.#watched) {
      if (looked.length >= fresh.length + RECHECKS_MAX) break;
      if (Math.abs(now - at) >= RECHECK_AFTER_MS) looked.push(run);
    }
    for (const run of looked) this.#watched.set(run, now);
    return looked;
  }
}
