import { limits } from "@claw/core/protocol";
import type { Dice } from "./dice.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/** A run with a body that ends the process that performs it, each time, until its code is mended. */
export class Killer {
  readonly #world: World;
  readonly #dice: Dice;
  /** The run, once there is one. */
  run = "";
  #call = "";
  #kills = 0;
  #entries = 0;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** True when the body that begins here has just ended its node. */
  kills(host: Host, run: string, call: string): boolean {
    const { weather, faults, truth, ledger } = this.#world;
    if (!weather.killer || !faults.on) return false;
    if (this.run === "" && !call.startsWith("/") && this.#dice.chance(0.01)) {
      this.run = run;
      this.#call = call;
    }
    if (run !== this.run || call !== this.#call || host !== this.#world.host) return false;
    const entries = truth.runs.get(run)?.entries.length ?? 0;
    // The first time nobody is blamed. Progress, in another branch, clears it of the suspicion.
    this.#kills = entries === this.#entries ? this.#kills + 1 : 1;
    this.#entries = entries;
    host.crash();
    this.#world.fault("a run kills its node", run);
    ledger.check(
      "a run that kills its nodes is quarantined",
      this.#kills <= limits.RECOVERIES_MAX + 2,
      () => `${run} ${call} ended ${this.#kills} nodes`,
    );
    return true;
  }

  /** It was held for something else, or released: it may try again. */
  released(run: string): void {
    if (run === this.run) this.#kills = 0;
  }
}
