import type { Batch, LogLine } from "@claw/core/ports";
import { ClawError, isClawError, type RunId, type RunRecord } from "@claw/core/protocol";
import type { Claw, RuntimeLimits } from "@claw/runtime";
import type { AnyWorkflow, StepContext } from "@claw/sdk";
import { type Fault, memoryStore, MemoryDisk } from "@claw/store-memory";
import { BodyLog, type LiveBody } from "./body-log.ts";
import { OwnStep } from "./own-step.ts";
import { type CommitView, describeBatch } from "./commit-words.ts";
import { Host } from "./host.ts";
import { drain, RealTime } from "./real-time.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { StandIns } from "./stand-ins.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { type BodySite, watchWorkflow } from "./watched-workflow.ts";

/** Steps without time passing after which a world is taken to run in a circle. */
const STEPS_MAX = 50_000;
/** How often a request is repeated that a dying node or a failed commit left open. */
const REPEATS_MAX = 100;

/** A place where a node may die: before or after a commit, at the beginning or end of a body. */
export interface Boundary {
  /** `in-body`: at the beginning of a body, or at its end, when its result is not recorded yet. */
  readonly kind: "before-commit" | "after-commit" | "in-body";
  /** The call concerned: of the body, or of the first record of the commit; empty for none. */
  readonly call: string;
  /** The place in words, for messages of tests. */
  readonly description: string;
}

/** A commit that is going to fail. */
export interface PlannedFault {
  readonly kind: "fail" | "lost-answer";
  /** True for the commit to fail. */
  readonly meets: (commit: CommitView) => boolean;
  fired: boolean;
}

/** What a stage is made of. */
export interface StageOptions {
  readonly workflows: readonly AnyWorkflow[];
  readonly standIns: StandIns;
  readonly nowMs: number;
  readonly seed: string | number;
  readonly namespace: string;
  readonly limits: Partial<RuntimeLimits>;
  readonly realWaitMs: number;
  /** Asked at each boundary; true kills the node there. */
  readonly trap: ((boundary: Boundary) => boolean) | null;
}

/** What an open run waits for, as the disk knows it. */
export interface OpenRun {
  /** Open waits for something else than time. */
  readonly messages: number;
  /** Calls that wait for an event. */
  readonly events: readonly string[];
}

interface Asked<T> {
  end: { readonly ok: true; readonly value: T } | { readonly ok: false; error: unknown } | null;
  readonly settled: Promise<void>;
}

/** The machinery of a world: one disk, the lives of a node on it, and the order in which things happen. */
export class Stage {
  readonly disk = new MemoryDisk();
  readonly clock: VirtualClock;
  readonly bodies = new BodyLog();
  readonly lines: LogLine[] = [];
  readonly faults: PlannedFault[] = [];
  workflows: readonly AnyWorkflow[];
  standIns: StandIns;
  /** Lives so far; the first is 1. */
  life = 0;
  /** Rises with everything that happens. */
  moves = 0;
  readonly #options: StageOptions;
  readonly #random: SeededRandom;
  readonly #realTime: RealTime;
  #host: Host | null = null;
  #commits = 0;
  #requests = 0;
  #pumping: Promise<void> | null = null;

  constructor(options: StageOptions) {
    this.#options = options;
    this.workflows = options.workflows;
    this.standIns = options.standIns;
    this.clock = new VirtualClock(options.nowMs);
    this.#random = new SeededRandom(options.seed);
    this.#realTime = new RealTime(options.realWaitMs);
  }

