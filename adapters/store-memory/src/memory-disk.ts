import type { Batch } from "@claw/core/ports";
import {
  type AsideTask,
  type Attributes,
  type ChunkBlock,
  type ClosedStatus,
  type InboxRow,
  type KeyName,
  type KeyPlace,
  limits,
  type OpenApproval,
  type RunId,
  type RunKey,
  type RunRow,
  type StartRow,
  type StoredEvent,
  type StreamHead,
  type TaskBlock,
} from "@claw/core/protocol";
import { newWork } from "./batch-work.ts";
import { recoverKeys } from "./keys.ts";
import { NodeLives } from "./node-lives.ts";
import { Lists, Table } from "./table.ts";
import { expireTasks } from "./tasks.ts";
import { UndoLog } from "./undo-log.ts";

/** One transition's entries in a journal. */
export interface JournalRow {
  /** Number of its first entry. */
  readonly seq: number;
  readonly lastSeq: number;
  readonly entries: string;
}

/** A run that has ended; what is an object elsewhere is text here, as on a disk. */
export interface ClosedRow extends StartRow {
  readonly status: ClosedStatus;
  readonly endedAt: number;
  readonly output: string;
  readonly error: string | null;
  readonly abandoned: string;
  readonly seq: number;
  /** Null: its rows are still in the journal. */
  readonly journal: string | null;
}

/** A key that has runs. */
export interface KeyRow extends KeyName {
  readonly lastSeq: number;
  /** Empty for nobody. */
  readonly head: RunId | "";
  /** Milliseconds since 1970. */
  readonly headSince: number;
  readonly waiting: number;
  readonly turnMs: number;
}

/** A run of a key. */
export interface KeyedRunRow extends KeyName, RunKey {
  readonly run: RunId;
  readonly seq: number;
  readonly place: KeyPlace;
  readonly passes: number;
}

/** An ended generation of a run. */
export interface GenerationRow {
  readonly generation: number;
  readonly input: string;
  readonly endedAt: number;
  readonly journal: string;
}

/** An event in the log. */
export interface EventRow {
  readonly seq: number;
  readonly namespace: string;
  readonly loggedAt: number;
  readonly event: StoredEvent;
}

/** A subscription of a call. */
export interface WaitRow {
  readonly key: string;
  readonly run: RunId;
  readonly call: string;
  /** Answered only by events with a greater number. */
  readonly beyond: number;
}

/** An event on its way to more calls than one commit answers. */
export interface SpreadRow {
  readonly seq: number;
  readonly key: string;
  readonly note: string;
}

/** A remembered request of a client. */
export interface DedupRow {
  readonly run: RunId | "";
  readonly print: string;
  readonly expiresAt: number;
}

/** Commits that a disk without flushing may still lose; older ones are safe. */
const UNFLUSHED_MAX = 64;

/**
 * What outlives a process: hand the same disk to another `memoryStore` to see what a restart finds.
 * A copy of its state at a moment is `snapshot()`; `MemoryDisk.restore` makes a disk of it, for a store
 * that went back in time.
 */
