import type { CancelTimer, SharedStore } from "@claw/core/ports";
import { ClawError, isClawError, limits, type RunId } from "@claw/core/protocol";
import type { Node } from "../node.ts";
import { describeNode } from "./describe-node.ts";
import { Errands } from "./errands.ts";
import { Inboxes } from "./inboxes.ts";
import { PostRoom } from "./post-room.ts";

/** Looks of a node at what nobody hosts, one in so many ticks. */
const UNHOSTED_TICKS = 3;
const UNHOSTED_RUNS = 100;
const TICK_MS_MIN = 5;
/** So long a node may be away from a lease before it counts on the default. */
const LEASE_MS_DEFAULT = 3_000;

/** A node among several on one store: its lease, its post, and what it does for others. */
export class Sharing {
  readonly node: Node;
  readonly store: SharedStore;
  readonly inboxes: Inboxes;
  readonly post: PostRoom;
  readonly errands: Errands;
  /** Runs that nobody hosts and that this node may hold back as such. */
  readonly #homeless = new Set<RunId>();
  #leaseMs = LEASE_MS_DEFAULT;
  #ticks = 0;
  #cancel: CancelTimer | null = null;
  #isLosing = false;

  constructor(node: Node, store: SharedStore) {
    this.node = node;
    this.store = store;
    this.inboxes = new Inboxes(node, store);
    this.post = new PostRoom(this);
    this.errands = new Errands(this);
  }

  /** Says what this node is, for the next renewal of its lease. */
  report(): void {
    this.store.report(describeNode(this.node));
  }

  /** The store was opened: a new incarnation of this node begins. */
  begin(): void {
    this.#isLosing = false;
    this.#leaseMs = Math.max(TICK_MS_MIN * 3, this.store.leaseLeftMs());
    this.report();
    this.post.begin();
    this.#arm();
  }

  /** Everything in memory is dropped. */
  stop(error: unknown): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#homeless.clear();
    this.inboxes.clear();
    this.post.stop();
    this.errands.drop(error);
  }

  /**
   * True while this incarnation may begin bodies and answer clients. Once the lease is over the node drops what it
   * has in memory: others may go on with it.
   */
  mayAct(): boolean {
    if (this.store.leaseLeftMs() > 0) return true;
    this.#lose(new ClawError("CLAW-3061"));
    return false;
  }

  // Not in the middle of what has asked.
  #lose(error: ClawError): void {
    if (this.#isLosing || !this.node.available) return;
    this.#isLosing = true;
    const { incarnation } = this.node.committer;
    this.node.loop.later(() => {
      const isSame = incarnation === this.node.committer.incarnation;
      if (isSame && this.node.available) this.node.onLost(error);
    });
  }

  /** A verb of the store has thrown. */
  failed(what: string, error: unknown): void {
    if (isClawError(error, "CLAW-4007")) return this.#lose(error);
    this.node.log("warn", what, { error: String(error) });
  }

  /** True for a run that may be held back because no node has code for it. */
  isHomeless(run: RunId): boolean {
    return this.#homeless.delete(run);
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = this.node.clock.after(Math.max(TICK_MS_MIN, this.#leaseMs / 3), () => {
      this.#cancel = null;
      void this.#tick();
    });
  }

  async #tick(): Promise<void> {
    const { node, store } = this;
    const { incarnation } = node.committer;
    if (!node.available) return;
    this.report();
    try {
      if (!this.mayAct()) return;
      const ended = await store.takeOver();
      if (ended > 0) {
        node.log("info", "took over from nodes that ended", { nodes: ended });
        node.trials.more();
      }
      node.tasks.lookSoon();
      if (!this.node.draining) await node.wakes.look();
      if (this.#ticks++ % UNHOSTED_TICKS === 0) await this.#holdUnhosted();
    } catch (error) {
      this.failed("looking after other nodes failed", error);
    }
    if (node.available && incarnation === node.committer.incarnation) this.#arm();
  }

  // Whoever has the code releases them when it joins.
  async #holdUnhosted(): Promise<void> {
    const { node } = this;
    if (this.node.draining || node.registry.workflows.length === 0) return;
    const before = node.clock.now() - limits.UNHOSTED_AFTER_MS;
    const ids = await this.store.unhosted(before, UNHOSTED_RUNS, node.namespace);
    if (ids.length === 0 || !node.available) return;
    for (const id of ids) this.#homeless.add(id);
    await node.takeUp(ids);
    this.#homeless.clear();
  }
}
