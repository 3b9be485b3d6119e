import { type Entry, ENTRY_KINDS } from "@claw/core/protocol";
import type { StepContext } from "@claw/sdk";
import type { Host } from "./host.ts";
import type { KeyCheck } from "./invariants/keys.ts";
import { SlotCheck } from "./invariants/slots.ts";
import type { StreamCheck } from "./invariants/streams.ts";
import { checkUndoBegins } from "./invariants/undo.ts";
import type { Performance } from "./interpret.ts";
import type { Ledger } from "./ledger.ts";
import type { Fate, StepStatement } from "./statement.ts";
import { type TaskInput, TASKS } from "./statements/step.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Truth } from "./truth.ts";
import { calledAgain, isUndo, rerunCall, undoCall } from "./undo-model.ts";

/** One time that a body ran: kept outside of the store, as the world would see it. */
export interface Effect {
  readonly serial: number;
  readonly run: string;
  readonly call: string;
  readonly attempt: number;
  readonly host: string;
  /** The activation that it ran in. */
  readonly performance: Performance;
  ended: boolean;
  /** World time of its end. */
  endedAt: number;
}

/** Everything that bodies did, and what must hold when one begins. */
export class Witness {
  readonly effects: Effect[] = [];
  /** Steps with an undo whose body has begun, by run. */
  readonly undoable = new Map<string, Set<string>>();
  /** The newest activation of each run. */
  readonly lives = new Map<string, Performance>();
  readonly #keys = new Map<string, string>();
  /** Undos that were performed, by run, call and attempt. */
  readonly #performed = new Set<string>();
  /** The newest effect of each call. */
  readonly #newest = new Map<string, Effect>();
  readonly truth: Truth;
  readonly ledger: Ledger;
  /** Slots of queues that bodies take. */
  readonly slots: SlotCheck;
  readonly #scheduler: Scheduler;
  readonly #queues: KeyCheck;
  readonly #streams: StreamCheck;

  constructor(
    truth: Truth,
    ledger: Ledger,
    scheduler: Scheduler,
    checks: { readonly streams: StreamCheck; readonly keys: KeyCheck },
  ) {
    this.#streams = checks.streams;
    this.#queues = checks.keys;
    this.truth = truth;
    this.ledger = ledger;
    this.#scheduler = scheduler;
    this.slots = new SlotCheck(ledger);
  }

  /** Performs the body of a step on a node. */
  perform(
    host: Host,
    performance: Performance,
    asked: string,
    { fate, timeoutMs, heartbeatMs, undo }: TaskInput,
    step: StepContext,
    queue = "",
  ): unknown {
    const { attempt } = step;
    // A compensation may run a body again, as a call of its own.
    const rerun = step.key === `${performance.run}/${rerunCall(asked)}`;
    const call = rerun ? rerunCall(asked) : asked;
    if (undo !== null) this.#track(performance.run, asked);
    const effect = this.#begin(host, performance, call, step);
    if (queue !== "") this.slots.enter(host, queue, effect, step);
    const silent = fate.kind === "silent" && attempt <= fate.times;
    const slow = silent || (fate.kind === "slow" && attempt <= fate.times);
    const lastWord = this.#streams.speak(host, effect, step);
    const settle = (): string => {
      lastWord();
      this.#end(effect);
      if (step.signal.aborted) this.ledger.count("fault late completion");
      return outcomeOf(fate, attempt, effect.serial);
    };
    if (!slow && (fate.ms < 0 || fate.kind === "slow")) return settle();
    const bound = silent ? heartbeatMs : timeoutMs;
    const ms = slow ? bound * 2 + fate.times : fate.ms;
    if (heartbeatMs > 0 && !silent) this.#beat(host, effect, step, heartbeatMs);
    return this.#later(host, ms).then(settle);
  }

  /** Performs a task that a run has called. */
  performTask(
    host: Host,
    lives: ReadonlyMap<string, Performance>,
    input: TaskInput,
    step: StepContext,
  ): unknown {
    const at = step.key.indexOf("/");
    const [run, asked] = [step.key.slice(0, at), step.key.slice(at + 1)];
    const call = isUndo(asked) ? calledAgain(asked) : asked;
    const performance = lives.get(run);
    if (performance === undefined) throw new Error(`${run} was never begun here`);
    return this.perform(host, performance, call, input, step, queueOf(call));
  }