export class MemoryDisk {
  readonly undo: UndoLog = new UndoLog();
  readonly runs: Table<RunRow> = new Table(this.undo);
  readonly journal: Lists<JournalRow> = new Lists(this.undo);
  readonly closed: Table<ClosedRow> = new Table(this.undo);
  readonly inbox: Lists<InboxRow> = new Lists(this.undo);
  readonly waitsByKey: Lists<WaitRow> = new Lists(this.undo);
  readonly waitsByRun: Lists<WaitRow> = new Lists(this.undo);
  /** All spreads under one name, the oldest event first. */
  readonly spreads: Lists<SpreadRow> = new Lists(this.undo);
  /** Waiting calls that one commit answers with one event. */
  spreadRows: number = limits.EVENT_SPREAD_ROWS;
  /** Open approvals by run. */
  readonly approvals: Lists<OpenApproval> = new Lists(this.undo);
  /** Shapes by namespace and type, sorted. */
  readonly shapes: Table<readonly string[]> = new Table(this.undo);
  /** All events under one name, in the order of their numbers. */
  readonly events: Lists<EventRow> = new Lists(this.undo);
  /** Events are logged no earlier: no open run began later, though the clock is set back. Milliseconds since 1970. */
  latestMs = 0;
  readonly eventIds: Table<number> = new Table(this.undo);
  readonly eventKeys: Lists<number> = new Lists(this.undo);
  /** Ended generations by run, oldest first. */
  readonly generations: Lists<GenerationRow> = new Lists(this.undo);
  /** Attributes of runs, open and closed. */
  readonly attributes: Table<Attributes> = new Table(this.undo);
  readonly dedup: Table<DedupRow> = new Table(this.undo);
  /** Streams of runs, open and closed, and what was written to them. */
  readonly streams: Lists<StreamHead> = new Lists(this.undo);
  readonly chunks: Lists<ChunkBlock> = new Lists(this.undo);
  /** Traces that came with the start of runs. */
  readonly traces: Table<string> = new Table(this.undo);
  readonly keys: Table<KeyRow> = new Table(this.undo);
  readonly keyStates: Table<string> = new Table(this.undo);
  readonly keyedRuns: Table<KeyedRunRow> = new Table(this.undo);
  /** Runs that wait, by key, in their order. */
  readonly keyQueues: Lists<{ readonly seq: number; readonly run: RunId }> = new Lists(this.undo);
  /** Large payloads in base64, by run and id. */
  readonly blobs: Table<string> = new Table(this.undo);
  readonly taskBlocks: Table<TaskBlock> = new Table(this.undo);
  /** What left a block, by its number. */
  readonly taskMarks: Table<string> = new Table(this.undo);
  readonly taskAside: Table<AsideTask> = new Table(this.undo);
  readonly taskHead: Table<number> = new Table(this.undo);
  /** Incarnations that have blocks, and tasks with a row of their own, in hand. */
  readonly taskOwners: Table<number> = new Table(this.undo);
  /** Incarnations that hold runs; only of a disk that several nodes share. */
  readonly owners: Table<number> = new Table(this.undo);
  readonly nodes: NodeLives = new NodeLives(this.owners);
  incarnation = 0;
  /** Whoever has the disk open; null for nobody. */
  owner: object | null = null;
  /** Batches that were sent, and reach the disk just before the next `open`. */
  readonly late: Batch[] = [];
  /** The owner before ended without closing it. */
  afterCrash = false;
  #isOpen = false;
  #unflushed: number[] = [];

