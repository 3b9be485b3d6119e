import {
  askCall,
  branchScope,
  innerScope,
  isPatched,
  loopAround,
  nextSegment,
  type Plan,
  type Scope,
} from "@claw/core/engine";
import {
  type Attributes,
  checkMatch,
  checkName,
  ClawError,
  decodePayload,
  durationMs,
  encodeKey,
  encodePayload,
  fingerprint,
  hash128,
  type Match,
  matchKey,
  type Payload,
  type SavedNote,
  shapeOf,
  type StartRow,
} from "@claw/core/protocol";
import {
  type ApprovalOptions,
  type AnyTask,
  type AnyWorkflow,
  type Branch,
  type CallOptions,
  type ChildOptions,
  type Context,
  type EventType,
  type KeyState,
  type MapOptions,
  type RunAttributes,
  type RunInfo,
  type RunLog,
  type RunStream,
  type Schema,
  type StepContext,
  type StepOptions,
  type UpdateOptions,
  type WaitOptions,
} from "@claw/sdk";
import { checked, quiet } from "./answers.ts";
import { approvalPlan } from "./approvals.ts";
import type { Activation } from "./activation.ts";
import type { LiveCall, UndoPlan } from "./bodies.ts";
import { emitPlan } from "./emit.ts";
import { keyStateFor } from "./key-state.ts";
import { checkPolicy, newRunOf, ownWorkflow } from "./new-run.ts";
import { registerQuery, registerUpdate } from "./handlers.ts";
import { checkAttributes } from "./attributes.ts";
import { continueAs } from "./continue-as.ts";
import { runCheckpoint } from "./checkpoint.ts";
import { closeLosers, runBranches, runMap } from "./scopes.ts";
import { stepPlan, undoPlan } from "./step-plan.ts";
import { runStream } from "./streams/run-stream.ts";
import type { QueryHandler } from "./visits.ts";

type Body = (step: StepContext) => unknown;
type MapBody<Item, T> = (ctx: Context, item: Item, index: number) => T | Promise<T>;

/** Farthest instant that a Date can be (ECMAScript, section "Time Values and Time Range"). */
const INSTANT_MS_MAX = 8.64e15;

const ignore = (): void => {};

/** The ctx of one scope of one activation. Identity is taken synchronously inside every call. */
// The sdk types what each call answers from its arguments. Here the answers come out of the journal
// and have no type, so the promises are of `never`, which stands for every one of them.
export class RunContext implements Context {
  readonly #activation: Activation;
  readonly scopeState: Scope;

  constructor(activation: Activation, scope: Scope) {
    this.#activation = activation;
    this.scopeState = scope;
  }

  get activation(): Activation {
    return this.#activation;
  }

