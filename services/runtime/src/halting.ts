import type { Activation } from "./activation.ts";
import { abortBodies, hasBody } from "./bodies.ts";

/** The way of a run out of the memory: nothing begins any more, what is under way is let to end and stored. */
export class Halting {
  readonly #activation: Activation;
  readonly #told: (() => void)[] = [];
  #cancel: (() => void) | null = null;

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  /** Settles when the activation has ended; after `lingerMs`, 0 for at once, bodies are aborted. */
  begin(lingerMs: number): Promise<void> {
    const { timers, clock } = this.#activation.node;
    const giveUp = (): void => {
      abortBodies(this.#activation.state);
      this.settle();
    };
    if (lingerMs > 0) this.#cancel ??= timers.add(clock.now() + lingerMs, giveUp);
    return new Promise((resolve) => {
      this.#told.push(resolve);
      if (lingerMs === 0) giveUp();
      else this.settle();
    });
  }

  /** Stores what there is; ends the activation when nothing is under way any more. */
  settle(): void {
    const activation = this.#activation;
    const { state, node } = activation;
    if (activation.inert || activation.turnOpen) return;
    if (state.draft !== null) {
      node.committer.touch(activation);
      node.loop.schedule();
    } else if (activation.sentDraft === null && !hasBody(state)) {
      activation.retire();
    }
  }

  /** The activation has ended. */
  ended(): void {
    this.#cancel?.();
    for (const told of this.#told.splice(0)) told();
  }
}
