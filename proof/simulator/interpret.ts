import { fingerprint } from "@claw/core/protocol";
import {
  type AnyTask,
  type AnyWorkflow,
  type Context,
  event,
  type StepContext,
  workflow,
} from "@claw/sdk";
import { CallNames } from "./call-names.ts";
import type { Block, Program, Statement, StepStatement } from "./statement.ts";
import { askApproval } from "./statements/approval.ts";
import { askAttributes } from "./statements/attributes.ts";
import { askContinue, generationOf, rootPath } from "./statements/continue-as.ts";
import { registerHandlers } from "./statements/handlers.ts";
import { askStream } from "./statements/stream.ts";
import {
  askKeyed,
  KEYED_CALLS,
  keyedOptions,
  type KeyedStatement,
  type Tally,
} from "./statements/keyed.ts";
import { askStep, type TaskInput, toTasks } from "./statements/step.ts";

/** What a world offers to, and learns from, the workflows that run in it. */
export interface Stage {
  /** The code of a run begins, from the top. */
  activated(run: string): Performance;
  /** A ctx call was made. */
  counted(op: string): void;
  /** The body of a step. */
  body(
    performance: Performance,
    call: string,
    statement: StepStatement,
    step: StepContext,
  ): unknown;
  /** The body of a task. */
  task(input: TaskInput, step: StepContext): unknown;
  /** The undo of a step. */
  undo(
    performance: Performance,
    call: string,
    statement: StepStatement,
    value: unknown,
    step: StepContext,
  ): unknown;
  /** Waits for something that is not ctx. */
  foreign(ms: number): Promise<void>;
}

/** One activation as its code sees it. */
export interface Performance {
  readonly run: string;
  /** The run itself, or the one that it was forked from in the end. */
  readonly origin: string;
  /** Calls whose answer the code has seen, in order. */
  readonly seen: string[];
  /** How many of them were found durable. */
  durable: number;
  /** How many of them there were when a call was asked for. */
  readonly seenAt: Map<string, number>;
  /** Every durable call in the order of asking, with its place among the answers. */
  readonly asked: string[];
}

interface Frame {
  readonly ctx: Context;
  readonly names: CallNames;
  readonly key: string | undefined;
  /** Rounds of the loops around. */
  readonly round: string;
}

/** What the workflows of a node have in common. */
interface Surroundings {
  readonly stage: Stage;
  readonly tasks: ReadonlyMap<string, AnyTask>;
  readonly find: (index: number) => AnyWorkflow;
}

const eventOf = (type: string): ReturnType<typeof event> => event(type);

/** What a node hosts. */
export interface Definitions {
  readonly workflows: readonly AnyWorkflow[];
  readonly tasks: readonly AnyTask[];
}

/**
 * The workflows and tasks of a node: those of `hosted`; a call of another program finds version 1 by its index in
 * `all`, hosted here or not.
 */
export function toDefinitions(
  all: readonly Program[],
  hosted: readonly Program[],
  stage: Stage,
): Definitions {
  const tasks = toTasks(stage);
  const made = new Map<string, AnyWorkflow>();
  const make = (program: Program): AnyWorkflow => {
    const name = `${program.name}@${program.version}`;
    const known = made.get(name) ?? toWorkflow(program, { stage, tasks, find });
    made.set(name, known);
    return known;
  };
  const find = (index: number): AnyWorkflow => make(all[index] as Program);
  return { workflows: hosted.map(make), tasks: [...tasks.values()] };
}

function toWorkflow(program: Program, world: Surroundings): AnyWorkflow {
  const { trigger, keyed } = program;
  const options = {
    version: program.version,
    ...(keyed === null ? {} : keyedOptions(keyed)),
    ...(program.foreign === "warn" ? { foreignAwait: "warn" as const } : {}),
    ...(trigger === null ? {} : { on: eventOf(trigger.type) }),
    ...(trigger === null || trigger.k === null ? {} : { where: { k: trigger.k } }),
  };
  return workflow(program.name, options, async (ctx: Context, input) => {
    const performance = world.stage.activated(ctx.info.id);
    const generation = generationOf(input);
    const root = rootPath(generation);
    const performer = new Performer(world, performance, generation);
    const { handler } = program;
    if (handler !== null) {
      const around = { stage: world.stage, performance, handler, root };
      registerHandlers(ctx, around, (block, inner, names) =>
        performer.block(block, { ctx: inner, names, key: undefined, round: "" }),
      );
    }
    return performer.block(program.body, {
      ctx,
      names: new CallNames(root),
      key: undefined,
      round: "",
    });
  });
}