  get host(): Host {
    if (this.#host === null) throw new ClawError("CLAW-3005", "The world was stopped");
    return this.#host;
  }

  /** Begins a life: a new process on the same disk. */
  async open(): Promise<void> {
    this.life++;
    this.#random.begin(`life ${this.life}`);
    const { namespace, limits } = this.#options;
    const host: Host = new Host({
      store: memoryStore({ disk: this.disk, faults: { beforeCommit: (it) => this.#fault(it) } }),
      workflows: this.workflows.map((workflow) =>
        watchWorkflow(workflow, {
          perform: (site, body, step) => this.#perform(host, site, body, step),
          asked: () => {},
        }),
      ),
      namespace,
      limits,
      clock: this.clock,
      random: this.#random,
      log: (line) => this.lines.push(line),
      dies: (kind, batch) => this.#passCommit(host, kind, batch),
    });
    this.#host = host;
    await host.open();
  }

  /** Ends the life of the node, in order or, after its death, without a trace. */
  async close(): Promise<void> {
    await this.#host?.stop();
    this.bodies.abandon();
    this.clock.forgetAll();
    this.#host = null;
  }

  /** Kills the node: what it had not committed is lost. */
  kill(): void {
    this.host.die();
    this.bodies.abandon();
  }

  /** Runs until nothing moves without time passing, or `done` says so; true when it does. */
  async settle(done: () => boolean = () => false): Promise<boolean> {
    while (this.#pumping !== null) await this.#pumping;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pumping = promise;
    try {
      return await this.#pump(done);
    } finally {
      this.#pumping = null;
      resolve();
    }
  }

  async #pump(done: () => boolean): Promise<boolean> {
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      if (this.host.dead) {
        await this.close();
        await this.open();
      }
      if (done()) return true;
      if (await this.#step()) this.moves++;
      else return done();
    }
    const detail = `After ${STEPS_MAX} steps something still goes on while time stands still`;
    throw new ClawError("CLAW-6001", detail);
  }

  // False when nothing can happen before time passes.
  async #step(): Promise<boolean> {
    if (this.clock.fireNext()) {
      await drain();
      return true;
    }
    if (this.host.hasTurn) {
      await this.host.takeTurn();
      return true;
    }
    const { bodies } = this;
    const seen = bodies.moves;
    const moved = (): boolean =>
      bodies.moves !== seen || this.host.dead || this.host.hasTurn || this.clock.isDue;
    return this.#realTime.wait(moved, () => bodies.underWay(), this.#codeMayWait());
  }

  #codeMayWait(): boolean {
    return (
      this.workflows.some(({ options }) => options.foreignAwait === "warn") &&
      this.host.claw.stats().active > 0
    );
  }

  /** The next instant at which something may become due; null when time alone changes nothing. */
  nextAt(): number | null {
    // Of runs in memory only their node knows what is due; of the others, the disk does.
    const inMemory = this.host.claw.stats().active > 0;
    let next = this.clock.nextAt(inMemory);
    for (const { due, held } of this.disk.runs.values()) {
      if (held !== "" || due === null || due <= this.clock.now()) continue;
      if (next === null || due < next) next = due;
    }
    return next;
  }

  /** Moves time on; everything that becomes due happens in order. */
  async advance(ms: number): Promise<void> {
    const to = this.clock.now() + ms;
    await this.settle();
    for (let at = this.nextAt(); at !== null && at <= to; at = this.nextAt()) {
      this.clock.moveTo(at);
      await this.settle();
    }
    this.clock.moveTo(to);
    await this.settle();
  }

  /**
   * A request of a client that knows its trade: when the node dies or the store fails before the answer,
   * it asks again. `request` must be harmless to repeat.
   */
  async ask<T>(request: (claw: Claw, again: boolean) => Promise<T>): Promise<T> {
    const stream = `request ${++this.#requests}`;
    for (let tries = 1; ; tries++) {
      if (this.host.dead) await this.settle(() => true);
      const { host } = this;
      this.#random.begin(stream);
      const asked = askedOf(request(host.claw, tries > 1));
      const isOver = (): boolean => asked.end !== null || host.dead;
      // A body or another request may ask while the world moves already: that brings the answer.
      if (this.#pumping !== null) await Promise.race([asked.settled, this.#pumping]);
      if (!isOver()) await this.settle(isOver);
      if (asked.end?.ok === true) return asked.end.value;
      const unanswered = asked.end === null;
      const error: unknown = asked.end?.error;
      const mayRepeat = isClawError(error, "CLAW-3005") || isClawError(error, "CLAW-4006");
      if ((!unanswered && !mayRepeat) || tries >= REPEATS_MAX) {
        throw error instanceof Error ? error : new ClawError("CLAW-3005", String(error));
      }
      // A living node has lost its store, and opens it again after a pause.
      const next = host.dead ? null : this.clock.nextAt(true);
      if (next !== null) this.clock.moveTo(next);
      await this.settle();
    }
  }

  /** Settles, unless something moves the world already: that does the same. */
  async settleUnlessMoving(): Promise<void> {
    if (this.#pumping === null) await this.settle();
  }

  /** What the disk holds of an open run. */
  stored(id: RunId): OpenRun | undefined {
    const row = this.disk.runs.get(id);
    if (row === undefined) return undefined;
    const events = this.disk.waitsByRun.of(id).map(({ call }) => call);
    return { messages: row.waits, events: events.sort() };
  }

  /** Everything recorded about a run, or null. */
  find(id: RunId): Promise<RunRecord | null> {
    return this.ask((claw) => claw.find(id));
  }

  #fault(batch: Batch): Fault | null {
    if (!this.faults.some(({ fired }) => !fired)) return null;
    const view = this.#view(batch);
    for (const fault of this.faults) {
      if (fault.fired || !fault.meets(view)) continue;
      fault.fired = true;
      return { kind: fault.kind };
    }
    return null;
  }

  #view(batch: Batch): CommitView {
    return describeBatch(this.#commits, batch, (run) => {
      const row = this.disk.runs.get(run) ?? this.disk.closed.get(run);
      return row?.workflow ?? "an unknown run";
    });
  }

  #passCommit(host: Host, kind: "before-commit" | "after-commit", batch: Batch): boolean {
    if (kind === "before-commit") this.#commits++;
    if (this.#options.trap === null) return false;
    const { description, calls } = this.#view(batch);
    return this.#pass(host, { kind, call: calls[0] ?? "", description });
  }

  // True when the node dies here.
  #pass(host: Host, boundary: Boundary): boolean {
    if (this.#options.trap?.(boundary) !== true) return false;
    host.die();
    this.bodies.abandon();
    return true;
  }

  #perform(
    host: Host,
    site: BodySite,
    body: (step: StepContext) => unknown,
    step: StepContext,
  ): unknown {
    if (host.dead) return LEFT_BEHIND;
    const { info, name, input } = site;
    const call = step.key.slice(info.id.length + 1);
    const live = this.bodies.add({
      name,
      workflow: info.workflow,
      run: info.id,
      call,
      key: step.key,
      attempt: step.attempt,
      input,
      at: this.clock.now(),
      life: this.life,
    });
    const where = { kind: "in-body", call } as const;
    const what = `${site.kind} "${name}", attempt ${step.attempt}`;
    if (this.#pass(host, { ...where, description: `${what}: its body begins` })) {
      return LEFT_BEHIND;
    }
    const act = this.standIns.of(site) ?? body;
    const ends = (): boolean => {
      const description = `${what}: its body has ended, its result is not recorded`;
      return host.dead || this.#pass(host, { ...where, description });
    };
    return follow(live, ends, () => act(new OwnStep(step, host)), this.bodies);
  }
}

