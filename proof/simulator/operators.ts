import type { Claw } from "@claw/runtime";
import type { Dice } from "./dice.ts";
import type { Host } from "./host.ts";
import { checkFork } from "./invariants/fork.ts";
import type { KnownRun } from "./truth.ts";
import type { World } from "./world.ts";

/** What operators may be told: the run is in another state, or the call is. */
const REFUSALS = ["CLAW-2015", "CLAW-2016", "CLAW-2017", "CLAW-1003"];
/** Calls that an operator answers: steps, sleeps, signals and events. */
const SKIPPED = /(^|\/)(signal:|event:|[^/:]+$)[^/]*$/;
/** Runs that are made of others, at most. */
const FORKS_MAX = 12;

/** People with rights: they pause, resume, terminate, skip, fork and retry, at any moment. */
export class Operators {
  readonly #world: World;
  readonly #dice: Dice;
  /** Runs that were asked to go on since they were paused. */
  readonly #resumed = new Set<string>();
  #forks = 0;

  constructor(world: World, dice: Dice) {
    this.#world = world;
    this.#dice = dice;
  }

  /** Does one thing on a node. */
  act(host: Host, claw: Claw): void {
    this.#dice.weighted<() => void>([
      [4, () => this.#pause(host, claw)],
      [4, () => this.#resume(host, claw)],
      [1, () => this.#terminate(host, claw)],
      [this.#world.weather.sweeps ? 2 : 0, () => this.#sweep(host, claw)],
      [6, () => this.#skip(host, claw)],
      [this.#forks < FORKS_MAX ? 3 : 0, () => this.#fork(host, claw)],
      [this.#forks < FORKS_MAX ? 2 : 0, () => this.#retry(host, claw)],
    ])();
  }

  #open(): string | undefined {
    const open = [...this.#world.disk.runs.values()];
    return open.length === 0 ? undefined : this.#dice.pick(open).id;
  }

  #pause(host: Host, claw: Claw): void {
    const run = this.#open();
    // A run that lets others past while it is held: what it is about to write is refused, see docs/proof.md.
    if (run === undefined || this.#world.truth.runs.get(run)?.start.keyed?.onHeldHead === "skip") {
      return;
    }
    const { disk, ledger, truth } = this.#world;
    this.#asked(host, "pause", claw.pause(run, "wait"), () => {
      const row = disk.runs.get(run);
      const ended = truth.runs.get(run)?.ending !== null || disk.closed.has(run);
      const isPaused = row?.held === "paused" || this.#resumed.has(run);
      ledger.check("a pause is in the store", ended || isPaused, () => `${run} ${row?.held}`);
    });
    this.#resumed.delete(run);
  }

  #resume(host: Host, claw: Claw): void {
    const paused = [...this.#world.disk.runs.values()].filter(({ held }) => held === "paused");
    if (paused.length === 0) return;
    const run = this.#dice.pick(paused).id;
    this.#resumed.add(run);
    this.#asked(host, "resume", claw.resume(run), () => {});
  }

  #terminate(host: Host, claw: Claw): void {
    const run = this.#open();
    if (run === undefined) return;
    const { disk, ledger } = this.#world;
    this.#asked(host, "terminate", claw.terminate(run, "enough"), () => {
      const { status } = disk.closed.get(run) ?? {};
      ledger.check("a terminated run is closed", status === "terminated", () => `${run} ${status}`);
    });
  }

  #sweep(host: Host, claw: Claw): void {
    const kept = this.#dice.pick([0, "1s", "10s"] as const);
    const keep = {
      completed: kept,
      failed: kept,
      cancelled: kept,
      compensated: kept,
      terminated: kept,
      events: "never",
    } as const;
    this.#asked(host, "sweep", claw.sweep({ keep }), ({ runs }) => {
      const count = Object.values(runs).reduce((sum, one) => sum + one, 0);
      this.#world.ledger.count("runs swept", count);
    });
  }

  #skip(host: Host, claw: Claw): void {
    const run = this.#open();
    const asked = this.#world.witness.lives.get(run ?? "")?.asked ?? [];
    const known = this.#world.truth.runs.get(run ?? "");
    const open = asked.filter((call) => known?.answers.has(call) === false && SKIPPED.test(call));
    if (run === undefined || open.length === 0) return;
    const call = this.#dice.pick(open);
    const value = `skipped ${open.length}`;
    const { ledger, truth } = this.#world;
    this.#asked(host, "skip", claw.skip(run, call, value, { by: "ann" }), () => {
      const answer = truth.runs.get(run)?.answers.get(call);
      ledger.check("an acknowledged skip is in the journal", answer !== undefined, () => call);
    });
  }

  // Runs of keys are not forked.
  #some(): KnownRun | undefined {
    const all = [...this.#world.truth.runs.values()].filter(isForkable);
    return all.length === 0 ? undefined : this.#dice.pick(all);
  }

  #fork(host: Host, claw: Claw): void {
    const run = this.#some();
    const ends = [...(run?.answers.keys() ?? [])].filter((call) => !call.startsWith(" "));
    if (run === undefined || ends.length === 0) return;
    const { id } = run.start;
    const from = this.#dice.pick(ends);
    const before = [...run.entries];
    this.#forks++;
    this.#asked(host, "fork", claw.fork(id, { from }), (fork) => {
      checkFork(this.#world, before, from, fork.id);
    });
  }

  #retry(host: Host, claw: Claw): void {
    const ended = [...this.#world.truth.runs.values()].filter(
      (run) => isForkable(run) && run.ending !== null && run.ending.status !== "completed",
    );
    if (ended.length === 0) return;
    const run = this.#dice.pick(ended);
    const before = [...run.entries];
    this.#forks++;
    this.#asked(host, "retry", claw.retry(run.start.id), (fork) => {
      checkFork(this.#world, before, fork.from, fork.id);
    });
  }

  #asked<T>(host: Host, verb: string, promise: Promise<T>, then: (value: T) => void): void {
    this.#world.clients.asked(host, verb, promise, then, { codes: REFUSALS });
  }
}

// Of no key, and in its first generation, whose journal is all that it has.
function isForkable({ start, generations }: KnownRun): boolean {
  return !start.keyed && generations.length === 0;
}
