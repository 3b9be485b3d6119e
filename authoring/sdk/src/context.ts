import type { RetryOptions } from "@claw/core/engine";
import type { BodyStream } from "@claw/core/ports";
import type {
  AttributeChanges,
  Attributes,
  Decision,
  Duration,
  Match,
  OnParentEnd,
  RunId,
  Stored,
} from "@claw/core/protocol";
import type { EventType, Task, Workflow } from "./define.ts";
import type { Schema } from "./schema.ts";

/** What a step's body gets. */
export interface StepContext {
  /** The same for every attempt of this call, unique among all calls: an idempotency key. */
  readonly key: string;
  /** The current attempt, from 1. */
  readonly attempt: number;
  /** Aborted when the attempt times out, the call is closed or the process stops. */
  readonly signal: AbortSignal;
  /** `traceparent` for what the body does outside (W3C Trace Context): its parent is this attempt. */
  readonly traceparent: string;
  /** `tracestate` to go with it; empty for none. */
  readonly tracestate: string;
  /**
   * A stream of the run, for output while the body is at work. A body runs at least once: when it begins again its
   * earlier chunks stay, and the new ones have another `first`. What a body that was given up wrote last may be
   * missing. Errors: CLAW-1008 name.
   */
  stream(name: string): BodyStream;
  /** What the last heartbeat of an earlier attempt said, as far as it is known; else undefined. */
  readonly progress: unknown;
  /**
   * Says that the attempt is alive, for bodies with the option `heartbeat`. Cheap; never throws.
   * `progress` is small plain data for the attempt after a failed one.
   */
  heartbeat(progress?: unknown): void;
}

/** Options that every named call has. */
export interface CallOptions {
  /** Identity of this use of the name, instead of its position. Used once per scope. */
  readonly key?: string | number;
}

/** Options of an attached child. */
export interface ChildOptions extends CallOptions {
  /**
   * What becomes of the child when its parent does not wait for its answer any more, because it ends, goes on as
   * its next generation, or closed the scope of the call (a lost race, a failed sibling): `cancel` asks
   * it to stop, `abandon` lets it go on by itself, `wait` lets it go on and the parent does not end before it.
   * A parent that is cancelled asks `wait` children to stop too, and still waits; one that is terminated
   * asks and does not wait. Default "cancel".
   */
  readonly onParentEnd?: OnParentEnd;
}

/** Options of a step that gives a `T`. */
export interface StepOptions<T = unknown> extends CallOptions {
  /** How failed attempts are repeated. Default: 3 attempts, 200 ms, doubling. */
  readonly retry?: RetryOptions;
  /** Longest time of one attempt. Default: no limit. */
  readonly timeout?: Duration;
  /**
   * Longest silence of an attempt: without a call of `step.heartbeat` for so long it is given up
   * (CLAW-2019) and repeated. Default: no limit.
   */
  readonly heartbeat?: Duration;
  /**
   * Takes back what the step did, as a step of its own, when the run fails or is cancelled after it
   * completed. Undos run in the reverse order of completion; one that fails does not stop the others.
   */
  undo?(value: Stored<T>, step: StepContext): unknown;
  /** How a failed undo is repeated. Default: 10 attempts, 200 ms, doubling, at most 30 s apart. */
  readonly undoRetry?: RetryOptions;
  /** Longest time of one attempt of the undo; 0 for no limit. Default "10m". */
  readonly undoTimeout?: Duration;
  /**
   * What to do in a compensation with a step whose end is not known: `report` names it in the run's
   * error, `rerun` runs its body again and undoes that, `call` calls `undo` with undefined. Default "report".
   */
  readonly uncertain?: "report" | "rerun" | "call";
  /** The step goes on when the run is cancelled. Default false. */
  readonly shield?: boolean;
}

/** Options of a wait. */
export interface WaitOptions extends CallOptions {
  /** Longest time to wait; then the result is `{ok: false, reason: "timeout"}`. */
  readonly timeout?: Duration;
}

/** Options of an approval. */
export interface ApprovalOptions extends CallOptions {
  /** Longest time to wait; then the result is `{ok: false, reason: "timeout"}`. */
  readonly timeout?: Duration;
  /** Who may decide. Default: everybody. */
  readonly assignees?: readonly string[];
  /** What is asked, for people. Default: nothing. */
  readonly title?: string;
}