  // Three times in each span that it may be silent.
  #beat(host: Host, effect: Effect, step: StepContext, heartbeatMs: number): void {
    this.#scheduler.later(host, heartbeatMs / 3, () => {
      if (effect.ended) return;
      step.heartbeat();
      this.#beat(host, effect, step, heartbeatMs);
    });
  }

  /** Performs the undo of a step on a node. */
  performUndo(
    host: Host,
    performance: Performance,
    asked: string,
    { undo }: StepStatement,
    value: unknown,
    step: StepContext,
  ): unknown {
    const { run } = performance;
    const effect = this.#begin(host, performance, undoCall(asked), step);
    if (!host.fenced) checkUndoBegins(this, run, asked, value);
    if (undo === null) throw new Error(`${asked} has no undo`);
    const { kind, times, ms } = undo;
    const settle = (): string => {
      this.#end(effect);
      this.#performed.add(`${run}/${effect.call}/${effect.attempt}`);
      if (kind === "never" || (kind === "flaky" && step.attempt <= times)) {
        throw Object.assign(new Error(`cannot undo at ${effect.serial}`), { code: "BROKEN" });
      }
      return `s${effect.serial}`;
    };
    return ms < 0 ? settle() : this.#later(host, ms).then(settle);
  }

  /** The newest effect of a call, if its body ever began. */
  newest(run: string, call: string): Effect | undefined {
    return this.#newest.get(`${run}/${call}`);
  }

  #track(run: string, call: string): void {
    const calls = this.undoable.get(run) ?? new Set<string>();
    this.undoable.set(run, calls.add(call));
  }

  #begin(host: Host, performance: Performance, call: string, step: StepContext): Effect {
    const { attempt } = step;
    const { run } = performance;
    if (!host.fenced) {
      this.#begins(performance, call, step);
      this.#queues.bodyBegins(run);
    }
    this.ledger.check(
      "no body begins past the deadline of its node",
      host.mayBegin,
      () => `${host.name} ${run} ${call}`,
    );
    const serial = this.effects.length;
    const effect: Effect = {
      serial,
      run,
      call,
      attempt,
      host: host.name,
      performance,
      ended: false,
      endedAt: 0,
    };
    this.effects.push(effect);
    this.#newest.set(`${run}/${call}`, effect);
    if (this.ledger.verbose) {
      const name = `${host.name} body ${run} ${call} attempt ${attempt}`;
      this.ledger.note(`${this.#scheduler.now} ${name} begins as ${serial}`);
    }
    return effect;
  }

  #end(effect: Effect): void {
    effect.ended = true;
    effect.endedAt = this.#scheduler.now;
  }

  #later(host: Host, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduler.later(host, ms, resolve);
    });
  }

  /** A step's value became durable: it must be what the body of that attempt gave. */
  recorded(run: string, entry: Entry): void {
    if (entry.kind !== ENTRY_KINDS.stepCompleted) return;
    // An undo answers nothing: only that it was performed can be said of it.
    if (isUndo(entry.call) && entry.data === "") {
      const isDone = this.#performed.has(`${run}/${entry.call}/${entry.attempt}`);
      this.ledger.check("a recorded undo was performed", isDone, () => `${run} ${entry.call}`);
      return;
    }
    const effect = this.effects[Number(entry.data.slice(2, -1))];
    const own = effect !== undefined && effect.run === run && effect.call === entry.call;
    this.ledger.check(
      "a recorded value is that of its attempt",
      own && effect.ended && effect.attempt === entry.attempt,
      () => `${run} ${entry.call} attempt ${entry.attempt} has effect ${effect?.serial}`,
    );
  }

  #begins(performance: Performance, call: string, step: StepContext): void {
    const { run } = performance;
    const { attempt, key } = step;
    const ledger = this.ledger;
    const known = this.truth.runs.get(run);
    const name = (): string => `${run} ${call} attempt ${attempt}`;
    ledger.check("a body begins after its run is durable", known !== undefined, name);
    if (known === undefined) return;
    const unsettled = firstUnsettled(performance, call, known.answers);
    ledger.check(
      "a body begins after all that its code saw is durable",
      unsettled === undefined,
      () => `${name()} although ${unsettled} is not in the journal`,
    );
    ledger.check("a recorded call never runs again", !known.answers.has(call), name);
    ledger.check("a closed run starts no body", known.ending === null, name);
    const failures = known.failures.get(call) ?? 0;
    ledger.check(
      "an attempt begins after the one before is recorded",
      attempt === failures + 1,
      () => `${name()} after ${failures} recorded failures`,
    );
    const id = `${run}/${call}`;
    const first = this.#keys.get(id);
    if (first === undefined) this.#keys.set(id, key);
    ledger.check(
      "the key of a call is stable",
      (first ?? key) === key,
      () => `${name()}: ${first}, ${key}`,
    );
  }
}

// The first call that the code saw answered without a durable answer. A body that waits for a slot stands on what
// was there when it was asked for; meanwhile its code may have seen more.
function firstUnsettled(
  performance: Performance,
  asked: string,
  answers: ReadonlyMap<string, unknown>,
): string | undefined {
  const { seen, seenAt } = performance;
  const until = queueOf(asked) === "" ? seen.length : (seenAt.get(asked) ?? seen.length);
  while (performance.durable < until) {
    const call = seen[performance.durable] as string;
    if (!answers.has(call)) return call;
    performance.durable++;
  }
  return undefined;
}

// The queue whose slots the bodies of a call take, "" for none.
function queueOf(call: string): string {
  const segment = call.slice(call.lastIndexOf("/") + 1);
  const name = segment.replace(/[#[].*$/, "");
  return TASKS.find((task) => task.name === name)?.queue ?? "";
}

/** What the body of an attempt gives; throws for attempts that fail. */
export function outcomeOf(fate: Fate, attempt: number, serial: number): string {
  if (fate.kind === "final") {
    throw Object.assign(new Error("declined"), { code: "DECLINED", retryable: false });
  }
  const fails = fate.kind === "never" || (fate.kind === "flaky" && attempt <= fate.times);
  if (fails) throw Object.assign(new Error(`broke at ${serial}`), { code: "BROKEN" });
  return `s${serial}`;
}