class Performer {
  readonly #world: Surroundings;
  readonly #performance: Performance;
  readonly #tally: Tally = { saw: null };
  readonly #generation: number;

  constructor(world: Surroundings, performance: Performance, generation: number) {
    this.#generation = generation;
    this.#world = world;
    this.#performance = performance;
  }

  async block(block: Block, frame: Frame): Promise<unknown[]> {
    const values: unknown[] = [];
    for (const statement of block) values.push(await this.#statement(statement, frame));
    return values;
  }

  #statement(statement: Statement, frame: Frame): unknown {
    switch (statement.op) {
      case "all":
      case "race":
      case "map":
      case "scope":
        this.#world.stage.counted(statement.op);
        return this.#scoped(statement, frame);
      case "bare":
        return this.#bare(statement.calls, frame);
      case "loop":
        return this.#loop(statement, frame);
      case "try":
        return this.#try(statement, frame);
      case "continueAs":
        this.#world.stage.counted(statement.op);
        return askContinue(statement, this.#generation, frame.ctx);
      case "foreign":
        return this.#world.stage.foreign(statement.ms);
      case "look":
      case "tally":
        this.#world.stage.counted(statement.op);
        return this.#keyed(statement, frame);
      case "now":
      case "random":
      case "uuid":
      case "fail":
        this.#world.stage.counted(statement.op);
        return plain(statement, frame.ctx);
      default:
        return this.#durable(statement, frame);
    }
  }

  // Answered where it is asked for; of what is read again nothing is recorded.
  #keyed(statement: KeyedStatement, { ctx, names }: Frame): unknown {
    const calls = KEYED_CALLS[statement.op].map((name) => names.call(name));
    this.#performance.asked.push(...calls);
    const isFirst = this.#tally.saw === null;
    const value = askKeyed(statement, ctx, this.#tally);
    this.#performance.seen.push(...(isFirst ? calls : calls.slice(1)));
    return value;
  }

  #scoped(
    statement: Extract<Statement, { op: "all" | "race" | "map" | "scope" }>,
    { ctx, names }: Frame,
  ): Promise<unknown> {
    const segment = names.segment(statement.name);
    const within = (block: Block, part: string) => (inner: Context) =>
      this.block(block, { ctx: inner, names: names.inner(part), key: undefined, round: "" });
    switch (statement.op) {
      case "scope":
        return ctx.scope(statement.name, within(statement.body, segment), {
          shield: statement.shield,
        });
      case "map": {
        const items = Array.from({ length: statement.items }, (_, at) => at);
        const name = (at: number): string => (statement.keyed ? `k${at}` : String(at));
        return ctx.map(
          statement.name,
          items,
          (inner, at) => within(statement.body, `${segment}[${name(at)}]`)(inner),
          { concurrency: statement.concurrency, ...(statement.keyed ? { key: name } : {}) },
        );
      }
      default: {
        const branches = statement.branches.map((one, at) => within(one, `${segment}[${at}]`));
        return statement.op === "all"
          ? ctx.all(statement.name, branches)
          : ctx.race(statement.name, branches);
      }
    }
  }

  // All are asked for at once in one scope, as careless authors do.
  async #bare(calls: readonly Statement[], frame: Frame): Promise<unknown[]> {
    const asked = calls.map((one) => this.#durable(one, frame).then(valueOf, codeOf));
    return Promise.all(asked);
  }

