import type { RuntimeLimits } from "@claw/runtime";
import type { Dice } from "./dice.ts";
import type { ProgramShape } from "./program.ts";

/** How a world is: chosen once, by its dice. */
export interface Weather {
  readonly shape: ProgramShape;
  /** Lives of nodes before the last one. */
  readonly lives: number;
  /** Longest life of a node in tasks of the scheduler. */
  readonly lifeSteps: number;
  /** Longest life of a node in virtual milliseconds. */
  readonly lifeMs: number;
  /** Namespaces of the nodes, one for each life. */
  readonly namespaces: readonly string[];
  /** True when somebody fills an inbox. */
  readonly flood: boolean;
  /** Runs that clients start. */
  readonly starts: number;
  /** Calls that all runs together may make, about. */
  readonly weightMax: number;
  /** Pause between two acts of clients, milliseconds. */
  readonly paceMs: number;
  /** True when the store answers later. */
  readonly slowStore: boolean;
  readonly limits: Partial<RuntimeLimits>;
  /** Slots of the queues of tasks. */
  readonly queues: Readonly<Record<string, { readonly concurrency: number }>>;
  /** True when main loops stand still now and then. */
  readonly blocks: boolean;
  /** True when one run ends each node that takes it up. */
  readonly killer: boolean;
  /** True when closed runs are removed while others go on. */
  readonly sweeps: boolean;
  /** True when an old copy of the store is put back. */
  readonly rollback: boolean;
  /** Chance that something goes wrong with a commit. */
  readonly commitFaults: number;
  /** Chance that the store takes an item for bad data. */
  readonly poison: number;
  /** Chance per act of clients that the clock jumps. */
  readonly clockJumps: number;
}

/** Draws the weather of a world. */
export function makeWeather(dice: Dice): Weather {
  return {
    shape: {
      length: dice.between(6, 14),
      programs: dice.between(5, 8),
      patienceMs: dice.pick([500, 3_000, 20_000, 200_000]),
    },
    lives: dice.between(3, 5),
    lifeSteps: dice.between(1_500, 6_000),
    lifeMs: dice.pick([20_000, 200_000]),
    namespaces: dice.chance(0.2) ? ["default", "other"] : ["default"],
    flood: dice.chance(0.02),
    starts: dice.between(70, 140),
    weightMax: dice.between(5_400, 7_800),
    paceMs: dice.pick([5, 40, 300]),
    slowStore: dice.chance(0.4),
    limits: dice.chance(0.25) ? { activeRunsMax: dice.between(2, 12) } : {},
    queues: {
      bank: { concurrency: dice.between(1, 4) },
      desk: { concurrency: dice.between(1, 40) },
    },
    blocks: dice.chance(0.3),
    killer: dice.chance(0.04),
    rollback: dice.chance(0.06),
    sweeps: dice.chance(0.25),
    commitFaults: dice.pick([0, 0.002, 0.01]),
    poison: dice.chance(0.2) ? 0.003 : 0,
    clockJumps: dice.chance(0.25) ? 0.05 : 0,
  };
}
