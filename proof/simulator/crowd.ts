import type { SharedMemory } from "@claw/store-memory";
import type { Dice } from "./dice.ts";
import type { Host } from "./host.ts";
import { drain, type TaskOwner } from "./scheduler.ts";
import type { Weather } from "./weather.ts";
import type { World } from "./world.ts";

/** Seeds from here on are worlds of several nodes at once. */
export const CROWD_SEEDS = 1_000_001;

const LEASE_MS = 3_000;
/** For so long a main loop may stand still while the lease is renewed. */
const STALL_MS = 1_000;
const NODES_MAX = 4;
const HINT_LATE_MS_MAX = 2_000;
const SKEW_MS_MAX = 300_000;
const STOP_MS_MAX = 120_000;
const DOOM_MS_MAX = 10_000;

/** What happens to a node of a crowd. */
type Event =
  | "killed"
  | "paused past its lease"
  | "loop blocked while the lease lives"
  | "lease thread stands still"
  | "joins"
  | "drains";

/** The thread of a node that renews its lease: it may stand still while the node goes on, and the other way round. */
class LeaseThread implements TaskOwner {
  readonly #host: () => Host;
  frozen = false;

  constructor(host: () => Host) {
    this.#host = host;
  }

  get name(): string {
    return `${this.#host().name} lease`;
  }

  get dead(): boolean {
    return this.#host().dead;
  }
}

/** Several nodes that live at once on one disk, and what happens to each. */
export class Crowd {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #threads = new Map<Host, LeaseThread>();
  readonly #frozenAt = new Map<Host, number>();

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** What a world of several nodes leaves out: it is shown where one node lives after the other. */
  static weatherOf(weather: Weather): Weather {
    return {
      ...weather,
      namespaces: ["default"],
      killer: false,
      rollback: false,
      flood: false,
      clockJumps: 0,
      // Loops stand still in all of them.
      blocks: true,
      lives: weather.lives * 3,
      lifeSteps: weather.lifeSteps >> 1,
      lifeMs: 20_000,
    };
  }

  /** Nodes that clients can reach. */
  get live(): Host[] {
    return this.#world.hosts.filter((host) => !host.dead && !host.leaving && host.claw !== null);
  }

  /** The node that a client happens to reach; null for none. */
  pick(): Host | null {
    const reachable = this.live.filter(({ frozen }) => !frozen);
    return reachable.length === 0 ? null : this.#dice.pick(reachable);
  }

  /** Threads and time of a node that is about to open. */
  join(host: () => Host): SharedMemory {
    const { scheduler } = this.#world;
    const thread = new LeaseThread(host);
    return {
      leaseMs: LEASE_MS,
      now: () => scheduler.now,
      monotonic: () => scheduler.now,
      skewMs: () => -host().skewMs,
      after: (delayMs, fire) => {
        this.#threads.set(host(), thread);
        return scheduler.later(thread, delayMs, fire);
      },
      moves: () => !host().frozen || scheduler.now - this.#since(host()) < STALL_MS,
      hint: (deliver) => this.#hint(host(), deliver),
    };
  }