// What the code of a dead process waits for.
const LEFT_BEHIND: Promise<never> = new Promise(() => {});

// Hands on what a body returns or throws, unless the process dies when it does.
function follow(
  live: LiveBody,
  dies: () => boolean,
  act: () => unknown,
  log: { moves: number },
): unknown {
  const completed = (value: unknown): unknown => {
    log.moves++;
    live.completed(value);
    return dies() ? leave(live) : value;
  };
  const failed = (error: unknown): unknown => {
    log.moves++;
    live.failed(error);
    if (dies()) return leave(live);
    throw error;
  };
  let result: unknown;
  try {
    result = act();
    if (typeof (result as { then?: unknown } | null)?.then !== "function") return completed(result);
  } catch (error) {
    return failed(error);
  }
  return Promise.resolve(result).then(completed, failed);
}

function leave(live: LiveBody): unknown {
  live.status = "abandoned";
  return LEFT_BEHIND;
}

function askedOf<T>(promise: Promise<T>): Asked<T> {
  const asked: { -readonly [K in keyof Asked<T>]: Asked<T>[K] } = {
    end: null,
    settled: Promise.resolve(),
  };
  asked.settled = promise.then(
    (value) => {
      asked.end = { ok: true, value };
    },
    (error: unknown) => {
      asked.end = { ok: false, error };
    },
  );
  return asked;
}
