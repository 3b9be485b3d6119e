import { type Draft, draftOf, type RunState } from "@claw/core/engine";
import { ClawError, type RunId } from "@claw/core/protocol";

interface Order {
  readonly act: (nowMs: number) => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
  /** What it was written to; null until it was carried out. */
  draft: Draft | null;
}

/** What operators want done in a run in memory once nothing of its journal is left to deliver. */
export class Orders {
  readonly #state: RunState;
  #orders: Order[] = [];

  constructor(state: RunState) {
    this.#state = state;
  }

  /** Settles when `act` was called and what it recorded is durable. Errors: what it throws. */
  add(act: (nowMs: number) => void): Promise<void> {
    return new Promise((done, failed) => {
      this.#orders.push({ act, done, failed, draft: null });
    });
  }

  /** Called at the close of a turn, with everything delivered. */
  carryOut(nowMs: number): void {
    this.#orders = this.#orders.filter((order) => {
      if (order.draft !== null) return true;
      try {
        order.act(nowMs);
        order.draft = draftOf(this.#state);
        return true;
      } catch (error) {
        order.failed(error);
        return false;
      }
    });
  }

  /** A draft was stored. */
  durable(draft: Draft): void {
    const settled = this.#orders.filter((order) => order.draft === draft);
    if (settled.length === 0) return;
    this.#orders = this.#orders.filter((order) => order.draft !== draft);
    for (const { done } of settled) done();
  }

  /** The run left the memory. */
  drop(error: Error): void {
    for (const { failed } of this.#orders.splice(0)) failed(error);
  }
}

/** Said to whoever wants something of a run that is not in memory any more. */
export function leftMemory(run: RunId): ClawError {
  return new ClawError("CLAW-3005", `Run ${run} left the memory meanwhile`);
}
