import { retryPolicy, type RetryOptions } from "@claw/core/engine";
import {
  checkMatch,
  checkName,
  ClawError,
  type Duration,
  durationMs,
  type HeldHead,
  limits,
  type Match,
} from "@claw/core/protocol";
import type { Context, StepContext } from "./context.ts";
import { isSchema, type Schema, validate } from "./schema.ts";

/** What a second execution of a task's body would mean. */
export type Effect = "pure" | "read" | "local-write" | "external";

/** Options of a task; every field is optional. */
export interface TaskOptions<Input, Output, Given = Input> {
  /** Checks and types the input. Default: anything that can be stored. */
  readonly input?: Schema<Given, Input> | undefined;
  /** Checks and types the output. Default: anything that can be stored. */
  readonly output?: Schema<unknown, Output> | undefined;
  /** How failed attempts are repeated. Default: 3 attempts, 200 ms, doubling. */
  readonly retry?: RetryOptions;
  /** Longest time of one attempt. Default: no limit. */
  readonly timeout?: Duration;
  /** Longest silence of an attempt between calls of `step.heartbeat`. Default: no limit. */
  readonly heartbeat?: Duration;
  /** What a second execution would mean. Default "external". */
  readonly effect?: Effect;
  /**
   * The queue whose slots its attempts take, with `ctx.call` too. Default: "default" for standalone
   * tasks; calls of a task without a queue take no slot.
   */
  readonly queue?: string;
  /** Whole, -1000 to 1000; higher ones are first, then the oldest. Default 0. */
  readonly priority?: number;
  /**
   * What remains of a standalone task that ended: `errors` keeps those that failed (dead letters),
   * `all` keeps results too, for seven days. Default "errors".
   */
  readonly keep?: "errors" | "all";
}

/** A typed unit of work with side effects; called with `ctx.call`. */
export interface Task<Input = unknown, Output = unknown, Given = Input> {
  /** Tells definitions apart. */
  readonly kind: "task";
  /** 1 to 200 characters; unique in a process that works off queues. */
  readonly name: string;
  /** As they were given. */
  readonly options: TaskOptions<Input, Output, Given>;
  /** A method, so that a task of any input is assignable to AnyTask. */
  body(input: Input, step: StepContext): Output | Promise<Output>;
}

/**
 * Defines a task. The body runs at least once per call; `step.key` is the same for every attempt.
 * Errors: CLAW-1001, CLAW-1007, CLAW-1008.
 */
export function task<Input = unknown, Output = unknown, Given = Input>(
  name: string,
  options: TaskOptions<Input, Output, Given>,
  body: (input: Input, step: StepContext) => Output | Promise<Output>,
): Task<Input, Output, Given> {
  checkName(name, "The task");
  checkOptions(options, `task "${name}"`);
  checkBody(body, `task "${name}"`);
  checkSchemas(options, `task "${name}"`, ["input", "output"]);
  retryPolicy(options.retry);
  if (options.timeout !== undefined) durationMs(options.timeout);
  if (options.heartbeat !== undefined) durationMs(options.heartbeat);
  if (options.queue !== undefined) checkName(options.queue, "The queue");
  checkPriority(options.priority, `task "${name}"`);
  if (!["errors", "all", undefined].includes(options.keep)) {
    throw new ClawError("CLAW-1001", `task "${name}": keep must be "errors" or "all"`);
  }
  return Object.freeze({ kind: "task", name, options, body });
}

/** Checks the priority of a task. Errors: CLAW-1001. */
export function checkPriority(priority: number | undefined, what: string): void {
  if (priority === undefined) return;
  if (Number.isInteger(priority) && Math.abs(priority) <= limits.PRIORITY_MAX) return;
  const max = limits.PRIORITY_MAX;
  throw new ClawError("CLAW-1001", `${what}: priority must be whole, from -${max} to ${max}`);
}

/** True for something that `task` made. */
export function isTask(value: unknown): value is AnyTask {
  return (value as { kind?: unknown } | null)?.kind === "task" && hasBody(value);
}

/** A type of event with the schema of its data. */
export interface EventType<Data = unknown> {
  /** Tells definitions apart. */
  readonly kind: "event";
  /** The CloudEvents type; as a trigger it may end in "*" and then means every type that begins so. */
  readonly type: string;
  /** Schema of the data; undefined takes everything. */
  readonly schema: Schema<unknown, Data> | undefined;
}

/** Defines a type of event. Errors: CLAW-1001, CLAW-1008. */
export function event<Data = unknown>(
  type: string,
  schema?: Schema<unknown, Data>,
): EventType<Data> {
  if (!isEventType(type)) {
    const shown = typeof type === "string" ? JSON.stringify(type) : String(type);
    throw new ClawError("CLAW-1008", `The event type ${shown} is not valid`);
  }
  checkSchemas({ schema }, `event "${type}"`, ["schema"]);
  return Object.freeze({ kind: "event", type, schema });
}

