import type { CancelTimer, TaskReads, TaskScope } from "@claw/core/ports";
import type { AsideTask, OpenBlock } from "@claw/core/protocol";
import type { Timers } from "../timers.ts";
import { BlockInHand, type TaskInHand } from "./block-in-hand.ts";
import { type Ranked, ReadyOrder } from "./ready-order.ts";

/** Tasks in memory that wait for a slot of one queue; more stay in the store. */
const HELD_MAX = 8_192;
/** Blocks that are read at once. */
const BLOCKS_READ = 32;
/** Blocks whose numbers are read in one look. */
const BLOCKS_LOOK = 2_048;
/** Delayed and retried tasks that are read at once. */
const ASIDE_READ = 1_000;
/** Tasks that are started in a row before others get a turn. */
const SLICE_MAX = 4_096;
const RETRY_MS = 1_000;

/** A call of a run, or whatever else waits for a slot beside the standalone tasks. */
interface SlotWaiter extends Ranked {
  begin(leave: () => void): void;
}

/** What a queue needs around it. */
export interface QueueHost {
  readonly reads: TaskReads;
  readonly timers: Timers;
  readonly scope: TaskScope;
  now(): number;
  /** False while too many ends are not durable yet, or the store is not there. */
  mayStart(): boolean;
  start(task: TaskInHand): void;
  /** The queue could not go on in this slice. */
  again(queue: TaskQueue): void;
  failed(error: unknown): void;
}

type Source = BlockSource | TaskSource;
type BlockSource = Ranked & { readonly block: BlockInHand };
type TaskSource = Ranked & { readonly task: TaskInHand };

/** One queue in memory: its slots, who waits for them, and how much of its backlog is at hand. */
export class TaskQueue {
  readonly name: string;
  /** Slots. 0: nothing starts here. */
  readonly concurrency: number;
  readonly #host: QueueHost;
  readonly #ready = new ReadyOrder<Source>();
  readonly #waiters = new ReadyOrder<SlotWaiter>();
  /** Blocks and tasks with a row of their own that were taken and are not durably settled. */
  readonly #blocks = new Map<number, BlockInHand>();
  readonly #aside = new Set<number>();
  #running = 0;
  #held = 0;
  /** The lowest rank that a block in the store, and not here, may have. */
  #bound = Number.POSITIVE_INFINITY;
  #asideBehind = false;
  #dueAt = Number.POSITIVE_INFINITY;
  #cancelDue: CancelTimer | null = null;
  #refilling = false;
  #pumping = false;
  #waited = 0;
  /** Who was first among equals the last time. */
  #callWasFirst = false;
  #life = 0;

  constructor(name: string, concurrency: number, host: QueueHost) {
    this.name = name;
    this.concurrency = concurrency;
    this.#host = host;
  }

  /** Everything in the store is yet to be looked at. */
  lookAgain(): void {
    if (this.concurrency === 0) return;
    this.#bound = Number.NEGATIVE_INFINITY;
    this.#asideBehind = true;
    this.pump();
  }

  /** Whether so many tasks of this rank, if they became durable now, would be taken in hand at once. */
  wouldTake(rank: number, tasks: number): boolean {
    // The urgent may pass those that fill the memory already.
    const room = rank < 0 ? HELD_MAX * 2 : HELD_MAX;
    return this.concurrency > 0 && rank < this.#bound && this.#held + tasks <= room;
  }

  /** A block that has just become durable. */
  added(row: OpenBlock): void {
    if (this.concurrency === 0) return;
    // The last block may be larger than the room.
    if (this.wouldTake(row.rank, 1)) this.#take(row);
    else this.#bound = Math.min(this.#bound, row.rank);
  }

  /** A block that this node shares with others has just become durable: held by it, or anybody's. */
  addedShared(row: OpenBlock, isHeld: boolean): void {
    if (isHeld) this.#take(row);
    else if (this.concurrency > 0) this.#bound = Math.min(this.#bound, row.rank);
  }

