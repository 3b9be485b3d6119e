import type {
  AnyTask,
  AnyWorkflow,
  Branch,
  CallOptions,
  Context,
  EventType,
  MapOptions,
  RunInfo,
  StepContext,
  StepOptions,
  UpdateOptions,
} from "@claw/sdk";

/** A body that is about to run. */
export interface BodySite {
  /** What the body is of. */
  readonly kind: "task" | "step" | "undo";
  /** Of the task or step; "undo NAME" for its undo. */
  readonly name: string;
  /** The run that asks for it. */
  readonly info: RunInfo;
  /** Of a task; of an undo, the value to undo; undefined for a step. */
  readonly input: unknown;
}

/** Who watches workflows: performs their bodies, and hears what their code asks for. */
export interface Watch {
  perform(site: BodySite, body: (step: StepContext) => unknown, step: StepContext): unknown;
  /** The code of a run made a call, for example "step reserve". */
  asked(info: RunInfo, what: string): void;
}

/** The same workflow, with its bodies and calls watched. */
export function watchWorkflow(workflow: AnyWorkflow, watch: Watch): AnyWorkflow {
  return {
    ...workflow,
    body: (ctx, input) => workflow.body(watchContext(ctx, watch), input),
  };
}

type Ask = (...given: unknown[]) => unknown;
type UpdateBody = (ctx: Context, input: unknown) => unknown;
type MapBody = (ctx: Context, item: unknown, index: number) => unknown;

/** A ctx whose calls are watched. What nobody watches (now, uuid, log, ...) is the runtime's own. */
function watchContext(ctx: Context, watch: Watch): Context {
  const watched = new Watched(ctx, watch);
  const known = new Map<PropertyKey, unknown>();
  return new Proxy(ctx, {
    get(target, name) {
      if (known.has(name)) return known.get(name);
      const own = Reflect.get(name in watched ? watched : target, name) as unknown;
      // Getters such as `signal` answer anew each time.
      if (typeof own !== "function") return own;
      const bound = (own as Ask).bind(name in watched ? watched : target);
      known.set(name, bound);
      return bound;
    },
  });
}

/** The calls of ctx that run bodies, open scopes, or can be asked for in vain. */
class Watched {
  readonly #ctx: Context;
  readonly #watch: Watch;

  constructor(ctx: Context, watch: Watch) {
    this.#ctx = ctx;
    this.#watch = watch;
  }

  run(name: string, body: (step: StepContext) => unknown, options?: StepOptions): unknown {
    this.#asked(`step "${name}"`);
    const { info } = this.#ctx;
    const site: BodySite = { kind: "step", name, info, input: undefined };
    const watched = (step: StepContext): unknown => this.#watch.perform(site, body, step);
    return this.#ctx.run(name, watched, this.#undone(name, options));
  }

  call(task: AnyTask, input: unknown, options?: StepOptions): unknown {
    this.#asked(`task "${task.name}"`);
    const { info } = this.#ctx;
    const watched: AnyTask = {
      ...task,
      body: (checked, step) => {
        const site: BodySite = { kind: "task", name: task.name, info, input: checked };
        return this.#watch.perform(site, (own) => task.body(checked, own), step);
      },
    };
    return this.#ctx.call(watched, input, this.#undone(task.name, options));
  }

  child(workflow: AnyWorkflow, input: unknown, options?: CallOptions): unknown {
    this.#asked(`child "${workflow.name}"`);
    return this.#ctx.child(workflow, input, options);
  }

  start(workflow: AnyWorkflow, input: unknown, options?: CallOptions): unknown {
    this.#asked(`start of "${workflow.name}"`);
    return this.#ctx.start(workflow, input, options);
  }

  sleep(duration: number | string, options?: CallOptions): unknown {
    this.#asked(`sleep of ${duration}`);
    return this.#ctx.sleep(duration, options);
  }

  until(instant: Date | number, options?: CallOptions): unknown {
    this.#asked("until an instant");
    return this.#ctx.until(instant, options);
  }

  receive(signal: string, options?: CallOptions): unknown {
    this.#asked(`signal "${signal}"`);
    return this.#ctx.receive(signal, options);
  }

  waitFor(event: EventType, options?: CallOptions): unknown {
    this.#asked(`event "${event.type}"`);
    return this.#ctx.waitFor(event, options);
  }

  emit(event: EventType, data: unknown, options?: CallOptions): unknown {
    this.#asked(`emit of "${event.type}"`);
    return this.#ctx.emit(event, data, options);
  }

  all(name: string, branches: readonly Branch<unknown>[], options?: CallOptions): unknown {
    return this.#ctx.all(name, this.#branches(branches), options);
  }

  race(name: string, branches: readonly Branch<unknown>[], options?: CallOptions): unknown {
    return this.#ctx.race(name, this.#branches(branches), options);
  }

  map(name: string, items: readonly unknown[], third: unknown, fourth?: unknown): unknown {
    const [body, options] = typeof third === "function" ? [third, fourth] : [fourth, third];
    const given = typeof body === "function" ? this.#within(body as MapBody) : body;
    return this.#ctx.map(name, items, given as MapBody, options as MapOptions<unknown>);
  }

  update(name: string, options: unknown, handler: unknown): unknown {
    const given = typeof handler === "function" ? this.#within(handler as UpdateBody) : handler;
    return this.#ctx.update(name, options as UpdateOptions, given as UpdateBody);
  }

  scope(name: string, body: Branch<unknown>, options?: CallOptions): unknown {
    return this.#ctx.scope(name, this.#branch(body), options);
  }

  #asked(what: string): void {
    this.#watch.asked(this.#ctx.info, what);
  }

  #undone(name: string, options: StepOptions | undefined): StepOptions | undefined {
    if (typeof options?.undo !== "function") return options;
    const undo = options.undo.bind(options);
    const { info } = this.#ctx;
    return {
      ...options,
      undo: (value, step) => {
        const site: BodySite = { kind: "undo", name: `undo ${name}`, info, input: value };
        return this.#watch.perform(site, (own) => undo(value, own), step);
      },
    };
  }

  // What is no list and what is no function is handed on: the runtime says what is wrong with it.
  #branches(branches: readonly Branch<unknown>[]): readonly Branch<unknown>[] {
    const list: unknown = branches;
    return Array.isArray(list) ? branches.map((branch) => this.#branch(branch)) : branches;
  }

  #branch(branch: Branch<unknown>): Branch<unknown> {
    return typeof branch === "function" ? this.#within(branch) : branch;
  }

  /** The same code, with the ctx that it gets watched too. */
  #within<Rest extends readonly unknown[]>(
    code: (ctx: Context, ...rest: Rest) => unknown,
  ): (ctx: Context, ...rest: Rest) => unknown {
    return (ctx, ...rest) => code(watchContext(ctx, this.#watch), ...rest);
  }
}