/** What an approval brings: a value of its form, or the form's JSON Schema itself. */
export type Form<T> = Schema<unknown, T> | Readonly<Record<string, unknown>>;

/** Result of a wait that may time out. */
export type Waited<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: "timeout" };

/** Options of an update's handler. */
export interface UpdateOptions<Input = unknown, Given = Input> {
  /** Checks and types the input before the update is taken; must be synchronous. Default: anything. */
  readonly input?: Schema<Given, Input>;
  /**
   * Throws to refuse the update (CLAW-3007): then it leaves no trace. It reads variables of the workflow and asks
   * nothing of ctx.
   */
  validate?(input: Input): void;
}

/** Code of a branch or scope. */
export type Branch<T, State = unknown> = (ctx: Context<State>) => T | Promise<T>;

/** How an iteration of a checkpoint ends: with the state of the next one, or with the value of the loop. */
export type Iteration<State, T> = { readonly next: State } | { readonly done: T };

/** Writes log lines that carry the run's id; silent during replay. */
export interface RunLog {
  /** For whoever looks closely; `claw dev --verbose` shows it. */
  debug(message: string, fields?: Record<string, unknown>): void;
  /** What happened. */
  info(message: string, fields?: Record<string, unknown>): void;
  /** What somebody should look at. */
  warn(message: string, fields?: Record<string, unknown>): void;
  /** What went wrong. */
  error(message: string, fields?: Record<string, unknown>): void;
}

/** Small facts of a run, by which people find it. */
export interface RunAttributes {
  /**
   * Sets attributes, merged with those that the run has; null takes one away. They ride in the next
   * transition and are shown and searched in lists: at most 32 per run, text of up to 200 characters.
   * Errors: CLAW-1005 a value of another kind or too many of them, CLAW-1008 a bad name.
   */
  set(values: AttributeChanges): Promise<void>;
}

/** A stream of a run as workflow code writes it. */
export interface RunStream {
  /**
   * Appends a chunk: plain data, undefined becomes null. It rides in the next transition, and nobody sees it before
   * that is durable. Errors: CLAW-1005, CLAW-1051 too large, CLAW-2051 the run's streams are full, CLAW-2052 closed.
   */
  write(value: unknown, options?: CallOptions): Promise<void>;
  /** Ends the stream: readers end, later chunks are refused. Closing it again changes nothing. */
  close(options?: CallOptions): Promise<void>;
}

/**
 * What the runs of a key hand on from one to the next. Only the run that has the key reads and sets it, so
 * nothing changes it between the two.
 */
export interface KeyState<State = unknown> {
  /** The state as the last run, or this one, has set it; `initialState` before that. A value of its own each time. */
  get(): Stored<State>;
  /**
   * Sets the state. It is stored in one transition with what the run does next; undefined forgets it. Works without
   * waiting: nothing is to be awaited. Errors: CLAW-1004, CLAW-1005, CLAW-1006; CLAW-2003 the run was cancelled; CLAW-2043
   * others were let past this run since it called `get` last.
   */
  set(value: State | undefined): void;
}

/** Facts about the run. */
export interface RunInfo {
  /** The id of the run, "run_" and 26 characters. */
  readonly id: RunId;
  /** The namespace of the run. */
  readonly namespace: string;
  /** Name of its workflow. */
  readonly workflow: string;
  /** Version of its workflow, which never changes while the run is open. */
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** "" for a client, "event SOURCE ID" for a trigger, else the id of the run that started it. */
  readonly cause: string;
  /** The key of the run; absent when its workflow has none. */
  readonly key?: string;
}

/**
 * What workflow code works with. Every durable call has a stable identity: scope, name and `key`, else
 * its position among calls of that name in that scope. Workflow code awaits ctx calls and nothing else.
 *
 * `State` is that of the run's key.
 *
 * Errors of any call: CLAW-1008 bad name or key, CLAW-2003 cancelled, CLAW-2004 foreign await,
 * CLAW-2010 closed with its scope.
 */
export interface Context<State = unknown> {
  /** Facts about the run; the same at every replay. */
  readonly info: RunInfo;

