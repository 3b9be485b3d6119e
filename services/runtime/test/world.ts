import assert from "node:assert/strict";
import { setImmediate as pass } from "node:timers/promises";
import type { TestContext } from "node:test";
import type { CancelTimer, Clock, LogLine, Store } from "@claw/core/ports";
import type { RunId } from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";
import {
  type Claw,
  openRuntime,
  type RunHandle,
  type RunResult,
  type RuntimeOptions,
} from "../src/index.ts";

const PASSES_MAX = 20_000;
/** Passes of the event loop without what is waited for, before the clock moves on. */
const PASSES_PER_STEP = 25;
const START_MS = 1_700_000_000_000;

interface ManualTimer {
  readonly at: number;
  readonly fire: () => void;
}

/** A clock that stands still until a test moves it. */
class ManualClock implements Clock {
  #now = START_MS;
  readonly #timers = new Set<ManualTimer>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, fire: () => void): CancelTimer {
    const timer = { at: this.#now + Math.max(0, delayMs), fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on by so many milliseconds; what becomes due fires in order. */
  advance(ms: number): void {
    const to = this.#now + ms;
    for (let next = this.#earliest(); next !== null && next.at <= to; next = this.#earliest()) {
      this.#fire(next);
    }
    this.#now = to;
  }

  /** Moves on to the next timer, if there is one. */
  step(): void {
    const next = this.#earliest();
    if (next !== null) this.#fire(next);
  }

  #fire(timer: ManualTimer): void {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.fire();
  }

  #earliest(): ManualTimer | null {
    let first: ManualTimer | null = null;
    for (const timer of this.#timers) if (first === null || timer.at < first.at) first = timer;
    return first;
  }
}

/** A store that can be opened again and again, and the runtimes that were opened on it. */
export class World {
  readonly clock = new ManualClock();
  readonly lines: LogLine[] = [];
  readonly #stores: () => Store;
  readonly #opened: Claw[] = [];

  /** `stores` makes a store on the same place each time. */
  constructor(t: TestContext, stores: () => Store) {
    this.#stores = stores;
    t.after(async () => {
      for (const claw of this.#opened) await claw.stop();
    });
  }

  async open(
    workflows: readonly AnyWorkflow[],
    options: Partial<RuntimeOptions> = {},
  ): Promise<Claw> {
    const claw = await openRuntime({
      store: this.#stores(),
      workflows,
      clock: this.clock,
      log: (line) => this.lines.push(line),
      ...options,
    });
    this.#opened.push(claw);
    return claw;
  }

  /** Waits for a condition; the clock moves on whenever nothing else happens. */
  async until(condition: () => boolean | Promise<boolean>, what = "the condition"): Promise<void> {
    for (let at = 1; at < PASSES_MAX; at++) {
      if (await condition()) return;
      await pass();
      if (at % PASSES_PER_STEP === 0) this.clock.step();
    }
    assert.fail(`${what} did not come true`);
  }

  /** Waits for a condition while the clock stands still. */
  async soon(condition: () => boolean | Promise<boolean>, what = "the condition"): Promise<void> {
    for (let at = 1; at < PASSES_MAX; at++) {
      if (await condition()) return;
      this.clock.advance(0);
      await pass();
    }
    assert.fail(`${what} did not come true`);
  }

  /** Lets everything happen that can happen while the clock stands still. */
  async calm(): Promise<void> {
    for (let at = 0; at < PASSES_PER_STEP * 2; at++) {
      this.clock.advance(0);
      await pass();
    }
  }

  /** The end of a run; the clock moves on as needed. */
  async ended<T>(handle: RunHandle<T>): Promise<RunResult<T>> {
    let result: RunResult<T> | null = null;
    let failure: unknown = null;
    handle.ended().then(
      (value) => (result = value),
      (error: unknown) => (failure = error),
    );
    await this.until(() => result !== null || failure !== null, `the end of ${handle.id}`);
    if (result === null) throw failure;
    return result;
  }

  /** The output of a run; the clock moves on as needed. */
  async output<T>(handle: RunHandle<T>): Promise<T> {
    const result = await this.ended(handle);
    if (result.status === "completed") return result.output;
    throw result.error;
  }

  /** Waits until a run is shown with this status. */
  async shows(claw: Claw, id: RunId, status: string): Promise<void> {
    await this.soon(async () => (await claw.find(id))?.status === status, `${id} ${status}`);
  }

  /** Waits until a run has left the memory. */
  async parked(claw: Claw, id: RunId): Promise<void> {
    await this.until(async () => (await claw.find(id))?.status === "waiting", `${id} waiting`);
  }

  /** Why a run is held. */
  async reason(claw: Claw, id: RunId): Promise<string> {
    return (await claw.find(id))?.reason ?? "";
  }
}

/** A promise that a test settles. */
export interface Gate<T = void> {
  readonly promise: Promise<T>;
  open(value: T): void;
}

/** Something that a body waits for until the test opens it. */
export function gate<T = void>(): Gate<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { promise, open: resolve };
}
