import { ClawError, type ErrorRecord, type RunStatus } from "@claw/core/protocol";
import type { BodyRun } from "./body-log.ts";
import type { SeenRun } from "./seen-run.ts";
import type { Boundary } from "./stage.ts";
import type { World } from "./world.ts";
import type { WorldRun } from "./world-run.ts";

/** What a test does while a run goes on: sends signals and events, moves time. */
export type Scenario<Output = unknown> = (
  world: World,
  run: WorldRun<Output>,
) => void | Promise<void>;

/** A place where a crash may hit a run. */
export interface CrashPoint {
  /** From 0, in the order of the undisturbed run. */
  readonly index: number;
  /** `in-body`: at the beginning of a body, or at its end, when its result is not recorded yet. */
  readonly kind: Boundary["kind"];
  /** The call concerned; empty for none. */
  readonly call: string;
  /** The place in words, for messages of tests. */
  readonly description: string;
}

/** How a run ended, for comparison. */
export interface RunEnd {
  /** Of a run that is held, why it is: such a run has not ended. */
  readonly status: RunStatus;
  /** Of a completed run; else undefined. */
  readonly output: unknown;
  /** Of a run that ended badly; else null. */
  readonly error: Pick<ErrorRecord, "name" | "message" | "code"> | null;
  /** Why it is held or how it failed; empty otherwise. */
  readonly reason: string;
}

/** What came of a run that was hit by a crash. */
export interface CrashOutcome extends RunEnd {
  /** Where the crash hit. */
  readonly point: CrashPoint;
  /** The end of the same run without the crash. */
  readonly undisturbed: RunEnd;
  /** True when status, output and error are those of the undisturbed run. */
  readonly sameEnd: boolean;
  /** Executions of bodies, before and after the crash: of one name, or all. */
  readonly bodies: (name?: string) => readonly BodyRun[];
  /** The different keys that executions of a body had. */
  readonly keys: (name: string) => readonly string[];
}

/** A run that is hit by a crash; what is expected of it may be said at once. Errors: CLAW-6006. */
export interface CrashRun extends Promise<CrashOutcome> {
  /** All executions of this body had one key, and there was at least one. */
  expectOneKey(name: string): Promise<CrashOutcome>;
  /** Executions of this body had the keys that they have in the undisturbed run, no more and no less. */
  expectSameKeys(name: string): Promise<CrashOutcome>;
  /** The run ended as without the crash. */
  expectSameEnd(): Promise<CrashOutcome>;
}

type Trap = (boundary: Boundary) => boolean;

interface Scene {
  readonly start: (world: World) => Promise<WorldRun>;
  readonly act: (world: World, run: WorldRun) => void | Promise<void>;
}

interface Played {
  readonly end: RunEnd;
  readonly bodies: readonly BodyRun[];
}

/** Finds the places where a crash may hit a run, and lets it hit there. */
export class Crashes {
  readonly #open: (trap: Trap) => Promise<World>;
  readonly #scenes = new WeakMap<CrashPoint, { scene: Scene; undisturbed: Played }>();

  constructor(open: (trap: Trap) => Promise<World>) {
    this.#open = open;
  }

  async list(scene: Scene): Promise<CrashPoint[]> {
    const points: CrashPoint[] = [];
    const undisturbed = await this.#play(scene, (boundary) => {
      points.push({ index: points.length, ...boundary });
      return false;
    });
    for (const point of points) this.#scenes.set(point, { scene, undisturbed });
    return points;
  }

  run(point: CrashPoint): CrashRun {
    const outcome = this.#crash(point);
    return Object.assign(outcome, {
      expectOneKey: async (name: string) => expectOneKey(await outcome, name),
      expectSameKeys: async (name: string) => {
        const { undisturbed } = this.#known(point);
        return expectKeys(await outcome, name, keysOf(undisturbed.bodies, name));
      },
      expectSameEnd: async () => expectSameEnd(await outcome),
    });
  }

  async #crash(point: CrashPoint): Promise<CrashOutcome> {
    const { scene, undisturbed } = this.#known(point);
    let passed = 0;
    let other: Boundary | null = null;
    const { end, bodies } = await this.#play(scene, (boundary) => {
      if (passed++ !== point.index) return false;
      if (boundary.description !== point.description || boundary.kind !== point.kind) {
        other = boundary;
        return false;
      }
      return true;
    });
    if (passed <= point.index || other !== null) throw elsewhere(point, other);
    return {
      ...end,
      point,
      undisturbed: undisturbed.end,
      sameEnd: isSame(end, undisturbed.end),
      bodies: (name) => bodies.filter((body) => name === undefined || body.name === name),
      keys: (name) => keysOf(bodies, name),
    };
  }

  #known(point: CrashPoint): { scene: Scene; undisturbed: Played } {
    const known = this.#scenes.get(point);
    if (known !== undefined) return known;
    const detail = "The point is none that crashPoints of this world has listed";
    throw new ClawError("CLAW-6004", detail);
  }

  async #play(scene: Scene, trap: Trap): Promise<Played> {
    const world = await this.#open(trap);
    try {
      const run = await scene.start(world);
      await scene.act(world, run);
      await run.rest();
      await world.settle();
      return { end: endOf(await run.state()), bodies: world.bodies() };
    } finally {
      await world.stop();
    }
  }
}

function endOf({ status, output, error, reason }: SeenRun): RunEnd {
  return { status, output, error: error === null ? null : withoutStack(error), reason };
}

// Stacks name lines of the kernel, which differ with the way to them.
function withoutStack({ name, message, code }: ErrorRecord): NonNullable<RunEnd["error"]> {
  return code === undefined ? { name, message } : { name, message, code };
}

function isSame(one: RunEnd, other: RunEnd): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function keysOf(bodies: readonly BodyRun[], name: string): string[] {
  return [...new Set(bodies.filter((body) => body.name === name).map(({ key }) => key))];
}

function elsewhere({ index, kind, description }: CrashPoint, met: Boundary | null): ClawError {
  const there = met === null ? "the end" : `${met.kind} ${met.description}`;
  const detail = `Crash point ${index} was ${kind} ${description}, and now is ${there}`;
  return new ClawError("CLAW-6004", detail);
}

function expectOneKey(outcome: CrashOutcome, name: string): CrashOutcome {
  const keys = outcome.keys(name);
  if (keys.length === 1) return outcome;
  const got = keys.length === 0 ? "was never executed" : `had the keys ${keys.join(", ")}`;
  throw unmet(outcome, `"${name}" ${got}`);
}

function expectKeys(outcome: CrashOutcome, name: string, keys: readonly string[]): CrashOutcome {
  const got = [...outcome.keys(name)].sort();
  const wanted = [...keys].sort();
  if (got.join("\n") === wanted.join("\n")) return outcome;
  throw unmet(outcome, `"${name}" had the keys ${got.join(", ")} instead of ${wanted.join(", ")}`);
}

function expectSameEnd(outcome: CrashOutcome): CrashOutcome {
  if (outcome.sameEnd) return outcome;
  const said = ({ status, output, error, reason }: RunEnd): string =>
    JSON.stringify({ status, output, error, reason });
  throw unmet(outcome, `the run ended as ${said(outcome)} instead of ${said(outcome.undisturbed)}`);
}

function unmet({ point }: CrashOutcome, what: string): ClawError {
  const where = `a crash at point ${point.index} (${point.kind} ${point.description})`;
  return new ClawError("CLAW-6006", `After ${where}, ${what}`);
}
