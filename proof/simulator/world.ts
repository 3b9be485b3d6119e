import type { Batch, BatchAnswer } from "@claw/core/ports";
import { ENTRY_KINDS } from "@claw/core/protocol";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import { CHANGES, changeProgram } from "./change.ts";
import { Clients } from "./clients.ts";
import { Crowd, CROWD_SEEDS } from "./crowd.ts";
import { Dice } from "./dice.ts";
import { FaultDice } from "./faults.ts";
import { Host, type HostListener } from "./host.ts";
import { ApprovalCheck } from "./invariants/approvals.ts";
import { CodeCheck } from "./invariants/code.ts";
import { KeyCheck } from "./invariants/keys.ts";
import { checkNamespaces } from "./invariants/namespaces.ts";
import { standalone, TaskCheck } from "./invariants/tasks.ts";
import { checkReplay } from "./invariants/replay.ts";
import { StreamCheck } from "./invariants/streams.ts";
import { checkStarts } from "./invariants/starts.ts";
import { type Performance, type Stage, toDefinitions } from "./interpret.ts";
import { Killer } from "./killer.ts";
import { Ledger } from "./ledger.ts";
import { makePrograms, type ProgramShape } from "./program.ts";
import type { Program } from "./statement.ts";
import { Lives } from "./lives.ts";
import { originOf } from "./model.ts";
import { Operators } from "./operators.ts";
import { drain, Scheduler } from "./scheduler.ts";
import { Truth } from "./truth.ts";
import { makeWeather, type Weather } from "./weather.ts";
import { weigh } from "./weight.ts";
import { Witness } from "./witness.ts";

/** Looks at a node that is opening; each lets a second pass at most. */
const OPEN_LOOKS_MAX = 100;

/** Faults of such a small kind that they do not count for the floor. */
const EVERYDAY: ReadonlySet<string> = new Set([
  "fault late completion",
  "fault repeated call",
  "fault slow store",
]);
/** Calls that one run, with those that it starts, makes at most. */
const WEIGHT_MAX = 250;
/** By so much the clock of a node may differ from that of the world. */
const CLOCK_SKEW_MS_MAX = 60_000;
/** So many due runs at a start are a mass of timers. */
const MASS_OF_TIMERS = 10;

/** What a world came to. */
export interface WorldResult {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly turns: number;
  readonly runs: number;
  readonly nodes: number;
  readonly faults: number;
  readonly trace: readonly string[];
}

/** One seed: nodes that live one after the other on one disk, and all that happens to them. */
export class World implements HostListener {
  readonly dice: Dice;
  readonly ledger: Ledger;
  readonly scheduler: Scheduler;
  readonly disk = new MemoryDisk();
  readonly truth: Truth;
  readonly witness: Witness;
  readonly weather: Weather;
  readonly programs: readonly Program[];
  readonly clients: Clients;
  readonly operators: Operators;
  readonly faults: FaultDice;
  readonly hosts: Host[] = [];
  /** Runs of which a transition was refused on purpose. */
  readonly poisoned = new Set<string>();
  /** Version 2 of programs that have one by now. */
  readonly newer: Program[] = [];
  readonly code: CodeCheck = new CodeCheck(this);
  readonly streams: StreamCheck = new StreamCheck(this);
  approvals: ApprovalCheck = new ApprovalCheck(this);
  tasks: TaskCheck = new TaskCheck(this);
  readonly keys: KeyCheck;
  readonly killer: Killer;
  readonly #lives: Lives;
  /** The nodes of a world in which several live at once; null where one lives after the other. */
  readonly crowd: Crowd | null;
  /** The node that owns the store, or is about to. */
  host: Host | null = null;

  constructor(seed: number, verbose: boolean) {
    this.dice = new Dice(seed);
    this.ledger = new Ledger(verbose);
    this.scheduler = new Scheduler(this.dice.fork());
    this.scheduler.afterEach = () => {
      if (this.crowd === null) this.host?.betweenTasks();
      else for (const host of this.hosts) host.betweenTasks();
    };
    // Whatever more than one call waits for is spread over commits.
    this.disk.spreadRows = 1;
    this.truth = new Truth(this.disk, this.ledger);
    this.keys = new KeyCheck(this);
    this.witness = new Witness(this.truth, this.ledger, this.scheduler, this);
    const weather = makeWeather(this.dice.fork());
    this.weather = seed < CROWD_SEEDS ? weather : Crowd.weatherOf(weather);
    this.programs = makeLightPrograms(this.dice.fork(), this.weather.shape);
    this.clients = new Clients(this, this.dice.fork());
    this.faults = new FaultDice(this, this.dice.fork());
    this.operators = new Operators(this, this.dice.fork());
    this.killer = new Killer(this, this.dice.fork());
    this.#lives = new Lives(this, this.dice.fork());
    this.crowd = seed < CROWD_SEEDS ? null : new Crowd(this, this.dice.fork());
  }

  /** The node that a client happens to reach; null for none. */
  reach(): Host | null {
    return this.crowd === null ? this.host : this.crowd.pick();
  }

