import type { CommitItem, ItemAnswer, Transition } from "@claw/core/ports";
import type { RunId } from "@claw/core/protocol";

/** Somebody who follows a run. */
export interface Follower {
  readonly run: RunId;
  saw(transition: Transition): void;
  reread(): void;
  fail(error: unknown): void;
}

/** Who follows which run on this node. */
export class Feeds {
  readonly #followers = new Map<RunId, Set<Follower>>();

  /** True when nobody follows any run: then commits need not be looked at. */
  get isIdle(): boolean {
    return this.#followers.size === 0;
  }

  add(follower: Follower): void {
    const others = this.#followers.get(follower.run);
    if (others === undefined) this.#followers.set(follower.run, new Set([follower]));
    else others.add(follower);
  }

  remove(follower: Follower): void {
    const left = this.#followers.get(follower.run);
    left?.delete(follower);
    if (left?.size === 0) this.#followers.delete(follower.run);
  }

  /** Items of a batch have become durable, or were refused. */
  committed(items: readonly CommitItem[], answers: readonly ItemAnswer[]): void {
    for (const [at, item] of items.entries()) {
      if (item.type !== "transition" || answers[at]?.status !== "applied") continue;
      for (const follower of this.#followers.get(item.run) ?? []) follower.saw(item);
    }
  }

  /** The outcome of a batch is not known, or the store was opened again: who follows reads the store. */
  reread(): void {
    for (const follower of this.#all()) follower.reread();
  }

  /** Ids of runs that somebody follows. */
  get runs(): RunId[] {
    return [...this.#followers.keys()];
  }

  /** Another node may have written to a run: who follows it reads the store. */
  rereadOf(run: RunId): void {
    for (const follower of this.#followers.get(run) ?? []) follower.reread();
  }

  /** Nothing will be learned here any more: all who follow are told. */
  drop(error: unknown): void {
    for (const follower of this.#all()) follower.fail(error);
  }

  #all(): Follower[] {
    return [...this.#followers.values()].flatMap((some) => [...some]);
  }
}
