import type { SweepCursor, SweepOrder } from "@claw/core/ports";
import { ClawError, type ClosedStatus, type Duration, durationMs } from "@claw/core/protocol";
import type { RetentionReport } from "./claw.ts";
import type { Retention } from "./runtime-options.ts";
import type { Node } from "./node.ts";

/** What is kept for how long when nothing is said. */
const RETENTION_DEFAULTS: Retention = {
  completed: "7d",
  failed: "30d",
  cancelled: "30d",
  compensated: "30d",
  terminated: "30d",
  events: "7d",
};

const KINDS = Object.keys(RETENTION_DEFAULTS) as (keyof Retention)[];

/** Time between two sweeps of this process. */
const SWEEP_EVERY_MS = 600_000;
/** Closed runs, and events, that one commit of a sweep looks at: a few milliseconds. */
const SWEEP_ROWS = 200;
/** Pause between two of them, in which others commit. */
const SWEEP_PAUSE_MS = 20;

/** Fills in the defaults. Errors: CLAW-1001 for an unknown name, CLAW-1007 for what is no duration. */
export function retentionOf(given: Partial<Retention> = {}, base = RETENTION_DEFAULTS): Retention {
  for (const [name, value] of Object.entries(given)) {
    if (!(KINDS as string[]).includes(name)) {
      throw new ClawError("CLAW-1001", `retention knows ${KINDS.join(", ")}, not ${name}`);
    }
    if (value !== "never") durationMs(value);
  }
  return { ...base, ...given };
}

/** Removes what need not be kept any longer, in small commits between those of others. */
export class Sweeper {
  readonly #node: Node;
  readonly #keep: Retention;
  #sweptAt = 0;
  #isSweeping = false;

  constructor(node: Node, keep: Retention) {
    this.#node = node;
    this.#keep = keep;
  }

  /** Begins a sweep when it is time for one; what stops it is logged, and the next one goes on. */
  soon(nowMs: number): void {
    if (this.#isSweeping || nowMs - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = nowMs;
    this.sweep({}, false).catch((error: unknown) => {
      this.#node.log("warn", "the sweep stopped", { error: String(error) });
    });
  }

  /** Removes everything that may go by now, or tells what would. Errors: CLAW-3005, CLAW-1001, CLAW-1007. */
  async sweep(given: Partial<Retention>, dryRun: boolean): Promise<RetentionReport> {
    const node = this.#node;
    const keep = retentionOf(given, this.#keep);
    const bounds = boundsOf(keep, node.clock.now());
    const { incarnation } = node.committer;
    const runs: Partial<Record<ClosedStatus, number>> = {};
    let events = 0;
    let from: SweepCursor = { run: "", event: 0 };
    this.#isSweeping = true;
    try {
      while (from.run !== null || from.event !== null) {
        node.mustBeAvailable();
        if (incarnation !== node.committer.incarnation) {
          throw new ClawError("CLAW-3005", "The store was opened again during the sweep");
        }
        const order = { ...bounds, namespace: node.namespace, from, limit: SWEEP_ROWS, dryRun };
        const swept = await node.store.sweep(order);
        for (const [status, count] of Object.entries(swept.runs)) {
          runs[status as ClosedStatus] = (runs[status as ClosedStatus] ?? 0) + count;
        }
        events += swept.events;
        from = swept.next;
        if (from.run !== null || from.event !== null) await pause(node);
      }
    } finally {
      this.#isSweeping = false;
    }
    return { dryRun, keep, runs, events };
  }
}

function boundsOf(
  { events, ...statuses }: Retention,
  nowMs: number,
): Pick<SweepOrder, "endedBefore" | "loggedBefore"> {
  const endedBefore: Partial<Record<ClosedStatus, number>> = {};
  for (const [status, kept] of Object.entries(statuses)) {
    if (kept !== "never") endedBefore[status as ClosedStatus] = before(kept, nowMs);
  }
  return { endedBefore, loggedBefore: events === "never" ? 0 : before(events, nowMs) };
}

// With 0 also what ended in this very millisecond may go.
function before(kept: Duration, nowMs: number): number {
  return nowMs - durationMs(kept) + 1;
}

function pause(node: Node): Promise<void> {
  return new Promise((resolve) => {
    node.clock.after(SWEEP_PAUSE_MS, resolve);
  });
}
