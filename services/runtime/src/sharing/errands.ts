import type { Errand, ErrandReply } from "@claw/core/ports";
import {
  ClawError,
  decodePayload,
  encodePayload,
  type ErrorCode,
  isClawError,
  limits,
  type RunId,
} from "@claw/core/protocol";
import { carryOutHere } from "./carry-out.ts";
import { HeldElsewhere } from "./held-elsewhere.ts";
import type { Sharing } from "./sharing.ts";
import type { Asked } from "./where-held.ts";

/** What comes back: a value, a coded error, or that the run is not here any more. */
type Told =
  | { readonly is: "value"; readonly value?: unknown }
  | {
      readonly is: "error";
      readonly code: ErrorCode;
      readonly detail: string;
      readonly details: Readonly<Record<string, unknown>>;
    }
  | { readonly is: "gone" };

const GONE: Told = { is: "gone" };

/** Requests that go to whoever holds the run, and those that come from others. */
export class Errands {
  readonly #sharing: Sharing;
  readonly #waiting = new Map<string, (told: Told) => void>();
  #number = 0;

  constructor(sharing: Sharing) {
    this.#sharing = sharing;
  }

  /**
   * Does something with a run: here when nobody else holds it, else through its holder. `here` throws HeldElsewhere
   * when another node turns out to hold it. Errors: CLAW-3060 nobody answered in time; those of `here`.
   */
  async route<T>(run: RunId, asked: Asked, here: () => Promise<T>): Promise<T> {
    const { node, store } = this.#sharing;
    const deadline = node.clock.now() + limits.ERRAND_MS;
    do {
      node.mustBeAvailable();
      const { incarnation } = node.committer;
      const holder = node.active.has(run) ? incarnation : await store.holder(run);
      try {
        if (holder === null || holder === incarnation) return await here();
        const told = await this.#ask(run, asked, holder, deadline);
        // What another node has answered is the type that `here` would have given.
        if (told.is === "value") return told.value as T;
        if (told.is === "error") {
          throw new ClawError(told.code, told.detail, { details: told.details });
        }
      } catch (error) {
        if (!(error instanceof HeldElsewhere)) throw error;
      }
      await this.#pause();
    } while (node.clock.now() < deadline);
    throw new ClawError("CLAW-3060", `The node that holds ${run} did not answer in time`);
  }

  // "gone": nobody answered because the holder is another one by now.
  async #ask(run: RunId, asked: Asked, holder: number, deadline: number): Promise<Told> {
    const { node, store } = this.#sharing;
    const id = `${node.committer.incarnation}-${++this.#number}`;
    const { promise, resolve } = Promise.withResolvers<Told>();
    this.#waiting.set(id, resolve);
    try {
      const sent = await store.send({ id, run, body: encodePayload(asked) });
      if (sent.status === "refused") return GONE;
      for (;;) {
        this.#sharing.post.expect();
        const told = await Promise.race([promise, this.#pause(limits.POST_EVERY_MS)]);
        if (told !== undefined) return told;
        node.mustBeAvailable();
        // A live node answers, whatever became of the run meanwhile; an ended one has perhaps done it.
        const nodes = await store.nodes();
        if (!nodes.some(({ incarnation }) => incarnation === holder)) return GONE;
        if (node.clock.now() >= deadline) return GONE;
      }
    } finally {
      this.#waiting.delete(id);
    }
  }

  #pause(ms: number = limits.POST_SOON_MS): Promise<void> {
    return new Promise((resolve) => {
      this.#sharing.node.clock.after(ms, resolve);
    });
  }

  /** The answer to a request of this node has come. */
  replied({ id, body }: ErrandReply): void {
    this.#waiting.get(id)?.(decodePayload(body) as Told);
  }

  /** Nobody will answer: the store was lost. */
  drop(error: unknown): void {
    const told: Told = isClawError(error)
      ? { is: "error", code: error.code, detail: error.detail, details: error.details }
      : { is: "error", code: "CLAW-4006", detail: String(error), details: {} };
    for (const tell of this.#waiting.values()) tell(told);
    this.#waiting.clear();
  }

  /** Carries out a request of another node, and answers it. */
  async carryOut({ id, from, run, body }: Errand): Promise<void> {
    const { node, store } = this.#sharing;
    const { incarnation } = node.committer;
    const told = await this.#carriedOut(run, body);
    // What this node does not hold any more it does not answer for.
    if (!node.available || incarnation !== node.committer.incarnation) return;
    if (!this.#sharing.mayAct()) return;
    try {
      await store.reply(from, { id, body: encodePayload(told) });
    } catch (error) {
      this.#sharing.failed("answering another node failed", error);
    }
  }

  async #carriedOut(run: RunId, body: string): Promise<Told> {
    try {
      const asked = decodePayload(body) as Asked;
      const value = await carryOutHere(this.#sharing.node, run, asked);
      return value === undefined ? { is: "value" } : { is: "value", value };
    } catch (error) {
      if (error instanceof HeldElsewhere) return GONE;
      if (!isClawError(error)) {
        return { is: "error", code: "CLAW-3060", detail: String(error), details: {} };
      }
      const { code, detail, details } = error;
      return { is: "error", code, detail, details };
    }
  }
}
