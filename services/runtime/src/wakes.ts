import type { CancelTimer } from "@claw/core/ports";
import type { Node } from "./node.ts";

/** Runs taken up in one look at the store. */
const LOOK_LIMIT = 1_000;
/** Even without a known due time the store is looked at this often. */
const LOOK_EVERY_MS = 60_000;
const RETRY_MS = 1_000;

/** Wakes parked runs when they are due: one timer for the earliest, none per run. */
export class Wakes {
  readonly #node: Node;
  #next = Number.POSITIVE_INFINITY;
  #cancel: CancelTimer | null = null;
  #backlog = false;
  #looking = false;
  /** The earliest due time that came up while a look was under way: that look may have missed it. */
  #missed = Number.POSITIVE_INFINITY;
  /** True until every run that an ended process held was taken up. */
  #orphans = false;
  #expiredAt = 0;

  constructor(node: Node) {
    this.#node = node;
  }

  /** A run was parked until `due`. */
  expect(due: number): void {
    if (this.#looking) this.#missed = Math.min(this.#missed, due);
    if (due >= this.#next) return;
    this.#next = due;
    this.#arm();
  }

  /** There is room for more runs in memory again. */
  roomFreed(): void {
    if (!this.#backlog || this.#looking) return;
    this.#backlog = false;
    this.#next = 0;
    this.#arm();
  }

  /** Runs had to stay in the store for want of room. */
  noRoom(): void {
    this.#backlog = true;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#next = Number.POSITIVE_INFINITY;
    this.#backlog = false;
    this.#orphans = false;
  }

  /** This node has just taken the store over: runs that an ended process held are taken up first. */
  takeOver(): Promise<void> {
    this.#orphans = true;
    return this.look();
  }

  #arm(): void {
    const { clock } = this.#node;
    this.#cancel?.();
    const delayMs = Math.min(this.#next - clock.now(), LOOK_EVERY_MS);
    this.#cancel = clock.after(delayMs, () => {
      this.#cancel = null;
      void this.look();
    });
  }

  /** Takes up what is due, as far as there is room. */
  async look(): Promise<void> {
    const node = this.#node;
    if (this.#looking) this.#missed = 0;
    // Without a workflow here nobody's runs are taken up; tasks and requests still come to the end of their time.
    const hostsRuns = node.registry.workflows.length > 0;
    if (
      this.#looking ||
      !node.available ||
      node.draining ||
      !(hostsRuns || node.tasks.plans.size > 0)
    )
      return;
    this.#looking = true;
    this.#missed = Number.POSITIVE_INFINITY;
    const { incarnation } = node.committer;
    try {
      const now = node.clock.now();
      if (hostsRuns) await this.#takeUpDue(now);
      if (now - this.#expiredAt >= LOOK_EVERY_MS) {
        this.#expiredAt = now;
        await node.store.expire(now, LOOK_LIMIT);
        node.sweeper.soon(now);
      }
      const next = hostsRuns ? await node.store.nextDue(now) : null;
      this.#next = Math.min(next ?? now + LOOK_EVERY_MS, now + LOOK_EVERY_MS);
    } catch (error) {
      node.log("warn", "looking for due runs failed", { error: String(error) });
      this.#next = node.clock.now() + RETRY_MS;
    } finally {
      this.#looking = false;
      this.#next = Math.min(this.#next, this.#missed);
    }
    if (!node.available) return;
    // What was seen may be of an earlier life of the store.
    const again = incarnation !== node.committer.incarnation;
    if (again || (this.#backlog && node.room > 0)) {
      this.#backlog = false;
      this.#next = 0;
    }
    this.#arm();
  }

  async #takeUpDue(now: number): Promise<void> {
    const node = this.#node;
    const { incarnation } = node.committer;
    const held = node.active.size;
    const limit = Math.min(LOOK_LIMIT, node.room);
    if (limit === 0) {
      this.#backlog = true;
      return;
    }
    // Runs in memory may be among the due ones, so as many more are asked for.
    const ids = await node.store.due(now, limit + held, this.#orphans);
    const fresh = ids.filter((id) => !node.active.has(id)).slice(0, limit);
    await node.takeUp(fresh);
    if (ids.length === limit + held || fresh.length === limit) this.#backlog = true;
    else if (incarnation === node.committer.incarnation) this.#orphans = false;
  }
}
