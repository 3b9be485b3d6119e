import { limits, type RunId, type RunRow } from "@claw/core/protocol";
import type { CancelTimer } from "@claw/core/ports";
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

  constructor(node: Node) {
    this.#node = node;
  }

  /** False for a suspect whose turn it is not. */
  mayTakeUp({ id, recoveries }: RunRow): boolean {
    return recoveries < limits.SUSPECT_RECOVERIES || this.#run === id;
  }

  /** Takes up the next suspect, if there is one. Called when this node has taken the store over. */
  async next(): Promise<void> {
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
      this.#after(limits.TRIAL_MS, () => this.cleared(run));
      await node.takeUp([run]);
      // No room for it, or it was held: it is not in memory, so it proves nothing.
      if (this.#run === run && !node.active.has(run)) this.#after(RETRY_MS, () => void this.next());
    } catch (error) {
      node.log("warn", "taking up a suspect failed", { error: String(error) });
      this.#after(RETRY_MS, () => void this.next());
    }
  }

  /** A run that an ended process held goes on: it is blamed no longer. */
  cleared(run: RunId): void {
    const node = this.#node;
    const activation = node.active.get(run);
    if (activation !== undefined) activation.recoveries = 0;
    const next = (): void => {
      if (this.#run === run) void this.next();
    };
    node.committer.request({ item: { type: "clear", run }, answered: next, lost: () => {} });
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