  /** A ctx for a scope inside this one. */
  inner(segment: string, shielded = false): RunContext {
    return new RunContext(this.#activation, innerScope(this.scopeState, segment, shielded));
  }

  /** A ctx for one branch of a group inside this one. */
  branch(segment: string, key: string | number): RunContext {
    return new RunContext(this.#activation, branchScope(this.scopeState, segment, key));
  }

  get info(): RunInfo {
    const { id, namespace, workflow, version, startedAt, cause, keyed } =
      this.#activation.state.start;
    const info = { id, namespace, workflow, version, startedAt, cause };
    return keyed === undefined ? info : { ...info, key: keyed.key };
  }

  get signal(): AbortSignal {
    return this.#activation.signal;
  }

  get log(): RunLog {
    const write =
      (level: "debug" | "info" | "warn" | "error") =>
      (message: string, fields: Record<string, unknown> = {}): void => {
        const { state, node, onlyReads } = this.#activation;
        // While recorded answers are still to come, the line was written in an earlier life.
        if (onlyReads || (state.replaying && state.replayLeft > 0)) return;
        node.log(level, message, {
          ...fields,
          run: state.start.id,
          workflow: state.start.workflow,
        });
      };
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
    };
  }

  run(name: string, body: Body, options?: StepOptions): Promise<never> {
    const segment = this.segment(name, options?.key);
    return this.#ask(segment, stepPlan(options), "", 0, body, undoPlan(options));
  }

  /** A step that the kernel asks for, under a segment that no author's name can be. */
  kernelStep(segment: string, plan: Plan, body: Body): Promise<never> {
    return this.#ask(segment, plan, "", 0, body);
  }

  call(task: AnyTask, input: unknown, options?: StepOptions): Promise<never> {
    const segment = this.segment(task.name, options?.key);
    const encoded = encodePayload(input, this.#activation.node.limits.payloadBytesMax);
    const plan = stepPlan({ ...task.options, ...options });
    const { executor } = this.#activation.node.tasks;
    // Each attempt gets what is recorded: neither this code nor the attempt before has changed it.
    const asIs = typeof input !== "object" && input !== 0; // -0 is stored as 0
    const body = (step: StepContext): unknown =>
      executor.execute({ task, input: asIs ? input : decodePayload(encoded), step });
    const print = fingerprint(`${task.name}|${encoded}`);
    const { output } = task.options;
    return this.#ask(segment, plan, print, 0, body, undoPlan(options), output ?? null);
  }

  child(workflow: AnyWorkflow, input: unknown, options?: ChildOptions): Promise<never> {
    const onParentEnd = checkPolicy(options?.onParentEnd);
    const [segment, row] = this.#newRun(workflow, input, options, true);
    const print = fingerprint(`${row.workflow}@${row.version}|${row.input}`);
    const output = workflow.options.output ?? null;
    return this.#ask(segment, { kind: "child", row, onParentEnd }, print, 0, null, null, output);
  }

  start(workflow: AnyWorkflow, input: unknown, options?: CallOptions): Promise<string> {
    const [segment, row] = this.#newRun(workflow, input, options, false);
    const print = fingerprint(`${row.workflow}@${row.version}|${row.input}`);
    return this.#ask(segment, { kind: "start", row }, print, 0, null);
  }

  sleep(duration: number | string, options?: CallOptions): Promise<void> {
    const segment = this.segment("sleep", options?.key);
    const ms = durationMs(duration);
    return this.#ask(segment, SLEEP, ms.toString(36), this.#activation.state.now + ms, null);
  }

  until(instant: Date | number, options?: CallOptions): Promise<void> {
    const segment = this.segment("until", options?.key);
    const at = Math.round(Number(instant));
    if (!(Math.abs(at) <= INSTANT_MS_MAX)) {
      throw new ClawError("CLAW-1007", `until got no valid instant but ${String(instant)}`);
    }
    return this.#ask(segment, SLEEP, at.toString(36), Math.max(at, 1), null);
  }

  receive(
    signal: string,
    options: Partial<WaitOptions> & { readonly schema?: Schema<unknown, unknown> } = {},
  ): Promise<never> {
    const segment = this.#segmentOf("signal:", checkName(signal, "The signal"), options.key);
    const bare = options.timeout === undefined;
    const plan: Plan = { kind: "signal", name: signal, bare };
    const schema = options.schema ?? null;
    const asked = this.#ask(segment, plan, "", this.#deadline(options), null, null, schema);
    return quiet(checked(asked, options.schema, bare, `The signal "${signal}"`));
  }

  waitFor(
    event: EventType,
    options: Partial<WaitOptions> & { readonly match?: Match } = {},
  ): Promise<never> {
    const match = options.match ?? {};
    checkMatch(match);
    const segment = this.#segmentOf("event:", encodeKey(event.type), options.key);
    const bare = options.timeout === undefined;
    const { namespace } = this.#activation.state.start;
    const key = matchKey(namespace, event.type, match);
    const plan: Plan = { kind: "event", type: event.type, shape: shapeOf(match), key, bare };
    const [print, schema] = [fingerprint(key), event.schema ?? null];
    const asked = this.#ask(segment, plan, print, this.#deadline(options), null, null, schema);
    return quiet(checked(asked, event.schema, bare, `The event "${event.type}"`));
  }

  approval(form: unknown, options: ApprovalOptions = {}): Promise<never> {
    const segment = this.segment("approval", options.key);
    const plan = approvalPlan(this.#activation.node, form, options);
    return this.#ask(segment, plan, "", this.#deadline(options), null);
  }

  query(name: string, handler: QueryHandler): void {
    this.#mustBeInTurn(checkName(name, "The query"));
    this.#mustOutlive(name);
    registerQuery(this.#activation, name, handler);
  }

  update(
    name: string,
    options: UpdateOptions<never, never>,
    handler: (ctx: Context, input: never) => unknown,
  ): void {
    this.#mustBeInTurn(checkName(name, "The update"));
    this.#mustOutlive(name);
    const contextOf = (scope: Scope): Context => new RunContext(this.#activation, scope);
    registerUpdate(this.#activation, name, options, handler, contextOf);
  }

  emit(event: EventType, data: unknown, options?: CallOptions): Promise<void> {
    const segment = this.#segmentOf("emit:", encodeKey(event.type), options?.key);
    const [plan, print] = emitPlan(this.#activation, this.scopeState.path + segment, event, data);
    return this.#ask(segment, plan, print, 0, null);
  }

  stream(name: string): RunStream {
    checkName(name, "The stream");
    return runStream(
      name,
      this.#activation.node.limits,
      (prefix, options) => this.#segmentOf(prefix, name, options?.key),
      (segment, plan, print) => this.#ask(segment, plan, print, 0, null),
    );
  }

  all(name: string, branches: readonly Branch<unknown>[], options?: CallOptions): Promise<never> {
    const segment = this.segment(name, options?.key);
    return quiet(runBranches(this, segment, branches, branches.length));
  }

  map<Item, T>(
    name: string,
    items: readonly Item[],
    third: MapBody<Item, T> | MapOptions<Item>,
    fourth?: MapBody<Item, T> | MapOptions<Item>,
  ): Promise<T[]> {
    const body = (typeof third === "function" ? third : fourth) as MapBody<Item, T>;
    const options = ((typeof third === "function" ? fourth : third) ?? {}) as MapOptions<Item>;
    return quiet(runMap(this, this.segment(name), items, body, options));
  }

  race(name: string, branches: readonly Branch<unknown>[], options?: CallOptions): Promise<never> {
    return quiet(closeLosers(this, this.segment(name, options?.key), branches));
  }

  scope<T>(
    name: string,
    body: Branch<T>,
    options?: CallOptions & { readonly shield?: boolean },
  ): Promise<T> {
    const inner = this.inner(this.segment(name, options?.key), options?.shield ?? false);
    return quiet((async () => await body(inner))());
  }

  span<T>(
    name: string,
    second: Attributes | Branch<T>,
    third?: Branch<T> | CallOptions,
    fourth?: CallOptions,
  ): Promise<T> {
    const isBare = typeof second === "function";
    const body = (isBare ? second : third) as Branch<T>;
    const options = isBare ? (third as CallOptions | undefined) : fourth;
    const inner = this.inner(this.segment(name, options?.key));
    if (!isBare) {
      const attributes = JSON.stringify(checkAttributes(second));
      void quiet(
        inner.#ask("span:", { kind: "span", attributes }, fingerprint(attributes), 0, null),
      );
    }
    return quiet((async () => await body(inner))());
  }

  checkpoint(
    name: string,
    initial: unknown,
    body: (ctx: Context, state: never) => unknown,
    options?: CallOptions,
  ): Promise<never> {
    return quiet(runCheckpoint(this, this.segment(name, options?.key), initial, body));
  }

  continueAs(input: unknown, options?: { readonly commit?: boolean }): Promise<never> {
    this.#mustBeInTurn("continueAs");
    return continueAs(this.#activation, input, options);
  }

  /** Saves what a checkpoint goes on with, or takes up what was saved last. */
  saveState(segment: string, note: Payload): Promise<SavedNote> {
    return this.#ask(segment, { kind: "checkpoint", note }, "", 0, null);
  }

  now(): Date {
    this.#mustBeInTurn("now");
    return new Date(this.#activation.state.now);
  }

  random(): number {
    const [a, b] = this.#draw("random");
    return (a * 0x200000 + (b >>> 11)) / 0x20000000000000;
  }

  uuid(): string {
    const words = this.#draw("uuid");
    const hex = [...words].map((word) => word.toString(16).padStart(8, "0")).join("");
    const variant = "89ab"[words[2] & 3] ?? "8";
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  get attributes(): RunAttributes {
    return {
      set: (values) => {
        const segment = this.#segmentOf("attributes:", "set", undefined);
        const checked = checkAttributes(values);
        const print = fingerprint(JSON.stringify(checked));
        return this.#ask(segment, { kind: "attributes", values: checked }, print, 0, null);
      },
    };
  }

  get state(): KeyState {
    return keyStateFor(this);
  }

  /** The segment of a read or change of the state. Errors: CLAW-2004 outside of a turn. */
  stateSegment(verb: "get" | "set"): string {
    return this.#segmentOf("state:", verb, undefined);
  }

  patched(id: string): boolean {
    this.#mustBeInTurn("patched");
    const { state, node } = this.#activation;
    return isPatched(state, checkName(id, "The patch"), node.clock.now());
  }

  fail(reason: string, details?: Record<string, unknown>): never {
    throw new ClawError("CLAW-2009", reason, details === undefined ? {} : { details });
  }

  /** The segment of a call's identity. Errors: CLAW-2004 outside of a turn, CLAW-1008. */
  segment(name: string, key?: string | number): string {
    return this.#segmentOf("", checkName(name, "The name"), key);
  }

  // The prefix tells calls of different kinds apart; it does not count for the length of a name.
  #segmentOf(prefix: string, name: string, key: string | number | undefined): string {
    this.#mustBeInTurn(name);
    return nextSegment(this.scopeState, prefix + name, key);
  }

  #mustBeInTurn(name: string): void {
    const { turnOpen, inert, reading, workflow } = this.#activation;
    if (turnOpen || inert) return;
    if (reading) throw new ClawError("CLAW-3009", `A query or validation used ctx ("${name}")`);
    if (workflow.options.foreignAwait === "warn") return;
    throw new ClawError(
      "CLAW-2004",
      `ctx was used ("${name}") after an await of something else, or inside of a step's body`,
    );
  }

  // A handler is known to the whole run, an iteration of a checkpoint leaves nothing but its state.
  #mustOutlive(handler: string): void {
    const loop = loopAround(this.#activation.state, this.scopeState);
    if (loop === null) return;
    throw new ClawError(
      "CLAW-2031",
      `The handler "${handler}" would outlive an iteration of "${loop}"`,
    );
  }

  #draw(what: string): readonly [number, number, number, number] {
    this.#mustBeInTurn(what);
    const { names, path } = this.scopeState;
    // "/" cannot stand in a name, so this counter meets no call of the author.
    const drawn = names.get(`/${what}`) ?? 0;
    names.set(`/${what}`, drawn + 1);
    return hash128(`${this.#activation.state.seed}|${path}|${what}|${drawn}`);
  }

  #deadline(options: Partial<WaitOptions>): number {
    if (options.timeout === undefined) return 0;
    return Math.max(1, this.#activation.state.now + durationMs(options.timeout));
  }

  #newRun(
    workflow: AnyWorkflow,
    input: unknown,
    options: CallOptions | undefined,
    attached: boolean,
  ): [string, StartRow] {
    const known = ownWorkflow(this.#activation, workflow);
    const prefix = attached ? "child:" : "start:";
    const segment = this.#segmentOf(prefix, known.name, options?.key);
    const call = this.scopeState.path + segment;
    return [segment, newRunOf(this.#activation, known, input, call, attached)];
  }

  #warnOrder(call: LiveCall): void {
    const { state, node, workflow } = this.#activation;
    for (const other of state.open) {
      if (other.scope !== call.scope) continue;
      node.warnOnce(`CLAW-2013 ${workflow.name} ${call.id}`, "order-dependent call (CLAW-2013)", {
        code: "CLAW-2013",
        workflow: workflow.name,
        call: call.id,
        besides: other.id,
      });
      return;
    }
  }

  #ask(
    segment: string,
    plan: Plan,
    print: string,
    dueAt: number,
    body: Body | null,
    undo: UndoPlan | null = null,
    output: Schema<unknown, unknown> | null = null,
  ): Promise<never> {
    const activation = this.#activation;
    // An ended activation answers nothing any more.
    if (activation.inert) return new Promise<never>(ignore);
    const scope = this.scopeState;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call: LiveCall = {
      id: scope.path + segment,
      scope,
      plan,
      print,
      open: true,
      answered: false,
      begun: false,
      running: false,
      askedIn: 0,
      attempt: 1,
      dueAt,
      resolve,
      reject(error) {
        // A rejection that the author does not await is no unhandled rejection of the process.
        promise.catch(ignore);
        reject(error);
      },
      body,
      undo,
      output,
      step: null,
      cancelTimeout: null,
      before: null,
      after: null,
    };
    const { state } = activation;
    if (activation.turnScope === scope && state.open.size > 0 && segment.includes("#")) {
      this.#warnOrder(call);
    }
    askCall(state, call);
    // With foreignAwait "warn" nothing else would begin it.
    if (!activation.turnOpen) activation.node.loop.wake(activation);
    return promise as Promise<never>;
  }
}

const SLEEP: Plan = { kind: "sleep" };
