import type { Claw } from "@claw/runtime";
import type { Dice } from "./dice.ts";
import type { CrashPoint, Host } from "./host.ts";
import { drain } from "./scheduler.ts";
import type { World } from "./world.ts";

/** A node that was told to stop is gone within this time. */
const STOP_MS_MAX = 120_000;
/** A planned crash that is not reached in this time happens anywhere. */
const DOOM_MS_MAX = 10_000;
/** Lives more of a world in which one run kills its nodes, and their longest time. */
const KILLED_LIVES = 8;
const KILLED_MS_MAX = 2_000;

/** How a life of a node ends. */
type End = CrashPoint | "freeze" | "stop";

/** The lives of nodes, one after the other, and how each of them ends. */
export class Lives {
  readonly #world: World;
  readonly #dice: Dice;
  /** The disk at some moment, for a store that goes back in time. */
  #copy: string | null = null;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** Lives all lives but the last. */
  async run(): Promise<void> {
    const { weather, ledger, killer } = this.#world;
    for (let life = 1; life <= weather.lives; life++) {
      await this.#live(weather.lifeMs);
      if (ledger.broken) return;
    }
    // A run that ends whatever takes it up: until it is quarantined.
    for (let life = 1; killer.run !== "" && life <= KILLED_LIVES; life++) {
      await this.#live(KILLED_MS_MAX);
      if (ledger.broken) return;
    }
  }

  async #live(lifeMs: number): Promise<void> {
    const world = this.#world;
    const { scheduler, weather } = world;
    const dice = this.#dice;
    if (weather.rollback && this.#copy === null) this.#copy = world.disk.snapshot();
    const host = await world.boot(dice.pick(weather.namespaces));
    if (!host.dead && host.claw !== null) {
      const steps = scheduler.steps + dice.between(weather.lifeSteps >> 2, weather.lifeSteps);
      if (weather.blocks) scheduler.later(null, dice.below(lifeMs >> 1), () => this.#block(host));
      const done = (): boolean => host.dead || scheduler.steps >= steps;
      await scheduler.run(scheduler.now + lifeMs, done);
      this.#unblock(host);
      await this.#end(host, host.claw);
    }
    world.host = null;
    await scheduler.run(scheduler.now + dice.pick([0, 0, 100, 5_000, 200_000]));
    if (dice.chance(0.3)) await this.#rollBack();
  }

  async #end(host: Host, claw: Claw): Promise<void> {
    const end = this.#dice.weighted<End>([
      [3, "between tasks"],
      [2, "inside a turn"],
      [2, "before a commit"],
      [2, "before a flush"],
      [2, "after a commit"],
      [1, "freeze"],
      [2, "freeze after a commit"],
      [1, "stop"],
    ]);
    if (host.dead) this.#died(host, "by a run");
    else if (end === "stop") await this.#stop(host, claw);
    else if (end === "freeze") this.#freeze(host, end);
    else if (end === "freeze after a commit") await this.#freezeLater(host);
    else await this.#crash(host, end);
  }

  async #crash(host: Host, point: CrashPoint): Promise<void> {
    const { scheduler } = this.#world;
    host.doom = { point, left: this.#dice.below(20) };
    await scheduler.run(scheduler.now + DOOM_MS_MAX, () => host.dead);
    const reached = host.dead ? point : "between tasks";
    host.crash();
    this.#died(host, reached);
    // With the power goes what was written and not flushed: a torn write is none.
    if (reached !== "before a flush") return;
    const lost = this.#world.disk.loseUnflushed(this.#dice.below(2));
    this.#world.fault(lost > 0 ? "unflushed commit lost" : "unflushed commit kept");
  }

  #died(host: Host, how: string): void {
    const { disk } = this.#world;
    this.#world.fault(`crash ${how}`, host.name);
    for (const { phase } of disk.runs.values()) {
      if (phase === "compensating") this.#world.fault("crash in a compensation", host.name);
    }
    disk.ownerDied();
  }

  // In good order, in the middle of everything: its clients get an answer before it is gone.
  async #stop(host: Host, claw: Claw): Promise<void> {
    const world = this.#world;
    const { scheduler, ledger } = world;
    let stopped = false;
    world.fault("graceful stop", host.name);
    claw.stop().then(
      () => {
        stopped = true;
      },
      (error: unknown) => {
        stopped = true;
        world.note(`${host.name} stopped with ${String(error)}`);
      },
    );
    await scheduler.run(scheduler.now + STOP_MS_MAX, () => stopped || host.dead);
    if (host.dead) return this.#died(host, "by a run");
    ledger.check("a node stops when it is told to", stopped, () => host.name);
    await drain();
    world.clients.checkNobodyWaits(host);
    host.crash();
    world.disk.ownerDied();
  }

  // Between the moment at which a commit is durable and the first body that begins after it.
  async #freezeLater(host: Host): Promise<void> {
    const { scheduler } = this.#world;
    host.doom = { point: "freeze after a commit", left: this.#dice.below(20) };
    await scheduler.run(scheduler.now + DOOM_MS_MAX, () => host.frozen || host.dead);
    this.#freeze(host, host.frozen ? "freeze after a commit" : "freeze");
  }

  #freeze(host: Host, how: string): void {
    const { scheduler } = this.#world;
    host.frozen = true;
    this.#world.fault(how, host.name);
    scheduler.later(null, this.#dice.between(1, 400_000), () => this.#thaw(host));
  }

  #thaw(host: Host): void {
    const world = this.#world;
    if (!host.frozen) return;
    host.frozen = false;
    if (world.host !== host && world.host !== null) {
      host.fenced = true;
      world.fault("zombie wakes", host.name);
      world.scheduler.later(host, 5_000, () => host.crash());
    } else {
      host.crash();
    }
    world.scheduler.thaw();
  }

  // Its main loop stands still for a while, and nobody takes over: all that was due comes at once.
  #block(host: Host): void {
    const world = this.#world;
    if (world.host !== host || host.dead || host.frozen) return;
    host.frozen = true;
    host.blocked = true;
    world.fault("blocked loop", host.name);
    world.scheduler.later(null, this.#dice.between(10, 30_000), () => this.#unblock(host));
  }

  #unblock(host: Host): void {
    if (!host.blocked) return;
    host.blocked = false;
    host.frozen = false;
    this.#world.scheduler.thaw();
  }

  // Somebody puts an old copy back while nobody runs: what was acknowledged since is gone with it.
  async #rollBack(): Promise<void> {
    const world = this.#world;
    const { scheduler } = world;
    if (this.#copy === null) return;
    for (const host of world.hosts) host.crash();
    // What dead processes have sent reaches the disk before, or never.
    await scheduler.run(scheduler.now + 100);
    world.disk.late.length = 0;
    world.disk.load(this.#copy);
    world.forget();
    this.#copy = null;
    world.fault("store rolled back");
  }
}