  /** Lives the whole world. */
  async run(): Promise<void> {
    this.clients.begin();
    await (this.crowd ?? this.#lives).run();
    if (!this.ledger.broken) await this.#end();
  }

  /** Counts a fault that happened. */
  fault(name: string, detail = ""): void {
    this.ledger.count(`fault ${name}`);
    this.note(`fault ${name} ${detail}`);
  }

  /** Writes a line of the trace with the time. */
  note(line: string): void {
    if (this.ledger.verbose) this.ledger.note(`${this.scheduler.now} ${line}`);
  }

  /** Opens the next node on the disk. */
  async boot(namespace: string): Promise<Host> {
    const { scheduler, weather, dice } = this;
    const name = `node-${this.hosts.length + 1}`;
    const store = memoryStore({
      disk: this.disk,
      faults: this.faults,
      ...(this.crowd === null ? {} : { shared: this.crowd.join(() => host) }),
      ...(weather.slowStore ? { async: (done) => this.faults.slowly(host, done) } : {}),
    });
    const stage = this.#stage(() => host);
    const programs = this.faults.on ? this.#code() : [...this.programs, ...this.newer];
    const host: Host = new Host({
      name,
      namespace,
      scheduler,
      dice: dice.fork(),
      store,
      definitions: toDefinitions(this.programs, programs, stage),
      queues: weather.queues,
      programs,
      limits: weather.limits,
      listener: this,
      ...(this.crowd === null
        ? {}
        : { isLive: (incarnation) => this.disk.nodes.live(incarnation) !== undefined }),
    });
    if (this.crowd !== null) host.skewMs = this.crowd.skew();
    else if (weather.clockJumps > 0 && this.faults.on) {
      host.skewMs = dice.between(-CLOCK_SKEW_MS_MAX, CLOCK_SKEW_MS_MAX);
      this.fault("clock skew", `${host.skewMs}`);
    }
    for (const other of this.hosts) if (!other.dead && this.crowd === null) other.fenced = true;
    this.hosts.push(host);
    this.host = host;
    this.note(`${name} opens`);
    host.open();
    const open = (): boolean => host.claw !== null || host.failure !== null || host.dead;
    for (let look = 0; look < OPEN_LOOKS_MAX && !open(); look++) {
      await drain();
      await scheduler.run(scheduler.now + 1_000, open);
    }
    if (host.failure !== null) this.note(`${name} failed to open: ${host.failure.message}`);
    return host;
  }

  // The code that the next node has: mostly the same, now and then changed, missing or newer.
  #code(): readonly Program[] {
    const { dice } = this;
    const known = [...this.programs, ...this.newer];
    switch (
      dice.weighted([
        [5, "same"],
        [3, "changed"],
        [1, "missing"],
        [1, "newer"],
      ] as const)
    ) {
      case "changed":
        return known.map((program) => this.#changed(program));
      case "missing":
        this.fault("code missing");
        return known.filter(() => dice.chance(0.6));
      case "newer": {
        const program = dice.pick(this.programs);
        if (this.newer.some(({ name }) => name === program.name)) return known;
        this.fault("code newer");
        const changed = changeProgram(dice, program, "insert") ?? program;
        this.newer.push({ ...changed, version: 2 });
        return [...this.programs, ...this.newer];
      }
      default:
        return known;
    }
  }

  #changed(program: Program): Program {
    if (!this.dice.chance(0.4)) return program;
    const change = this.dice.pick(CHANGES);
    const changed = changeProgram(this.dice, program, change);
    if (changed === null) return program;
    this.fault(`code ${change}`, program.name);
    return changed;
  }