  /**
   * Runs `body` once and records what it returns; a failed attempt is repeated by policy. The body is
   * at least once: it runs again when the process ends before its result is stored.
   * Errors: StepError with the last attempt's name, message and code.
   */
  run<T>(
    name: string,
    body: (step: StepContext) => T | Promise<T>,
    options?: StepOptions<T>,
  ): Promise<Stored<T>>;

  /** Runs a task with checked input and output; its policy holds unless overridden. */
  call<Input, Output, Given>(
    task: Task<Input, Output, Given>,
    input: Given,
    options?: StepOptions<Output>,
  ): Promise<Stored<Output>>;

  /**
   * Starts a run of another workflow and waits for its output. `onParentEnd` says what becomes of it when this run
   * ends before it. Errors: those that the child failed with; CLAW-2008 without a code of its own; CLAW-1001.
   */
  child<Input, Output, Given>(
    workflow: Workflow<Input, Output, Given>,
    input: Given,
    options?: ChildOptions,
  ): Promise<Stored<Output>>;

  /** Starts a run that goes on by itself; gives its id. */
  start<Input, Output, Given>(
    workflow: Workflow<Input, Output, Given>,
    input: Given,
    options?: CallOptions,
  ): Promise<RunId>;

  /** Waits for a length of time; survives restarts. */
  sleep(duration: Duration, options?: CallOptions): Promise<void>;

  /** Waits until an instant; not at all when it has passed. */
  until(instant: Date | number, options?: CallOptions): Promise<void>;

  /** Waits for a signal of this name: the oldest that was not taken yet. */
  receive<T = unknown>(
    signal: string,
    options: WaitOptions & { readonly timeout: Duration; readonly schema?: Schema<unknown, T> },
  ): Promise<Waited<Stored<T>>>;
  receive<T = unknown>(
    signal: string,
    options?: CallOptions & { readonly schema?: Schema<unknown, T> },
  ): Promise<Stored<T>>;

  /**
   * Waits for an event of this type whose data have the values of `match`. An event since the run's start
   * counts even if it came before this call; each event is taken once per match.
   */
  waitFor<Data>(
    event: EventType<Data>,
    options: WaitOptions & { readonly timeout: Duration; readonly match?: Match },
  ): Promise<Waited<Stored<Data>>>;
  waitFor<Data>(
    event: EventType<Data>,
    options?: CallOptions & { readonly match?: Match },
  ): Promise<Stored<Data>>;

  /**
   * Waits until somebody decides (`claw.approve`). The form, a JSON Schema or a Standard Schema that gives one,
   * says which value an approval brings. The first decision counts. Errors: CLAW-1001 a form that is none.
   */
  approval<T = unknown>(
    form: Form<T>,
    options: ApprovalOptions & { readonly timeout: Duration },
  ): Promise<Waited<Decision<Stored<T>>>>;
  approval<T = unknown>(
    form: Form<T>,
    options?: Omit<ApprovalOptions, "timeout">,
  ): Promise<Decision<Stored<T>>>;

  /**
   * Answers `claw.query` under this name from now on, from variables of the workflow. The handler reads: it
   * asks nothing of ctx and returns no promise. Known to the whole run; the last one of a name holds.
   */
  query(name: string, handler: (input: never) => unknown): void;

  /**
   * Handles `claw.update` under this name from now on. An update is checked when every result recorded so far was
   * delivered, recorded when it is taken, and its handler runs beside the workflow's code in a scope of its own. What it returns
   * or throws is the answer. An update under way does not keep the run from ending. The last handler of a name holds.
   */
  update<Input = unknown, Given = Input>(
    name: string,
    options: UpdateOptions<Input, Given>,
    handler: (ctx: Context<State>, input: Input) => unknown,
  ): void;

  /** Publishes an event together with this run's next transition, exactly once. */
  emit<Data>(event: EventType<Data>, data: Data, options?: CallOptions): Promise<void>;

  /**
   * A stream of output of this run, for readers outside (`run.stream`). Made by its first chunk; the end of the run
   * ends it. Errors: CLAW-1008 name.
   */
  stream(name: string): RunStream;

