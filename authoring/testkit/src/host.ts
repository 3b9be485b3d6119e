import type { Batch, BatchAnswer, Clock, Log, Random, Store, Turns } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import { type Claw, openRuntime, type RuntimeLimits } from "@claw/runtime";
import type { AnyWorkflow } from "@claw/sdk";

/** What one life of a node is made of. */
export interface HostOptions {
  readonly store: Store;
  readonly workflows: readonly AnyWorkflow[];
  readonly namespace: string;
  readonly limits: Partial<RuntimeLimits>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Called before and after each commit; true kills the node there. */
  readonly dies: (where: "before-commit" | "after-commit", batch: Batch) => boolean;
}

interface Turn {
  readonly deliver: () => void;
  readonly close: () => void;
}

/**
 * One life of a node: the production runtime on virtual time. Its turns wait until the world asks for
 * them. Once it is dead nothing of it happens any more: no turn, no timer, no commit, no answer.
 */
export class Host {
  readonly #options: HostOptions;
  #claw: Claw | null = null;
  #dead = false;
  /** The world has let go of it: turns come by themselves, so that it can stop. */
  #released = false;
  #turn: Turn | null = null;
  /** Commits that got no answer. */
  #hung: ((error: unknown) => void)[] = [];

  constructor(options: HostOptions) {
    this.#options = options;
  }

  get dead(): boolean {
    return this.#dead;
  }

  get claw(): Claw {
    if (this.#claw === null) throw new ClawError("CLAW-3005", "The node is starting");
    return this.#claw;
  }

  get hasTurn(): boolean {
    return this.#turn !== null && !this.#dead;
  }

  async open(): Promise<void> {
    const { workflows, namespace, limits, clock, random, log } = this.#options;
    const opening = openRuntime({
      store: this.#store(),
      workflows,
      namespace,
      limits,
      random,
      keepAlive: false,
      clock: {
        now: () => clock.now(),
        after: (delayMs, fire) => (this.#dead ? () => {} : clock.after(delayMs, fire)),
      },
      turns: this.#turns(),
      log: (line) => {
        if (!this.#dead) log(line);
      },
    });
    await this.#turnUntil(opening);
    if (!this.#dead) this.#claw = await opening;
  }

  // What an ended life held is written down as taken before it goes on, and that takes turns.
  async #turnUntil(opening: Promise<unknown>): Promise<void> {
    let settled = false;
    void opening
      .catch(() => {})
      .finally(() => {
        settled = true;
      });
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (settled || this.#dead) return;
      await this.takeTurn();
    }
  }

  /** Gives the turn that was asked for, as the event loop of a process would. */
  async takeTurn(): Promise<void> {
    const turn = this.#turn;
    this.#turn = null;
    if (turn === null) return;
    await new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        if (!this.#dead) turn.deliver();
      });
      setImmediate(() => {
        try {
          if (!this.#dead) turn.close();
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  /** The process is gone. */
  die(): void {
    this.#dead = true;
  }

  /** Stops it: a living one ends in order, of a dead one only the memory is given back. */
  async stop(): Promise<void> {
    this.#released = true;
    for (const refuse of this.#hung.splice(0)) refuse(gone());
    const turn = this.#turn;
    this.#turn = null;
    if (turn !== null) this.#byItself(turn);
    await this.#claw?.stop();
    this.#dead = true;
  }

  // Two immediates queued together: nothing of the event loop comes in between.
  #byItself({ deliver, close }: Turn): void {
    if (!this.#dead) setImmediate(deliver);
    setImmediate(close);
  }

  #turns(): Turns {
    return {
      next: (deliver, close) => {
        if (this.#released) this.#byItself({ deliver, close });
        else if (!this.#dead) this.#turn = { deliver, close };
      },
    };
  }

  // The store as this process sees it: once it is dead, nothing is asked and nothing is answered.
  #store(): Store {
    const { store } = this.#options;
    return {
      ...store,
      close: () => (this.#dead ? undefined : store.close()),
      commit: (batch) => this.#commit(batch),
    };
  }

  #commit(batch: Batch): BatchAnswer | Promise<BatchAnswer> {
    const { store, dies } = this.#options;
    if (this.#dead || dies("before-commit", batch)) return this.#hang();
    const answer = store.commit(batch);
    return dies("after-commit", batch) ? this.#hang() : answer;
  }

  #hang(): Promise<BatchAnswer> {
    this.#dead = true;
    if (this.#released) throw gone();
    const { promise, reject } = Promise.withResolvers<BatchAnswer>();
    this.#hung.push(reject);
    return promise;
  }
}

function gone(): ClawError {
  return new ClawError("CLAW-3005", "The node was killed");
}