  async #loop(statement: Statement & { op: "loop" }, frame: Frame): Promise<unknown[]> {
    const values: unknown[] = [];
    for (let i = 0; i < statement.times; i++) {
      const round = `${frame.round}${i}.`;
      const key = statement.keyed ? `${statement.id}-${round}` : undefined;
      values.push(await this.block(statement.body, { ...frame, key, round }));
    }
    return values;
  }

  async #try(statement: Statement & { op: "try" }, frame: Frame): Promise<unknown> {
    try {
      return await this.block(statement.body, frame);
    } catch (error) {
      const caught = codeOf(error);
      return [caught, await this.block(statement.handler, frame)];
    }
  }

  async #durable(statement: Statement, frame: Frame): Promise<unknown> {
    const { call, asked } = this.#ask(statement, frame);
    this.#world.stage.counted(statement.op);
    this.#performance.asked.push(call);
    this.#performance.seenAt.set(call, this.#performance.seen.length);
    const value = await asked;
    this.#performance.seen.push(call);
    return value;
  }

  #ask(statement: Statement, frame: Frame): { call: string; asked: Promise<unknown> } {
    const { ctx, names } = frame;
    const key = keyOf(statement, frame.key);
    const call = names.call(segmentName(statement, this.#world.find), key);
    const keyed = key === undefined ? {} : { key };
    const timed = (ms: number): object => (ms > 0 ? { ...keyed, timeout: ms } : keyed);
    switch (statement.op) {
      case "run":
      case "call": {
        const around = { ...this.#world, ctx, keyed, performance: this.#performance };
        return { call, asked: askStep(statement, call, around) };
      }
      case "sleep":
        return { call, asked: ctx.sleep(statement.ms, keyed).then(() => "slept") };
      case "until":
        return { call, asked: this.#until(statement.ms, ctx, keyed) };
      case "receive": {
        const options = timed(statement.timeoutMs);
        return { call, asked: ctx.receive(statement.signal, options).then(waited(statement)) };
      }
      case "waitFor": {
        const match = statement.match === null ? {} : { match: { k: statement.match } };
        const options = { ...timed(statement.timeoutMs), ...match };
        const asked = ctx.waitFor(eventOf(statement.type), options);
        return { call, asked: asked.then(waited(statement)) };
      }
      case "emit": {
        const data = { k: statement.k, n: `${this.#performance.origin}/${call}` };
        return {
          call,
          asked: ctx.emit(eventOf(statement.type), data, keyed).then(() => "emitted"),
        };
      }
      case "approval": {
        const asked = askApproval(statement, ctx, timed(statement.timeoutMs));
        return { call, asked: asked.then(waited(statement)) };
      }
      case "attributes":
        return { call, asked: askAttributes(statement, ctx) };
      case "stream":
        return { call, asked: askStream(statement, call, ctx, keyed) };
      case "child": {
        const { onParentEnd, program } = statement;
        this.#world.stage.counted(`child ${onParentEnd}`);
        const asked = ctx.child(this.#world.find(program), call, { ...keyed, onParentEnd });
        return { call, asked: asked.then((output) => fingerprint(JSON.stringify(output))) };
      }
      case "start":
        return { call, asked: ctx.start(this.#world.find(statement.program), call, keyed) };
      default:
        throw new Error(`${statement.op} is no durable call`);
    }
  }

  #until(ms: number, ctx: Context, keyed: object): Promise<unknown> {
    return ctx.until(ctx.now().getTime() + ms, keyed).then(() => "slept");
  }
}

/** The name under which a durable statement is known in its scope. */
export function segmentName(
  statement: Statement,
  find: (index: number) => { readonly name: string },
): string {
  switch (statement.op) {
    case "run":
    case "call":
      return statement.name;
    case "receive":
      return `signal:${statement.signal}`;
    case "waitFor":
      return `event:${statement.type}`;
    case "attributes":
      return "attributes:set";
    case "stream":
      return `stream:${statement.name}`;
    case "emit":
      return `emit:${statement.type}`;
    case "child":
    case "start":
      return `${statement.op}:${find(statement.program).name}`;
    default:
      return statement.op;
  }
}

/** The key that identifies a durable statement in a keyed loop, if its call takes one. */
export function keyOf({ op }: Statement, key: string | undefined): string | undefined {
  return op === "attributes" ? undefined : key;
}

function plain(statement: Statement, ctx: Context): unknown {
  if (statement.op === "now") return ctx.now().getTime();
  if (statement.op === "random") return ctx.random();
  if (statement.op === "uuid") return ctx.uuid();
  return ctx.fail(statement.op === "fail" ? statement.reason : "");
}

function waited(statement: { readonly timeoutMs: number }): (answer: unknown) => unknown {
  return (answer) => {
    if (statement.timeoutMs <= 0) return answer;
    const tagged = answer as { ok: boolean; value?: unknown; reason?: string };
    return tagged.ok ? tagged.value : `no answer: ${tagged.reason}`;
  };
}

function valueOf(value: unknown): unknown {
  return value;
}

// Only errors of ctx calls are for the program; any other is a mistake of the simulator.
function codeOf(error: unknown): { caught: string } {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string") throw error;
  return { caught: code };
}
