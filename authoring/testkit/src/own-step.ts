import type { BodyStream, StepContext } from "@claw/sdk";

/** What a body gets: that of the runtime, except that the signal of a dead process stays silent. */
export class OwnStep implements StepContext {
  readonly #step: StepContext;
  readonly #life: { readonly dead: boolean };
  #controller: AbortController | null = null;

  constructor(step: StepContext, life: { readonly dead: boolean }) {
    this.#step = step;
    this.#life = life;
  }

  get key(): string {
    return this.#step.key;
  }

  get attempt(): number {
    return this.#step.attempt;
  }

  get progress(): unknown {
    return this.#step.progress;
  }

  get traceparent(): string {
    return this.#step.traceparent;
  }

  get tracestate(): string {
    return this.#step.tracestate;
  }

  stream(name: string): BodyStream {
    const stream = this.#step.stream(name);
    return {
      write: (chunk) => {
        if (!this.#life.dead) stream.write(chunk);
      },
    };
  }

  heartbeat(progress?: unknown): void {
    if (!this.#life.dead) this.#step.heartbeat(progress);
  }

  get signal(): AbortSignal {
    if (this.#controller !== null) return this.#controller.signal;
    const controller = new AbortController();
    this.#controller = controller;
    const { signal } = this.#step;
    const hand = (): void => {
      if (!this.#life.dead) controller.abort(signal.reason);
    };
    if (signal.aborted) hand();
    else signal.addEventListener("abort", hand, { once: true });
    return controller.signal;
  }
}