  /** A task with a row of its own will be due. */
  expect(due: number): void {
    if (this.concurrency === 0 || due >= this.#dueAt) return;
    this.#dueAt = due;
    this.#cancelDue?.();
    this.#cancelDue = this.#host.timers.add(due, () => {
      this.#dueAt = Number.POSITIVE_INFINITY;
      this.#asideBehind = true;
      this.pump();
    });
  }

  /** Begins as soon as there is a slot for it, at once if one is free; `leave` gives the slot back. */
  enter(rank: number, begin: (leave: () => void) => void): void {
    this.#waiters.add({ rank, id: this.#waited++, begin });
    this.pump();
  }

  /** A slot is free again. */
  leave(): void {
    this.#running--;
    this.pump();
  }

  /** These are durably settled. */
  forget(block: BlockInHand): void {
    this.#blocks.delete(block.row.id);
  }

  /** This one will have a row of its own, which is not to be taken before it is durable. */
  hold(id: number): void {
    this.#aside.add(id);
  }

  forgetAside(id: number): void {
    this.#aside.delete(id);
  }

  /** Starts what may start. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let left = SLICE_MAX;
    while (left > 0 && this.#running < this.concurrency && this.#startNext()) left--;
    this.#pumping = false;
    if (left === 0) this.#host.again(this);
    this.#refill();
  }

  #startNext(): boolean {
    const waiter = this.#waiters.first;
    const source = this.#host.mayStart() ? this.#firstReady() : undefined;
    if (waiter === undefined && source === undefined) return false;
    if (waiter !== undefined && (source === undefined || this.#goesFirst(waiter, source))) {
      this.#callWasFirst = true;
      this.#waiters.removeFirst();
      this.#running++;
      waiter.begin(this.#leaveOnce());
      return true;
    }
    this.#callWasFirst = false;
    this.#running++;
    this.#host.start(this.#takeFirst(source as Source));
    return true;
  }

  // Of equals, calls of runs and standalone tasks take turns.
  #goesFirst(waiter: SlotWaiter, source: Source): boolean {
    return waiter.rank === source.rank ? !this.#callWasFirst : waiter.rank < source.rank;
  }

  #next: TaskInHand | null = null;

  // Looks one task ahead, so that a block of which nothing is left is passed over.
  #firstReady(): Source | undefined {
    for (let first = this.#ready.first; first !== undefined; first = this.#ready.first) {
      this.#next = "task" in first ? first.task : (first.block.peek() ?? null);
      if (this.#next !== null) return first;
      this.#ready.removeFirst();
    }
    return undefined;
  }

  #leaveOnce(): () => void {
    const life = this.#life;
    let left = false;
    return () => {
      if (left || life !== this.#life) return;
      left = true;
      this.leave();
    };
  }

  #takeFirst(source: Source): TaskInHand {
    const task = this.#next as TaskInHand;
    if ("task" in source) this.#ready.removeFirst();
    else source.block.taken();
    this.#held--;
    return task;
  }

  #take(row: OpenBlock): void {
    if (this.#blocks.has(row.id)) return;
    const block = new BlockInHand(row);
    this.#blocks.set(row.id, block);
    this.#held += block.left;
    this.#ready.add({ rank: row.rank, id: row.id, block });
  }

  #takeAside(row: AsideTask): void {
    if (this.#aside.has(row.id)) return;
    this.#aside.add(row.id);
    this.#held++;
    this.#ready.add({ rank: row.rank, id: row.id, task: { ...row, block: null } });
  }

  #refill(): void {
    const behind = this.#asideBehind || this.#bound !== Number.POSITIVE_INFINITY;
    if (!behind || this.#refilling || this.#held > HELD_MAX / 2) return;
    if (this.concurrency === 0 || !this.#host.mayStart()) return;
    this.#refilling = true;
    const life = this.#life;
    this.#read(life).then(
      () => {
        if (life !== this.#life) return;
        this.#refilling = false;
        this.pump();
      },
      (error: unknown) => {
        if (life !== this.#life) return;
        this.#refilling = false;
        this.#host.failed(error);
        this.#host.timers.add(this.#host.now() + RETRY_MS, () => {
          if (life === this.#life) this.lookAgain();
        });
      },
    );
  }

  async #read(life: number): Promise<void> {
    if (this.#asideBehind) await this.#readAside(life);
    if (life === this.#life && this.#bound !== Number.POSITIVE_INFINITY) {
      await this.#readBlocks(life);
    }
  }

  async #readAside(life: number): Promise<void> {
    const { reads, scope } = this.#host;
    this.#asideBehind = false;
    const now = this.#host.now();
    // Taken ones are still in the store, so as many more are asked for.
    const limit = this.#aside.size + ASIDE_READ;
    const due = await reads.due(scope, now, limit);
    if (life !== this.#life) return;
    for (const row of due) this.#takeAside(row);
    if (due.length === limit) {
      this.#asideBehind = true;
      return;
    }
    const next = await reads.nextDue(scope, now);
    if (life === this.#life && next !== null) this.expect(next);
  }

  async #readBlocks(life: number): Promise<void> {
    const { reads, scope } = this.#host;
    const limit = this.#blocks.size + BLOCKS_LOOK;
    const before = this.#bound;
    this.#bound = Number.POSITIVE_INFINITY;
    const ids = await reads.backlog(scope, limit);
    if (life !== this.#life) return;
    const fresh = ids.filter((id) => !this.#blocks.has(id));
    let last = before;
    for (let at = 0; at < fresh.length; at += BLOCKS_READ) {
      if (this.#held >= HELD_MAX) {
        this.#bound = Math.min(this.#bound, last);
        return;
      }
      const rows = await reads.blocks(fresh.slice(at, at + BLOCKS_READ));
      if (life !== this.#life) return;
      for (const row of rows) {
        this.#take(row);
        last = Math.max(last, row.rank);
      }
    }
    if (ids.length === limit) this.#bound = Math.min(this.#bound, last);
  }

  /** Forgets everything: the store was lost, or the process stops. */
  reset(): void {
    this.#life++;
    this.#ready.clear();
    this.#waiters.clear();
    this.#blocks.clear();
    this.#aside.clear();
    this.#running = 0;
    this.#held = 0;
    this.#bound = Number.POSITIVE_INFINITY;
    this.#asideBehind = false;
    this.#refilling = false;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#cancelDue?.();
    this.#cancelDue = null;
  }
}