  /** Ends a commit. A flushed one stays; another may still be lost. */
  settleCommit(flushed: boolean): void {
    if (flushed) {
      this.undo.settle(this.undo.mark);
      this.#unflushed = [];
      return;
    }
    this.#unflushed.push(this.undo.mark);
    if (this.#unflushed.length <= UNFLUSHED_MAX) return;
    const steps = this.#unflushed.shift() ?? 0;
    this.undo.settle(steps);
    this.#unflushed = this.#unflushed.map((mark) => mark - steps);
  }

  /** Loses the newest unflushed commits, at most `count`, as a power loss may; answers how many. */
  loseUnflushed(count: number): number {
    const lost = Math.min(count, this.#unflushed.length);
    this.#unflushed.length -= lost;
    this.undo.rollBack(this.#unflushed.at(-1) ?? 0);
    return lost;
  }

  /** `owner` has the disk now; what the one before held in memory is due at once. */
  beginIncarnation(owner: object): void {
    const more = this.owner === owner ? 0 : 1;
    this.afterCrash = this.#isOpen && more === 1;
    this.#isOpen = true;
    this.owner = owner;
    this.incarnation++;
    for (const row of this.runs.values()) {
      if (row.due === 0) this.#takeFrom(row, row.recoveries + more);
    }
    this.recoverKeys();
    this.settleCommit(true);
  }

  /** A run is held by nobody any more; `more` is added to its recoveries. */
  letGo(run: RunId, more: number): void {
    this.owners.delete(run);
    const row = this.runs.get(run);
    if (row?.due === 0) this.#takeFrom(row, row.recoveries + more);
  }

  /** Tasks that an incarnation has in hand are anybody's. */
  letGoTasks(incarnation: number): void {
    for (const [key, owner] of this.taskOwners.entries()) {
      if (owner === incarnation) this.taskOwners.delete(key);
    }
  }

  /** Lets others past runs that were quarantined. */
  recoverKeys(): void {
    recoverKeys(this, newWork(0, undefined));
  }

  #takeFrom(row: RunRow, recoveries: number): void {
    if (recoveries <= limits.RECOVERIES_MAX) {
      this.runs.set(row.id, { ...row, due: 1, recoveries });
      return;
    }
    const heldReason = `the process that took it up ended ${recoveries} times in a row`;
    this.runs.set(row.id, { ...row, due: null, recoveries, held: "quarantined", heldReason });
  }

  /** What the owner holds in memory is due at once: it closes the disk in good order. */
  giveBack(): void {
    this.#isOpen = false;
    for (const row of this.runs.values()) {
      if (row.due === 0) this.runs.set(row.id, { ...row, due: 1 });
    }
    this.settleCommit(true);
  }

  /** Removes at most `limit` dedup rows that expired before `nowMs`; answers how many. */
  expire(nowMs: number, limit: number, flushed: boolean): number {
    let removed = 0;
    expireTasks(this, nowMs);
    for (const [scope, { expiresAt }] of this.dedup.entries()) {
      if (expiresAt >= nowMs || removed >= limit) continue;
      this.dedup.delete(scope);
      removed++;
    }
    this.settleCommit(flushed);
    return removed;
  }

  /** The process that had the disk open is gone without closing it. */
  ownerDied(): void {
    this.owner = null;
  }

  /** Everything on the disk as text: equal disks give equal texts. */
  snapshot(): string {
    const tables = TABLES.map((name) => [name, this[name].entries()]);
    return JSON.stringify({ incarnation: this.incarnation, ...Object.fromEntries(tables) });
  }

  /** A new disk with the state of a snapshot. */
  static restore(snapshot: string): MemoryDisk {
    const disk = new MemoryDisk();
    disk.load(snapshot);
    return disk;
  }

  /** Goes back to the state of a snapshot. Nobody may have the disk open. */
  load(snapshot: string): void {
    const { incarnation, ...tables } = JSON.parse(snapshot) as Snapshot;
    this.incarnation = incarnation;
    for (const name of TABLES) {
      const target = this[name];
      for (const [key] of target.entries()) target.delete(key);
      for (const [key, value] of tables[name]) {
        // A snapshot holds under each name what its table holds.
        if (target instanceof Table) (target as Table<unknown>).set(key, value);
        else for (const row of value as unknown[]) (target as Lists<unknown>).add(key, row);
      }
    }
    this.settleCommit(true);
  }
}

const TABLES = [
  "runs",
  "journal",
  "closed",
  "inbox",
  "waitsByKey",
  "waitsByRun",
  "spreads",
  "approvals",
  "shapes",
  "events",
  "eventIds",
  "eventKeys",
  "generations",
  "attributes",
  "dedup",
  "streams",
  "chunks",
  "traces",
  "keys",
  "keyStates",
  "keyedRuns",
  "keyQueues",
  "blobs",
  "taskBlocks",
  "taskMarks",
  "taskAside",
  "taskHead",
  "taskOwners",
  "owners",
] as const;

type Snapshot = { incarnation: number } & Record<(typeof TABLES)[number], [string, unknown][]>;