  #since(host: Host): number {
    return this.#frozenAt.get(host) ?? 0;
  }

  #hint(host: Host, deliver: () => void): void {
    const { scheduler, faults } = this.#world;
    const fate = faults.on ? this.#dice.below(10) : 9;
    if (fate === 0) return this.#world.fault("hint lost", host.name);
    if (fate === 1) this.#world.fault("hint doubled", host.name);
    if (fate === 2) this.#world.fault("hint late", host.name);
    scheduler.later(host, fate === 2 ? this.#dice.below(HINT_LATE_MS_MAX) : 0, deliver);
    if (fate === 1) scheduler.later(host, this.#dice.below(100), deliver);
  }

  /** The clock of a node that joins differs from that of the store. */
  skew(): number {
    if (!this.#dice.chance(0.5)) return 0;
    const ms = this.#dice.between(-SKEW_MS_MAX, SKEW_MS_MAX);
    this.#world.fault("clock skew between nodes", `${ms}`);
    return ms;
  }

  /** Lives until the last event. */
  async run(): Promise<void> {
    const world = this.#world;
    const { scheduler, weather, ledger } = world;
    await world.boot("default");
    await world.boot("default");
    for (let event = 1; event <= weather.lives && !ledger.broken; event++) {
      const steps = scheduler.steps + this.#dice.between(100, weather.lifeSteps);
      await scheduler.run(scheduler.now + weather.lifeMs, () => scheduler.steps >= steps);
      await this.#happen();
    }
  }

  async #happen(): Promise<void> {
    const host = this.pick();
    const isFull = this.live.length >= NODES_MAX;
    if (host === null || this.live.length < 2) return this.#joins();
    const event = this.#dice.weighted<Event>([
      [3, "killed"],
      [3, "paused past its lease"],
      [2, "loop blocked while the lease lives"],
      [2, "lease thread stands still"],
      [isFull ? 0 : 4, "joins"],
      [2, "drains"],
    ]);
    if (event === "joins") return this.#joins();
    if (event === "killed") return this.#kill(host);
    if (event === "drains") return this.#drain(host);
    this.#world.fault(`node ${event}`, host.name);
    if (event === "lease thread stands still") return this.#stall(host);
    const isShort = event === "loop blocked while the lease lives";
    this.#freeze(
      host,
      isShort ? this.#dice.between(10, STALL_MS) : this.#dice.between(3_000, 30_000),
    );
  }

  async #joins(): Promise<void> {
    this.#world.fault("node joins");
    await this.#world.boot("default");
  }

  async #kill(host: Host): Promise<void> {
    const { scheduler } = this.#world;
    const points = ["between tasks", "inside a turn", "before a commit", "after a commit"] as const;
    const point = this.#dice.pick(points);
    host.doom = { point, left: this.#dice.below(20) };
    await scheduler.run(scheduler.now + DOOM_MS_MAX, () => host.dead);
    this.#world.fault(`crash ${host.dead ? point : "between tasks"}`, host.name);
    host.crash();
  }

  // Bodies under way may end, others go on with the rest at once.
  async #drain(host: Host): Promise<void> {
    const world = this.#world;
    world.fault("node drains", host.name);
    host.leaving = true;
    let stopped = false;
    const told = (): void => {
      stopped = true;
    };
    host.claw?.stop({ drain: this.#dice.pick([0, 1_000, 20_000]) }).then(told, told);
    await world.scheduler.run(world.scheduler.now + STOP_MS_MAX, () => stopped || host.dead);
    world.ledger.check("a node stops when it is told to", stopped, () => host.name);
    await drain();
    world.clients.checkNobodyWaits(host);
    host.crash();
  }

  // Its whole process: with what it was about to do it goes on when others have its runs.
  #freeze(host: Host, ms: number): void {
    const { scheduler } = this.#world;
    host.frozen = true;
    this.#frozenAt.set(host, scheduler.now);
    scheduler.later(null, ms, () => {
      if (!host.frozen) return;
      host.frozen = false;
      if (ms > LEASE_MS) this.#world.fault("zombie wakes", host.name);
      scheduler.thaw();
    });
  }

  // The node goes on until its own deadline, while others take over.
  #stall(host: Host): void {
    const { scheduler } = this.#world;
    const thread = this.#threads.get(host);
    if (thread === undefined) return;
    thread.frozen = true;
    scheduler.later(null, this.#dice.between(1_000, 20_000), () => {
      thread.frozen = false;
      scheduler.thaw();
    });
  }

  /** Everything moves again. */
  calm(): void {
    for (const host of this.#world.hosts) {
      host.frozen = false;
      const thread = this.#threads.get(host);
      if (thread !== undefined) thread.frozen = false;
    }
    this.#world.scheduler.thaw();
  }
}
