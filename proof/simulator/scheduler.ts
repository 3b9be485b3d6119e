import type { Dice } from "./dice.ts";

/** Whom a task belongs to: a dead owner's tasks never run, a frozen one's wait. */
export interface TaskOwner {
  readonly name: string;
  dead: boolean;
  frozen: boolean;
}

/** What follows a task once all microtasks have drained, and what follows that. */
export type Rest = () => void | Rest;

/** Something that can happen now. It may give back what follows it once all microtasks have drained. */
interface Task {
  readonly owner: TaskOwner | null;
  readonly act: Rest;
}

/** What a call of `run` waits for. */
interface Goal {
  readonly untilMs: number;
  readonly done: () => boolean;
  readonly reached: () => void;
  readonly failed: (error: unknown) => void;
}

interface Timer extends Task {
  readonly at: number;
  readonly order: number;
  cancelled: boolean;
}

/** Time at which every world begins: 2026-01-01. */
const WORLD_BEGINS_MS = 1_767_225_600_000;
/**
 * Immediates queued at once. Between two of them Node drains all microtasks and nextTicks, which is all
 * that a task needs; a round of the event loop for each would cost more than the task.
 */
const SLOTS = 64;

/**
 * One world's order of events: everything that could happen next waits here, the dice choose, and time
 * passes only when nothing can happen now.
 */
export class Scheduler {
  readonly #dice: Dice;
  #ready: Task[] = [];
  #held: Task[] = [];
  #timers: Timer[] = [];
  #order = 0;
  #goal: Goal | null = null;
  #slots = 0;
  /** What is left of the task under way. */
  #rest: Rest | null = null;
  /** True when a task has acted since the world was looked at. */
  #acted = false;
  now = WORLD_BEGINS_MS;
  /** Tasks done. */
  steps = 0;
  /** Called after every task, when all microtasks have drained. */
  afterEach: () => void = () => {};

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** Something that may happen from now on. */
  soon(owner: TaskOwner | null, act: Task["act"]): void {
    this.#ready.push({ owner, act });
  }

  /** Something that may happen once `delayMs` have passed. Gives a function that cancels. */
  later(owner: TaskOwner | null, delayMs: number, act: Task["act"]): () => void {
    const delay = Number.isFinite(delayMs) ? Math.max(0, Math.ceil(delayMs)) : 0;
    const at = this.now + delay;
    const timer: Timer = { owner, act, at, order: this.#order++, cancelled: false };
    push(this.#timers, timer);
    return () => {
      timer.cancelled = true;
    };
  }

  /** Lets the tasks of a thawed owner happen again. */
  thaw(): void {
    const held = this.#held;
    this.#held = [];
    this.#ready.push(...held);
  }

  /** When the next timer fires, or null. */
  get nextAt(): number | null {
    for (;;) {
      const first = this.#timers[0];
      if (first === undefined) return null;
      if (!first.cancelled && first.owner?.dead !== true) return first.at;
      pop(this.#timers);
    }
  }

  /** Runs until `done` says so, or nothing can happen before `untilMs`. */
  run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    return new Promise((reached, failed) => {
      this.#goal = { untilMs, done, reached, failed };
      this.#wind();
    });
  }

  #wind(): void {
    if (this.#slots > 0) return;
    this.#slots = SLOTS;
    for (let i = 0; i < SLOTS; i++) setImmediate(this.#slot);
  }

  readonly #slot = (): void => {
    this.#slots--;
    const goal = this.#goal;
    if (goal === null) return;
    try {
      this.#next(goal);
    } catch (error) {
      this.#goal = null;
      goal.failed(error);
    }
    if (this.#slots === 0 && this.#goal !== null) this.#wind();
  };

  // One task, or the rest of one; what it set off has drained when the next slot begins.
  #next(goal: Goal): void {
    const rest = this.#rest;
    this.#rest = null;
    if (rest !== null) {
      this.#rest = rest() ?? null;
      return;
    }
    if (this.#acted) this.afterEach();
    this.#acted = false;
    const task = goal.done() ? null : this.#take(goal.untilMs);
    if (task === null) {
      this.#goal = null;
      goal.reached();
      return;
    }
    this.steps++;
    this.#acted = true;
    this.#rest = task.act() ?? null;
  }

  // The next task; time passes when nothing can happen now. Null: nothing happens before `untilMs`.
  #take(untilMs: number): Task | null {
    for (;;) {
      this.#promote();
      const task = this.#draw();
      if (task !== null) return task;
      const next = this.nextAt;
      if (next === null || next > untilMs) {
        this.now = Math.max(this.now, Math.min(untilMs, next ?? this.now));
        return null;
      }
      this.now = Math.max(this.now, next);
    }
  }

  #promote(): void {
    for (let at = this.nextAt; at !== null && at <= this.now; at = this.nextAt) {
      this.#ready.push(pop(this.#timers));
    }
  }

  // Mostly one of the oldest few, now and then any: neither starvation nor a fixed order.
  #draw(): Task | null {
    const ready = this.#ready;
    while (ready.length > 0) {
      const window = this.#dice.chance(0.1) ? ready.length : Math.min(ready.length, 6);
      const at = this.#dice.below(window);
      const task = ready[at] as Task;
      ready.splice(at, 1);
      if (task.owner?.dead === true) continue;
      if (task.owner?.frozen === true) {
        this.#held.push(task);
        continue;
      }
      return task;
    }
    return null;
  }
}

/** Lets every microtask and nextTick of what was just done drain. */
export function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Timer[], timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const other = heap[above] as Timer;
    if (!before(timer, other)) break;
    heap[at] = other;
    at = above;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): Timer {
  const first = heap[0] as Timer;
  const last = heap.pop() as Timer;
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let below = at * 2 + 1;
    if (below >= heap.length) break;
    const right = heap[below + 1];
    if (right !== undefined && before(right, heap[below] as Timer)) below++;
    if (!before(heap[below] as Timer, last)) break;
    heap[at] = heap[below] as Timer;
    at = below;
  }
  heap[at] = last;
  return first;
}
