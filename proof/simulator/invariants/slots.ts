import type { StepContext } from "@claw/sdk";
import type { Host } from "../host.ts";
import type { Ledger } from "../ledger.ts";
import type { Effect } from "../witness.ts";

interface Holder {
  readonly effect: Pick<Effect, "ended" | "call" | "run">;
  readonly signal: AbortSignal;
}

/** Bodies that are under way in a queue of a node never are more than it has slots. */
export class SlotCheck {
  readonly #ledger: Ledger;
  readonly #holders = new Map<string, Holder[]>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** A body begins that takes a slot; what was given up has left its own. */
  enter(
    host: Host,
    queue: string,
    effect: Pick<Effect, "ended" | "call" | "run">,
    { signal }: StepContext,
  ): void {
    const slots = host.queues[queue]?.concurrency;
    if (slots === undefined) return;
    const place = `${host.name} ${queue}`;
    const before = this.#holders.get(place) ?? [];
    const holders = before.filter((one) => !one.effect.ended && !one.signal.aborted);
    holders.push({ effect, signal });
    this.#holders.set(place, holders);
    if (holders.length === slots) this.#ledger.count("queue full");
    this.#ledger.check(
      "a queue never has more bodies under way than slots",
      holders.length <= slots,
      () =>
        `${place}: ${holders.map(({ effect: one }) => `${one.run} ${one.call}`).join()} for ${slots}`,
    );
  }
}