  #stage(host: () => Host): Stage {
    const { ledger, scheduler, witness } = this;
    const lives = new Map<string, Performance>();
    return {
      activated: (run) => {
        this.code.activated(run);
        const origin = originOf(run, this.truth.runs.get(run)?.entries ?? []);
        const performance = { run, origin, seen: [], seenAt: new Map(), durable: 0, asked: [] };
        this.witness.lives.set(run, performance);
        lives.set(run, performance);
        return performance;
      },
      counted: (op) => ledger.countCall(op),
      body: (performance, call, statement, step) =>
        this.killer.kills(host(), performance.run, call)
          ? new Promise(() => {})
          : witness.perform(host(), performance, call, statement, step),
      task: (input, step) => {
        const id = standalone(step.key);
        if (id !== null) return this.tasks.perform(host(), id, input, step);
        return witness.performTask(host(), lives, input, step);
      },
      undo: (performance, call, statement, value, step) =>
        witness.performUndo(host(), performance, call, statement, value, step),
      foreign: (ms) =>
        new Promise((resolve) => {
          scheduler.later(host(), ms, resolve);
        }),
    };
  }

  async #end(): Promise<void> {
    this.faults.on = false;
    this.crowd?.calm();
    for (const namespace of this.weather.namespaces) {
      const host = await this.boot(namespace);
      this.note(`the end begins in ${namespace}`);
      await this.clients.finish(host);
    }
    this.truth.audit();
    this.streams.audit();
    this.tasks.audit(this.weather.clockJumps > 0 || this.weather.blocks);
    this.keys.audit();
    this.approvals.audit();
    checkStarts(this);
    checkNamespaces(this);
    await checkReplay(this, this.dice.fork());
    const store = memoryStore({ disk: this.disk });
    await store.open();
    const findings = await store.check();
    this.ledger.check("the store is sound", findings.length === 0, () => JSON.stringify(findings));
  }

  /** The store went back in time: what is known is what it holds now. */
  forget(): void {
    this.truth.forget();
    this.clients.forget();
    this.keys.forget();
    this.approvals = new ApprovalCheck(this);
    this.tasks = new TaskCheck(this);
  }

  opening(host: Host): void {
    // What a failed flush has left behind is there, or is not.
    const mayLose = this.faults.on && this.crowd === null;
    const lost = mayLose ? this.disk.loseUnflushed(this.dice.below(2)) : 0;
    if (lost > 0) this.fault("unflushed commit lost", host.name);
  }

  opened(host: Host): void {
    this.note(`${host.name} opened as incarnation ${this.disk.incarnation}`);
    this.truth.audit();
    this.keys.audit();
    this.clients.audit();
    this.killer.opened();
    let due = 0;
    for (const row of this.disk.runs.values()) {
      if (row.due !== null && row.due > 1 && row.due <= host.now) due++;
    }
    if (due >= MASS_OF_TIMERS) this.fault("mass timers at takeover", `${due}`);
  }

  swept(): void {
    this.truth.afterSweep();
  }

  committing(host: Host, batch: Batch): void {
    this.truth.committing(batch);
    if (!this.ledger.verbose) return;
    for (const item of batch.items) {
      const text = item.type === "transition" ? describe(item) : JSON.stringify(item).slice(0, 200);
      this.note(`${host.name} commit ${batch.number} ${text}`);
    }
  }

  answered(host: Host, batch: Batch, answer: BatchAnswer): void {
    if (this.ledger.verbose)
      this.note(`${host.name} answered ${batch.number} ${JSON.stringify(answer.items)}`);
    this.truth.answered(batch, answer);
    this.keys.answered(batch, answer);
    for (const [at, item] of batch.items.entries()) {
      const became = answer.items[at];
      const isTaken = became?.status === "refused" && became.why === "elsewhere";
      if (item.type === "transition") {
        const what = (): string => `${item.run} of ${host.name}`;
        this.ledger.check("nobody takes a run from a live node", !isTaken, what);
      }
      if (became?.status !== "applied" || item.type !== "transition") continue;
      const entries = this.truth.runs.get(item.run)?.entries ?? [];
      // What a fork begins with was recorded in the name of another run.
      const begins = item.start !== null && entries[0]?.kind === ENTRY_KINDS.forked;
      const fresh = begins ? [] : entries.slice(item.firstSeq - 1);
      for (const entry of fresh) {
        this.witness.recorded(item.run, entry);
        this.streams.recorded(item.run, entry);
      }
      this.code.applied(host, item);
    }
  }

  refused(host: Host, batch: Batch, error: unknown): void {
    this.note(`${host.name} commit ${batch.number} threw ${String(error)}`);
    // It may have been written: others go on from there before this node comes back.
    if (this.crowd === null) return;
    this.truth.audit();
    this.keys.audit();
  }
}

// Runs that start runs that start runs leave no time for faults.
function makeLightPrograms(dice: Dice, shape: ProgramShape): Program[] {
  for (;;) {
    const programs = makePrograms(dice, shape);
    if (Math.max(...weigh(programs)) <= WEIGHT_MAX) return programs;
  }
}

function describe(item: Extract<Batch["items"][number], { type: "transition" }>): string {
  const { run, start, entries, firstSeq, acks, park, hold, finish } = item;
  const text = entries.replaceAll("\u001f", "|").replaceAll("\u001e", ";");
  const parts = [run, start === null ? "" : `START ${start.workflow}`, `${firstSeq}: ${text}`];
  if (acks.length > 0) parts.push(`acks ${acks.join(",")}`);
  if (park !== null) parts.push(`park ${JSON.stringify(park)}`);
  if (hold !== null) parts.push(`hold ${JSON.stringify(hold)}`);
  if (finish !== null) parts.push(`FINISH ${finish.ending.status}`);
  return parts.join(" ");
}

/** Runs the world of a seed. */
export async function runWorld(seed: number, verbose: boolean): Promise<WorldResult> {
  const world = new World(seed, verbose);
  try {
    await world.run();
  } catch (error) {
    world.ledger.check("the simulator holds", false, () => String((error as Error).stack));
  }
  const { ledger, hosts, truth } = world;
  let faults = 0;
  for (const [name, count] of ledger.counts) {
    if (name.startsWith("fault ") && !EVERYDAY.has(name)) faults += count;
  }
  let turns = 0;
  for (const host of hosts) turns += host.claw?.stats().turns ?? 0;
  return {
    seed,
    problems: ledger.problems,
    counts: ledger.counts,
    turns,
    runs: truth.runs.size,
    nodes: hosts.length,
    faults,
    trace: ledger.trace,
  };
}
