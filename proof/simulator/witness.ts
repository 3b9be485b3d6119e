import { type Entry, ENTRY_KINDS } from "@claw/core/protocol";
import type { StepContext } from "@claw/sdk";
import type { Host } from "./host.ts";
import type { Performance } from "./interpret.ts";
import type { Ledger } from "./ledger.ts";
import type { Fate, RunStatement } from "./program.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Truth } from "./truth.ts";

/** One time that a body ran: kept outside of the store, as the world would see it. */
export interface Effect {
  readonly serial: number;
  readonly run: string;
  readonly call: string;
  readonly attempt: number;
  readonly host: string;
  ended: boolean;
}

/** Everything that bodies did, and what must hold when one begins. */
export class Witness {
  readonly effects: Effect[] = [];
  readonly #keys = new Map<string, string>();
  readonly #truth: Truth;
  readonly #ledger: Ledger;
  readonly #scheduler: Scheduler;

  constructor(truth: Truth, ledger: Ledger, scheduler: Scheduler) {
    this.#truth = truth;
    this.#ledger = ledger;
    this.#scheduler = scheduler;
  }

  /** Performs the body of a step on a node. */
  perform(
    host: Host,
    performance: Performance,
    call: string,
    { fate, timeoutMs }: RunStatement,
    step: StepContext,
  ): unknown {
    const { attempt } = step;
    const { run } = performance;
    if (!host.fenced) this.#begins(performance, call, step);
    const effect = {
      serial: this.effects.length,
      run,
      call,
      attempt,
      host: host.name,
      ended: false,
    };
    this.effects.push(effect);
    const name = `${host.name} body ${run} ${call} attempt ${attempt}`;
    this.#ledger.note(`${this.#scheduler.now} ${name} begins as ${effect.serial}`);
    const slow = fate.kind === "slow" && attempt <= fate.times;
    const settle = (): string => {
      effect.ended = true;
      if (step.signal.aborted) this.#ledger.count("fault late completion");
      return outcomeOf(fate, attempt, effect.serial);
    };
    if (!slow && (fate.ms < 0 || fate.kind === "slow")) return settle();
    const ms = slow ? timeoutMs * 2 + fate.times : fate.ms;
    return this.#later(host, ms).then(settle);
  }

  #later(host: Host, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#scheduler.later(host, ms, resolve);
    });
  }

  /** A step's value became durable: it must be what the body of that attempt gave. */
  recorded(run: string, entry: Entry): void {
    if (entry.kind !== ENTRY_KINDS.stepCompleted) return;
    const effect = this.effects[Number(entry.data.slice(2, -1))];
    const own = effect !== undefined && effect.run === run && effect.call === entry.call;
    this.#ledger.check(
      "a recorded value is that of its attempt",
      own && effect.ended && effect.attempt === entry.attempt,
      () => `${run} ${entry.call} attempt ${entry.attempt} has ${JSON.stringify(effect)}`,
    );
  }

  #begins(performance: Performance, call: string, step: StepContext): void {
    const { run } = performance;
    const { attempt, key } = step;
    const ledger = this.#ledger;
    const known = this.#truth.runs.get(run);
    const name = `${run} ${call} attempt ${attempt}`;
    ledger.check("a body begins after its run is durable", known !== undefined, () => name);
    if (known === undefined) return;
    const unsettled = firstUnsettled(performance, known.answers);
    ledger.check(
      "a body begins after all that its code saw is durable",
      unsettled === undefined,
      () => `${name} although ${unsettled} is not in the journal`,
    );
    ledger.check("a recorded call never runs again", !known.answers.has(call), () => name);
    ledger.check("a closed run starts no body", known.ending === null, () => name);
    const failures = known.failures.get(call) ?? 0;
    ledger.check(
      "an attempt begins after the one before is recorded",
      attempt === failures + 1,
      () => `${name} after ${failures} recorded failures`,
    );
    const first = this.#keys.get(`${run}/${call}`) ?? key;
    this.#keys.set(`${run}/${call}`, first);
    ledger.check("the key of a call is stable", first === key, () => `${name}: ${first}, ${key}`);
  }
}

// The first call that the code saw answered without a durable answer.
function firstUnsettled(
  performance: Performance,
  answers: ReadonlyMap<string, unknown>,
): string | undefined {
  const { seen } = performance;
  while (performance.durable < seen.length) {
    const call = seen[performance.durable] as string;
    if (!answers.has(call)) return call;
    performance.durable++;
  }
  return undefined;
}

// Throws for attempts that fail.
function outcomeOf(fate: Fate, attempt: number, serial: number): string {
  if (fate.kind === "final") {
    throw Object.assign(new Error("declined"), { code: "DECLINED", retryable: false });
  }
  const fails = fate.kind === "never" || (fate.kind === "flaky" && attempt <= fate.times);
  if (fails) throw Object.assign(new Error(`broke at ${serial}`), { code: "BROKEN" });
  return `s${serial}`;
}
