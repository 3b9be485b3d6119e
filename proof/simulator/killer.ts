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

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** True when the body that begins here has just ended its node. */
  kills(host: Host, run: string, call: string): boolean {
    const { weather, faults, disk, ledger } = this.#world;
    if (!weather.killer || !faults.on) return false;
    if (this.run === "" && !call.startsWith("/") && this.#dice.chance(0.01)) {
      this.run = run;
      this.#call = call;
    }
    if (run !== this.run || call !== this.#call || host !== this.#world.host) return false;
    host.crash();
    this.#world.fault("a run kills its node", run);
    const recoveries = disk.runs.get(run)?.recoveries ?? 0;
    ledger.check(
      "a run that kills its nodes is quarantined",
      recoveries <= limits.RECOVERIES_MAX,
      () => `${run} ${call} goes on after ${recoveries} nodes`,
    );
    return true;
  }

  /** A node has opened: counts the run when it is held for what it did. */
  opened(): void {
    if (this.#world.disk.runs.get(this.run)?.held === "quarantined")
      this.#world.ledger.count("hold quarantined");
  }
}
