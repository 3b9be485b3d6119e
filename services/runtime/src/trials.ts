import { limits, type RunId, type RunRow } from "@claw/core/protocol";
import type { CancelTimer } from "@claw/core/ports";
import type { Activation } from "./activation.ts";
import type { Node } from "./node.ts";

const RETRY_MS = 1_000;

/**
 * Takes up suspects: runs that several processes in a row held when they ended. One at a time, so that
 * the next process to end blames the guilty one; whoever makes progress, or lives on for `TRIAL_MS`,
 * is cleared, and the next one is taken up.
 */
export class Trials {
  readonly #node: Node;
  #run: RunId | null = null;
  #cancel: CancelTimer | null = null;
  #beganAt = 0;

  constructor(node: Node) {
    this.#node = node;
  }

  /** False for a suspect whose turn it is not. */
  mayTakeUp({ id, recoveries }: RunRow): boolean {
    if (recoveries < limits.SUSPECT_RECOVERIES) return true;
    if (this.#run !== id) return false;
    // Where processes end for other reasons they end without it as well, and it is not blamed for that.
    const isLast = recoveries >= limits.RECOVERIES_MAX;
    return !isLast || this.#node.clock.now() - this.#beganAt >= limits.LAST_TRIAL_AFTER_MS;
  }

  /** This node has taken the store over: suspects are taken up from now on. */
  begin(): Promise<void> {
    this.#beganAt = this.#node.clock.now();
    return this.#next();
  }

  /** Other processes have ended: there may be suspects. */
  more(): void {
    if (this.#run === null) void this.#next();
  }

  async #next(): Promise<void> {
    const node = this.#node;
    this.stop();
    if (!node.available || node.registry.workflows.length === 0) return;
    try {
      // Those that are cleared in the next commit may still be listed; a run in memory has had its trial.
      const listed = await node.store.suspects(node.active.size + 1);
      const run = listed.find((id) => !node.active.has(id));
      if (run === undefined || this.#run !== null) return;
      this.#run = run;
      node.log("warn", "a suspect is taken up alone", { run });
      this.#after(limits.TRIAL_MS, () => this.#lives(run));
      await node.takeUp([run]);
      // No room for it, too soon, or it was held: it is not in memory, so it proves nothing.
      if (this.#run === run && !node.active.has(run))
        this.#after(RETRY_MS, () => void this.#next());
    } catch (error) {
      node.log("warn", "taking up a suspect failed", { error: String(error) });
      this.#after(RETRY_MS, () => void this.#next());
    }
  }

  /** A run that an ended process held goes on, and the commit that says so has cleared it. */
  proved(activation: Activation): void {
    activation.recoveries = 0;
    if (this.#run === activation.id) void this.#next();
  }

  #lives(run: RunId): void {
    const node = this.#node;
    const activation = node.active.get(run);
    const answered = (): void => {
      if (activation !== undefined) this.proved(activation);
      else if (this.#run === run) void this.#next();
    };
    node.committer.request({ item: { type: "clear", run }, answered, lost: () => {} });
    node.loop.schedule();
  }

  /** Forgets whose turn it is. */
  stop(): void {
    this.#run = null;
    this.#cancel?.();
    this.#cancel = null;
  }

  #after(delayMs: number, act: () => void): void {
    this.#cancel?.();
    this.#cancel = this.#node.clock.after(delayMs, act);
  }
}
