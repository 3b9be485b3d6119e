import type { LogLine, RunQuery } from "@claw/core/ports";
import {
  ClawError,
  type Duration,
  durationMs,
  type RunId,
  type RunSummary,
  type Stored,
} from "@claw/core/protocol";
import type { PublishResult, RuntimeLimits, StartOptions } from "@claw/runtime";
import { type AnyWorkflow, type EventType, validate, type Workflow } from "@claw/sdk";
import type { BodyRun } from "./body-log.ts";
import type { CommitView } from "./commit-words.ts";
import { Crashes, type CrashPoint, type CrashRun, type Scenario } from "./crash-points.ts";
import { type Boundary, type PlannedFault, Stage } from "./stage.ts";
import { type Replacements, StandIns } from "./stand-ins.ts";
import { WorldRun } from "./world-run.ts";

/** When a world begins unless it is told otherwise: 2026-01-01T00:00:00Z. */
const WORLD_BEGINS_MS = 1_767_225_600_000;
const REAL_WAIT_MS = 2_000;
const LIST_LIMIT = 1_000;

/** What a world is made of. */
export interface WorldOptions extends Replacements {
  /** The definitions under test. Errors: CLAW-1001, CLAW-1002. */
  readonly workflows: readonly AnyWorkflow[];
  /** When it begins. Default 2026-01-01T00:00:00Z. */
  readonly now?: Date | number;
  /** Ids are made from it: the same seed gives the same ids. Default 1. */
  readonly seed?: string | number;
  /**
   * Waits shorter than this stay in memory, milliseconds. Default 0: after every wait the code runs again
   * from the top, so code that is not the same at replay shows in every test.
   */
  readonly parkGraceMs?: number;
  /** Default "default". */
  readonly namespace?: string;
  /** Bounds of the runtime. Default: those of production. */
  readonly limits?: Partial<RuntimeLimits>;
  /** Longest real time that one body is waited for, milliseconds. Default 2,000. */
  readonly realWaitMs?: number;
}

/** Options of `World.publish`. */
export interface PublishOptions {
  /** The second event of an id and source is a duplicate. Default: a new one. */
  readonly id?: string;
  /** Default: `/claw/NAMESPACE`. */
  readonly source?: string;
  /** What it is about. Default: none. */
  readonly subject?: string;
}

/** A fault that `World.failCommit` has planned. */
export interface FailedCommit {
  /** True once the commit has failed. */
  readonly fired: boolean;
}

/**
 * A runtime in virtual time on a disk in memory: production code, no waiting. Nothing moves but inside
 * the calls of a world and its runs.
 */
export class World {
  readonly #options: WorldOptions;
  readonly #stage: Stage;
  #started = 0;
  #published = 0;
  readonly #crashes: Crashes;

  /** Use `testWorld`. */
  constructor(options: WorldOptions, stage: Stage) {
    this.#options = options;
    this.#stage = stage;
    this.#crashes = new Crashes((trap) => openWorld(this.#options, trap));
  }

  /** The virtual time. */
  get now(): Date {
    return new Date(this.#stage.clock.now());
  }

  /** Log lines of the node, in all its lives. */
  get log(): readonly LogLine[] {
    return this.#stage.lines;
  }

  /**
   * Starts a run and lets it go as far as it can without time passing.
   * Errors: CLAW-1003 unknown workflow, CLAW-1004 input, CLAW-1005, CLAW-1006, CLAW-3003.
   */
  start<Input, Output, Given>(
    workflow: Workflow<Input, Output, Given>,
    input: Given,
    options?: StartOptions,
  ): Promise<WorldRun<Stored<Output>>>;
  start(workflow: string, input: unknown, options?: StartOptions): Promise<WorldRun>;
  async start(
    workflow: AnyWorkflow | string,
    input: unknown,
    options: StartOptions = {},
  ): Promise<WorldRun<never>> {
    const own = `start ${++this.#started} of the world`;
    const idempotencyKey = options.idempotencyKey ?? own;
    const run = await this.#stage.ask(async (claw, again) => {
      const given = { ...options, idempotencyKey };
      const handle = await (typeof workflow === "string"
        ? claw.start(workflow, input, given)
        : claw.start(workflow, input, given));
      return new WorldRun<never>(this.#stage, handle.id, handle.existing && !again);
    });
    await this.#stage.settleUnlessMoving();
    return run;
  }

