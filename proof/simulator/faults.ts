import type { Batch } from "@claw/core/ports";
import type { Fault, FaultPlan } from "@claw/store-memory";
import type { Dice } from "./dice.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** Decides what goes wrong with the store of a world. */
export class FaultDice implements FaultPlan {
  /** False in the last life, when everything must come to an end. */
  on = true;
  readonly #world: World;
  readonly #dice: Dice;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** What goes wrong with this batch. */
  beforeCommit(batch: Batch): Fault | null {
    const world = this.#world;
    const dice = this.#dice;
    const isStale =
      world.crowd === null
        ? batch.incarnation !== world.disk.incarnation
        : world.disk.nodes.live(batch.incarnation) === undefined;
    if (isStale) world.truth.stale.add(batch);
    if (!this.on || isStale) return null;
    if (dice.chance(world.weather.poison)) {
      const item = dice.below(batch.items.length);
      const poisoned = batch.items[item];
      if (poisoned?.type === "transition") world.poisoned.add(poisoned.run);
      world.fault("poison", JSON.stringify(poisoned).slice(0, 100));
      return { kind: "poison", item };
    }
    if (world.crowd === null && world.host?.losesPower() === true) return { kind: "unflushed" };
    if (!dice.chance(world.weather.commitFaults)) return null;
    const kinds = ["fail", "lost-answer", "late", "unflushed"] as const;
    // What one node has not flushed the commits of others do.
    const kind = dice.pick(world.crowd === null ? kinds : kinds.slice(0, 3));
    world.fault(`commit ${kind}`, `batch ${batch.number}`);
    return { kind };
  }

  /** Lets a verb of a slow store be carried out after a while. */
  slowly(host: Host, complete: () => void): void {
    const { scheduler, ledger } = this.#world;
    ledger.count("fault slow store");
    // What a dead process has sent may still reach the disk.
    const owner = this.#dice.chance(0.5) ? host : null;
    scheduler.later(owner, this.#dice.below(4), complete);
  }
}
