import { recordOfAside, recordsOfBlock, type TaskRecord } from "@claw/core/protocol";
import type { StepContext } from "@claw/sdk";
import type { Host } from "../host.ts";
import type { Fate } from "../statement.ts";
import { TASKS, type TaskInput } from "../statements/step.ts";
import { outcomeOf } from "../witness.ts";
import type { World } from "../world.ts";

/** Where standalone tasks wait whose definition names no queue. */
const DEFAULT_QUEUE = "default";
const KEY = /^[^/]+\/(task_[0-9a-z]+)$/;

/** One time that the body of a standalone task ran. */
interface Run {
  readonly call: string;
  readonly run: string;
  readonly attempt: number;
  readonly host: string;
  readonly signal: AbortSignal;
  ended: boolean;
}

/** The standalone task that a body's key names; null for a call of a run. */
export function standalone(key: string): string | null {
  return KEY.exec(key)?.[1] ?? null;
}

/** Each standalone task that was acknowledged ends once, and begins as its row says, in its order. */
export class TaskCheck {
  readonly #world: World;
  /** What acknowledged tasks do, by id. */
  readonly #known = new Map<string, TaskInput>();
  /** Tasks that this life of a node enqueued, and has not begun, by host: they are at hand. */
  readonly #atHand = new Map<string, Map<string, { readonly queue: string; rank: number }>>();
  readonly #runs: Run[] = [];
  readonly #newest = new Map<string, Run>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A task was acknowledged. */
  enqueued(
    host: Host,
    id: string,
    input: TaskInput,
    place: { queue: string; priority: number; isAtHand: boolean },
  ): void {
    const { ledger } = this.#world;
    const isNew = !this.#known.has(id);
    this.#known.set(id, input);
    if (!isNew) return;
    const begun = this.#newest.has(id);
    const found = this.find(id) !== undefined;
    // Of one that has ended and is not kept nothing is left.
    ledger.check("an acknowledged task is durable", begun || found, () => id);
    if (begun || !place.isAtHand || host.dead || host.fenced) return;
    const own = this.#atHand.get(host.name) ?? new Map<string, { queue: string; rank: number }>();
    this.#atHand.set(host.name, own);
    own.set(id, { queue: place.queue, rank: -place.priority });
  }

  /** The stored row of a task, if there is one. */
  find(id: string): TaskRecord | undefined {
    return this.#all().find((one) => one.id === id);
  }

  #all(): TaskRecord[] {
    const { taskBlocks, taskMarks, taskAside } = this.#world.disk;
    const blocks = [...taskBlocks.values()].flatMap((block) =>
      recordsOfBlock({ ...block, done: taskMarks.get(String(block.id).padStart(16, "0")) ?? "" }),
    );
    return [...blocks, ...[...taskAside.values()].map(recordOfAside)];
  }

  /** True while a task of a namespace has not ended. */
  isOpen(namespace: string): boolean {
    return this.#all().some(
      (one) => one.namespace === namespace && (one.status === "ready" || one.status === "waiting"),
    );
  }

  /** Performs the body of a task on a node. */
  perform(host: Host, id: string, input: TaskInput, step: StepContext): unknown {
    const { scheduler, ledger, witness } = this.#world;
    const { fate, timeoutMs, heartbeatMs } = input;
    const { attempt, signal } = step;
    if (!host.fenced && !host.dead) this.#begins(host, id, attempt);
    const serial = this.#runs.length;
    const run: Run = { call: id, run: "task", attempt, host: host.name, signal, ended: false };
    this.#runs.push(run);
    this.#newest.set(id, run);
    const queue = this.find(id)?.queue;
    if (queue !== undefined) witness.slots.enter(host, queue, run, step);
    const later = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        scheduler.later(host, ms, resolve);
      });
    const isBad = attempt <= fate.times;
    const silent = fate.kind === "silent" && isBad;
    const slow = silent || (fate.kind === "slow" && isBad);
    const settle = (): string => {
      run.ended = true;
      if (signal.aborted) ledger.count("fault late completion of a task");
      return outcomeOf(fate, attempt, serial);
    };
    if (!slow && (fate.ms < 0 || fate.kind === "slow")) return settle();
    const beat = (): void => {
      if (run.ended) return;
      step.heartbeat();
      scheduler.later(host, heartbeatMs / 3, beat);
    };
    if (heartbeatMs > 0 && !silent) beat();
    return later(slow ? (silent ? heartbeatMs : timeoutMs) * 2 + fate.times : fate.ms).then(settle);
  }

  #begins(host: Host, id: string, attempt: number): void {
    const { ledger } = this.#world;
    const name = (): string => `${host.name} ${id} attempt ${attempt}`;
    const row = this.find(id);
    const isOpen = row !== undefined && (row.status === "ready" || row.status === "waiting");
    ledger.check("a task that has ended never begins", isOpen, () => `${name()} ${row?.status}`);
    ledger.check(
      "an attempt of a task begins after the one before is recorded",
      row?.attempt === attempt,
      () => `${name()} of ${row?.attempt}`,
    );
    const before = this.#newest.get(id);
    const beside = before?.host === host.name && !before.ended && !before.signal.aborted;
    ledger.check("a task is done once at a time", !beside, name);
    const own = this.#atHand.get(host.name);
    const place = own?.get(id);
    own?.delete(id);
    if (place === undefined) return;
    for (const [other, { queue, rank }] of own ?? []) {
      const overtaken = queue === place.queue && rank < place.rank;
      ledger.check(
        "no task begins before one that is more urgent",
        !overtaken,
        () => `${name()} before ${other}`,
      );
    }
  }

  /** Everything has ended: what became of each task is what its body does. */
  audit(unsteady: boolean): void {
    const { ledger } = this.#world;
    const rows = new Map(this.#all().map((row) => [row.id, row]));
    for (const [id, { fate, timeoutMs, heartbeatMs }] of this.#known) {
      const row = rows.get(id);
      const run = this.#newest.get(id);
      ledger.check("every acknowledged task was done", run !== undefined, () => id);
      const status = row?.status ?? "completed";
      const isOver = status === "completed" || status === "dead";
      ledger.check("every acknowledged task ends", isOver, () => `${id} ${status}`);
      const isBound = timeoutMs + heartbeatMs > 0;
      if (!(unsteady && isBound)) {
        ledger.check(
          "a task ends as its body did",
          (status === "dead") === isHopeless(fate),
          () => `${id} ${fate.kind} is ${status}`,
        );
      }
      if (row?.status !== "completed") continue;
      const of = this.#runs[Number(/\d+/.exec(String(row.output))?.[0])];
      ledger.check(
        "a kept result is that of its attempt",
        of?.call === id && of.attempt === row.attempt && of.ended,
        () => `${id} attempt ${row.attempt} has ${String(row.output)} of ${JSON.stringify(of)}`,
      );
    }
  }
}

function isHopeless({ kind }: Fate): boolean {
  return kind === "final" || kind === "never";
}

/** The queue of a task that is enqueued without one. */
export function queueOfTask(name: string): string {
  const queue = TASKS.find((task) => task.name === name)?.queue ?? "";
  return queue === "" ? DEFAULT_QUEUE : queue;
}