/** Options of a workflow; every field is optional. */
export interface WorkflowOptions<Input, Output, Given = Input, State = unknown> {
  /** Raise it when the code changes for runs that are under way. Whole, from 1. Default 1. */
  readonly version?: number;
  /** Each event of these types starts a run, once per event id; its data is the input. */
  readonly on?: EventType | readonly EventType[];
  /** Only events whose data have these values start a run. Default: all. */
  readonly where?: Match;
  /** Checks and types the input. Default: anything that can be stored. */
  readonly input?: Schema<Given, Input> | undefined;
  /** Checks and types the output. Default: anything that can be stored. */
  readonly output?: Schema<unknown, Output> | undefined;
  /** What to do when code awaits something else than ctx. Default "error": the run is held. */
  readonly foreignAwait?: "error" | "warn";
  /** Patches that this code knows: `ctx.patched` is true for all runs that it begins. Default none. */
  readonly patches?: readonly string[];
  /**
   * Names of calls and scopes that this code has and older code had not: they may begin although the
   * journal of a run has calls that come after them. Default none.
   */
  readonly inserts?: readonly string[];
  /**
   * Runs of one key go one at a time, in the order of their starts; the others wait. The key is text of 1 to
   * 200 characters, from the checked input alone. Default: runs have no key and go side by side.
   */
  key?(input: Input): string;
  /** How many runs may wait for one key. Only with `key`. */
  readonly mailbox?: MailboxOptions;
  /**
   * What becomes of a key when the run that has it is held (paused, a bug, no code): `block` the key waits for it;
   * `skip` the next run goes on, and the held one is the next when it is released. Only with `key`. Default "block".
   */
  readonly onHeldHead?: HeldHead;
  /** Checks and types the state of a key when it is set. Needs `initialState`. Only with `key`. Default: anything. */
  readonly state?: Schema<unknown, State> | undefined;
  /** The state of a key that none was set for. Only with `key`. Default undefined. */
  readonly initialState?: State;
}

/** Bounds of the queue of a key. */
export interface MailboxOptions {
  /** Runs that may wait for one key, from 0 to 1,000,000; more are refused (CLAW-2041). Default 1,000. */
  readonly max?: number;
}

/** Options of a workflow whose runs have a key. */
export interface KeyedOptions<Input, Output, Given = Input, State = unknown>
  extends WorkflowOptions<Input, Output, Given, State> {
  /**
   * The key of a run: 1 to 200 characters without control characters. Runs of one key go one at a time. Asked
   * for when a run is started, with its checked input. Errors: CLAW-1008.
   */
  key(input: Input): string;
}

/** A workflow: a deterministic function under a name and a version. */
export interface Workflow<Input = unknown, Output = unknown, Given = Input, State = unknown> {
  /** Tells definitions apart. */
  readonly kind: "workflow";
  /** 1 to 200 characters; unique with the version in a process. */
  readonly name: string;
  /** From 1. */
  readonly version: number;
  /** As they were given. */
  readonly options: WorkflowOptions<Input, Output, Given, State>;
  /** Types of events that start it; empty for none. */
  readonly triggers: readonly EventType[];
  /** A method, so that a workflow of any input is assignable to AnyWorkflow. */
  body(ctx: Context, input: Input): Output | Promise<Output>;
}

/** A workflow of any input and output, as registries hold it. */
export type AnyWorkflow = Workflow<unknown, unknown, unknown>;

/** A task of any input and output. */
export type AnyTask = Task<unknown, unknown, unknown>;

type WorkflowBody<Input, Output> = (ctx: Context, input: Input) => Output | Promise<Output>;

type KeyedBody<Input, Output, State> = (
  ctx: Context<State>,
  input: Input,
) => Output | Promise<Output>;