  /**
   * Runs branches side by side and gives their results in order. The first failure closes the
   * others, waits until they have ended, then is thrown.
   */
  all<T extends readonly Branch<unknown, State>[]>(
    name: string,
    branches: readonly [...T],
    options?: CallOptions,
  ): Promise<{ -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> }>;

  /** Runs `body` for each item, at most `concurrency` at once (default all), results in order. */
  map<Item, T>(
    name: string,
    items: readonly Item[],
    body: (ctx: Context<State>, item: Item, index: number) => T | Promise<T>,
    options?: MapOptions<Item>,
  ): Promise<T[]>;
  map<Item, T>(
    name: string,
    items: readonly Item[],
    options: MapOptions<Item>,
    body: (ctx: Context<State>, item: Item, index: number) => T | Promise<T>,
  ): Promise<T[]>;

  /** Gives the result of the branch that ends first; the others are closed in that turn. */
  race<T extends readonly Branch<unknown, State>[]>(
    name: string,
    branches: readonly [...T],
    options?: CallOptions,
  ): Promise<Awaited<ReturnType<T[number]>>>;

  /** Runs code with names of its own; `shield` lets it go on when the run is cancelled. */
  scope<T>(
    name: string,
    body: Branch<T, State>,
    options?: CallOptions & { readonly shield?: boolean },
  ): Promise<T>;

  /**
   * A scope that is a span of this name in the run's trace (`claw trace`): from the first to the last thing that
   * happens in it. Calls in it have names of their own, as in `scope`. `attributes` are small facts, which cost one
   * entry of the journal; without them a span costs nothing. Errors: CLAW-1005, CLAW-1008 for attributes.
   */
  span<T>(name: string, body: Branch<T>, options?: CallOptions): Promise<T>;
  span<T>(name: string, attributes: Attributes, body: Branch<T>, options?: CallOptions): Promise<T>;

  /**
   * A loop whose journal stays small: `body` gets the state of the iteration and gives the next one, or the
   * value of the loop. When an iteration ends, what it recorded is removed and its state saved, in one
   * transition; a restart goes on with the iteration that was under way. Nothing but the state is left of an
   * iteration: no open call, undo or handler outlives it. Errors: CLAW-2031, and those of `body`.
   */
  checkpoint<Saved, T>(
    name: string,
    initial: Saved,
    body: (
      ctx: Context<State>,
      state: Stored<Saved>,
    ) => Iteration<Saved, T> | Promise<Iteration<Saved, T>>,
    options?: CallOptions,
  ): Promise<Stored<T>>;

  /**
   * Ends this generation of the run, which goes on from the start of its code with `input` and an empty journal:
   * same id, parent and unread messages. The journal so far is kept. Never returns: `return ctx.continueAs(...)`.
   * Attached children that are open are treated by their `onParentEnd`. Errors: CLAW-2032 steps could still be undone and `commit` is
   * not true, CLAW-1004, CLAW-1005, CLAW-1006.
   */
  continueAs(input: unknown, options?: { readonly commit?: boolean }): Promise<never>;

  /** The time of the current turn: the same at replay. */
  now(): Date;
  /** A number from 0 up to 1: the same at replay. */
  random(): number;
  /** A UUID (version 4): the same at replay. */
  uuid(): string;
  /**
   * True for runs that take the new way of a change of the code: those begun by code that declares the
   * patch (`patches`), and those that ask for the first time when everything recorded was delivered. The
   * first answer holds for the run. Errors: CLAW-1008.
   */
  patched(id: string): boolean;
  /** Ends the run as failed. Errors: always throws CLAW-2009. */
  fail(reason: string, details?: Record<string, unknown>): never;
  /** Writes log lines, once: replay repeats none of them. */
  readonly log: RunLog;
  /** Small facts by which people find the run. */
  readonly attributes: RunAttributes;
  /** The state of the run's key. Errors: CLAW-2044 the workflow has no `key`. */
  readonly state: KeyState<State>;
  /** Aborted when the run is cancelled or its activation ends. */
  readonly signal: AbortSignal;
}

/** Options of `map`. */
export interface MapOptions<Item> {
  /** Branches at once. Default: all. */
  readonly concurrency?: number;
  /** Identity of an item's branch instead of its index. Must be unique. */
  readonly key?: (item: Item, index: number) => string | number;
}