  /**
   * Publishes an event: it starts runs by their triggers and wakes those that wait for it.
   * Errors: CLAW-1004 data against the schema of the event, CLAW-1005, CLAW-1006, CLAW-5008.
   */
  async publish<Data>(
    event: EventType<Data> | string,
    data: Data,
    options: PublishOptions = {},
  ): Promise<PublishResult> {
    const [type, schema] =
      typeof event === "string" ? [event, undefined] : [event.type, event.schema];
    const checked = await validate(schema, data, `The event "${type}"`);
    const given = { id: `event-${++this.#published}`, ...options, type, data: checked };
    const result = await this.#stage.ask(async (claw, again) => {
      const answer = await claw.publish(given);
      if (!again || answer.status === "accepted") return answer;
      // The first request was answered by a commit, but not to us.
      const cause = `event ${given.source ?? `/claw/${claw.namespace}`} ${given.id}`;
      const runs = await claw.list({ limit: LIST_LIMIT });
      const started = runs.filter((run) => run.cause === cause).map((run) => run.id);
      return { status: "accepted" as const, started, refused: answer.refused };
    });
    await this.#stage.settleUnlessMoving();
    return result;
  }

  /** A handle for a known id. */
  run<Output = unknown>(id: RunId): WorldRun<Output> {
    return new WorldRun(this.#stage, id, true);
  }

  /** Lines about runs, newest first. */
  list(query: Partial<RunQuery> = {}): Promise<readonly RunSummary[]> {
    return this.#stage.ask((claw) => claw.list({ limit: LIST_LIMIT, ...query }));
  }

  /** Lets everything happen that can happen without time passing. Errors: CLAW-6001. */
  async settle(): Promise<void> {
    await this.#stage.settle();
  }

  /** Moves time on; everything that becomes due on the way happens in order. Errors: CLAW-1007, CLAW-6001. */
  async advance(duration: Duration): Promise<void> {
    await this.#stage.advance(durationMs(duration));
  }

  /** Executions of bodies so far, in the order of beginning: of one task, step or undo, or all. */
  bodies(name?: string): BodyRun[] {
    return this.#stage.bodies.list(name);
  }

  /**
   * Makes one commit fail: the so-manieth from now (1 is the next), or the first that a predicate meets.
   * `fail`: it is not written; `lost-answer`: it is written, and the node does not learn of it. Either way
   * the node drops what it has in memory and opens its store again after a pause.
   */
  failCommit(
    which: number | ((commit: CommitView) => boolean),
    kind: "fail" | "lost-answer",
  ): FailedCommit {
    let left = typeof which === "number" ? which : 0;
    const meets = typeof which === "number" ? (): boolean => --left === 0 : which;
    const fault: PlannedFault = { kind, meets, fired: false };
    this.#stage.faults.push(fault);
    return fault;
  }

  /** Stops the node in order and opens it again on the same disk, with other code if it is given. */
  async restart(
    changes: Partial<Pick<WorldOptions, "workflows" | "tasks" | "steps">> = {},
  ): Promise<void> {
    await this.#stage.close();
    await this.#reopen(changes);
  }

  /**
   * Kills the node where it stands and opens it again on the same disk, with other code if it is given.
   * What was not committed is lost, bodies under way are abandoned.
   */
  async crash(
    changes: Partial<Pick<WorldOptions, "workflows" | "tasks" | "steps">> = {},
  ): Promise<void> {
    this.#stage.kill();
    await this.#stage.close();
    await this.#reopen(changes);
  }

  async #reopen(changes: Partial<WorldOptions>): Promise<void> {
    const stage = this.#stage;
    stage.workflows = changes.workflows ?? stage.workflows;
    stage.standIns = standInsOf({ ...stage.standIns.given, ...changes }, stage.workflows);
    await stage.open();
    await stage.settle();
  }

  /**
   * Runs a workflow once, in a world of its own, and lists every place where a crash could hit it. The
   * scenario sends what the run needs and moves time; what the run needs beyond it is done by itself.
   */
  crashPoints<Input, Output, Given>(
    workflow: Workflow<Input, Output, Given>,
    input: Given,
    scenario?: Scenario<Stored<Output>>,
  ): Promise<CrashPoint[]> {
    return this.#crashes.list({
      start: (world) => world.start(workflow, input),
      act: async (world, run) => scenario?.(world, run as WorldRun<Stored<Output>>),
    });
  }

  /**
   * Runs the workflow of a crash point again, in a fresh world, kills the node exactly there, opens it again
   * on the same disk and lets it finish. Errors: CLAW-6004 the second run took another way than the first.
   */
  crashAt(point: CrashPoint): CrashRun {
    return this.#crashes.run(point);
  }

  /** Ends the world. What is left open is dropped. Idempotent. */
  async stop(): Promise<void> {
    await this.#stage.close();
  }

  /** `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * Opens a world: the runtime of production with virtual time, ids from a seed, and a disk in memory.
 * Errors: CLAW-1001, CLAW-1002 for definitions and options.
 */
export function testWorld(options: WorldOptions): Promise<World> {
  return openWorld(options, null);
}

async function openWorld(
  options: WorldOptions,
  trap: ((boundary: Boundary) => boolean) | null,
): Promise<World> {
  const nowMs = Number(options.now ?? WORLD_BEGINS_MS);
  if (!Number.isSafeInteger(nowMs)) {
    throw new ClawError("CLAW-1001", `now is no instant but ${String(options.now)}`);
  }
  const stage = new Stage({
    workflows: options.workflows,
    standIns: standInsOf(options, options.workflows),
    nowMs,
    seed: options.seed ?? 1,
    namespace: options.namespace ?? "default",
    limits: { parkGraceMs: options.parkGraceMs ?? 0, ...options.limits },
    realWaitMs: options.realWaitMs ?? REAL_WAIT_MS,
    trap,
  });
  await stage.open();
  return new World(options, stage);
}

function standInsOf(given: Replacements, workflows: readonly AnyWorkflow[]): StandIns {
  const { tasks = {}, steps = {} } = given;
  return new StandIns({ tasks, steps }, workflows);
}