/** Defines a workflow without options. Errors: CLAW-1001, CLAW-1008. */
export function workflow<Input = unknown, Output = unknown>(
  name: string,
  body: WorkflowBody<Input, Output>,
): Workflow<Input, Output>;
/** Defines a workflow whose runs have a key, and a state for each key. Errors: CLAW-1001, CLAW-1008. */
export function workflow<Input = unknown, Output = unknown, Given = Input, State = unknown>(
  name: string,
  options: KeyedOptions<Input, Output, Given, State>,
  body: KeyedBody<Input, Output, State>,
): Workflow<Input, Output, Given, State>;
/** Defines a workflow. Errors: CLAW-1001, CLAW-1008. */
export function workflow<Input = unknown, Output = unknown, Given = Input>(
  name: string,
  options: WorkflowOptions<Input, Output, Given>,
  body: WorkflowBody<Input, Output>,
): Workflow<Input, Output, Given>;
export function workflow<Input, Output, Given, State>(
  name: string,
  second: WorkflowOptions<Input, Output, Given, State> | WorkflowBody<Input, Output>,
  third?: KeyedBody<Input, Output, State>,
): Workflow<Input, Output, Given, State> {
  const options = typeof second === "function" ? {} : second;
  const body = (typeof second === "function" ? second : third) as WorkflowBody<Input, Output>;
  checkName(name, "The workflow");
  checkBody(body, `workflow "${name}"`);
  checkOptions(options, `workflow "${name}"`);
  const version = options.version ?? 1;
  if (!(Number.isSafeInteger(version) && version >= 1)) {
    throw new ClawError("CLAW-1001", `workflow "${name}": version must be a whole number from 1`);
  }
  checkSchemas(options, `workflow "${name}"`, ["input", "output"]);
  if (options.where !== undefined) checkMatch(options.where);
  if (!["error", "warn", undefined].includes(options.foreignAwait)) {
    throw new ClawError("CLAW-1001", `workflow "${name}": foreignAwait must be "error" or "warn"`);
  }
  checkNames(options.patches, `workflow "${name}": patches`);
  checkNames(options.inserts, `workflow "${name}": inserts`);
  checkKeyed(options, `workflow "${name}"`);
  const triggers = options.on === undefined ? [] : [options.on].flat();
  for (const trigger of triggers) {
    if (trigger?.kind !== "event") {
      throw new ClawError("CLAW-1001", `workflow "${name}": on must be an event(...)`);
    }
  }
  return Object.freeze({ kind: "workflow", name, version, options, triggers, body });
}

function checkKeyed<I, O, G, S>(options: WorkflowOptions<I, O, G, S>, what: string): void {
  const { mailbox, onHeldHead, state, initialState } = options;
  const wrong = (why: string): ClawError => new ClawError("CLAW-1001", `${what}: ${why}`);
  if (options.key === undefined) {
    const others = { mailbox, onHeldHead, state, initialState };
    for (const [field, value] of Object.entries(others)) {
      if (value !== undefined) throw wrong(`${field} means nothing without a key`);
    }
    return;
  }
  if (typeof options.key !== "function") throw wrong("key must be a function of the input");
  if (!["block", "skip", undefined].includes(onHeldHead)) {
    throw wrong('onHeldHead must be "block" or "skip"');
  }
  const max = mailbox?.max ?? 0;
  if (!(Number.isSafeInteger(max) && max >= 0 && max <= limits.MAILBOX_RUNS_MAX)) {
    throw wrong(`mailbox.max must be whole, from 0 to ${limits.MAILBOX_RUNS_MAX}`);
  }
  checkSchemas(options, what, ["state"]);
  if (state === undefined) return;
  if (initialState === undefined) throw wrong("state needs an initialState");
  const checked = validate(state, initialState, `${what}: initialState`, "CLAW-1001");
  if (checked instanceof Promise) {
    checked.catch(() => {});
    throw wrong("state is an asynchronous schema, which cannot be used here");
  }
}

function checkNames(names: unknown, what: string): void {
  if (names === undefined) return;
  if (!Array.isArray(names)) throw new ClawError("CLAW-1001", `${what} must be a list of names`);
  for (const name of names) checkName(name as string, `${what}: the name`);
}

/** True for something that `workflow` made. */
export function isWorkflow(value: unknown): value is AnyWorkflow {
  return (value as { kind?: unknown } | null)?.kind === "workflow" && hasBody(value);
}

function hasBody(value: unknown): boolean {
  return typeof (value as { body?: unknown }).body === "function";
}

function isEventType(type: unknown): boolean {
  if (typeof type !== "string" || type.length === 0 || type.length > 200) return false;
  return type.isWellFormed() && !/\p{Cc}/u.test(type);
}

function checkOptions(options: unknown, what: string): void {
  if (typeof options === "object" && options !== null) return;
  throw new ClawError("CLAW-1001", `${what}: options must be an object`);
}

function checkBody<F>(body: F | undefined, what: string): asserts body is F {
  if (typeof body !== "function") throw new ClawError("CLAW-1001", `${what} has no function`);
}

function checkSchemas(options: object, what: string, fields: readonly string[]): void {
  for (const field of fields) {
    const schema = (options as Record<string, unknown>)[field];
    if (schema !== undefined && !isSchema(schema)) {
      throw new ClawError("CLAW-1001", `${what}: ${field} is not a Standard Schema`);
    }
  }
}
