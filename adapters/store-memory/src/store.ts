import { existsSync, writeFileSync } from "node:fs";
import type { Store, StoreInfo } from "@claw/core/ports";
import { ClawError, isClawError, type RunRow } from "@claw/core/protocol";
import { readBlob, removeBlobs, stageBlob } from "./blobs.ts";
import { checkDisk } from "./check.ts";
import { lookAt } from "./look.ts";
import { listApprovals } from "./approvals.ts";
import { commitBatch, writeLateBatches } from "./commit-batch.ts";
import type { FaultPlan } from "./faults.ts";
import { findKey } from "./keys.ts";
import { MemoryDisk } from "./memory-disk.ts";
import {
  dueRuns,
  findRun,
  heldRuns,
  listRuns,
  loadRuns,
  nextDue,
  suspectRuns,
} from "./read-runs.ts";
import { readChunks } from "./read-chunks.ts";
import { SharedHandle, type SharedMemory } from "./shared-disk.ts";
import { taskReads } from "./tasks.ts";
import { owesEvents } from "./spread.ts";
import { sweepDisk } from "./sweep.ts";

const SCHEMA_VERSION = 1;

/** How a store in memory behaves. */
export interface MemoryOptions {
  /** What it stands on. Default: a new one. Hand over the same disk to see what a restart finds. */
  readonly disk?: MemoryDisk;
  /**
   * true: `open` throws CLAW-4001 while another has the disk open. Default false: `open` takes over, and
   * the one before is fenced.
   */
  readonly exclusive?: boolean;
  /** false: a commit answers before it is flushed, so that `torn` and `loseUnflushed` can lose it. Default true. */
  readonly synchronous?: boolean;
  readonly faults?: FaultPlan;
  /**
   * Several stores have the disk open at once, each as a node with a lease; all of them must say so. Default: one
   * process owns the disk.
   */
  readonly shared?: SharedMemory;
  /**
   * Called with each verb: it is carried out, and its promise settles, when `complete` is called; an
   * earlier verb that is still open is carried out first. Default: every verb answers at once.
   */
  readonly async?: (complete: () => void) => void;
}

/**
 * A store in memory: the contract of the port, with faults on demand. Rows are copied on their way in
 * and out. After a commit of unknown outcome every verb throws until `open` was called again.
 */
export function memoryStore(options: MemoryOptions = {}): Store {
  const { disk = new MemoryDisk(), exclusive = false, synchronous = true, faults } = options;
  const self = {};
  const answer = options.async === undefined ? atOnce : inOrder(options.async);
  const handle = options.shared === undefined ? null : new SharedHandle(disk, options.shared);
  let isOpen = false;

  function use<T>(verb: () => T): T | Promise<T> {
    return answer(() => {
      if (!isOpen) throw new ClawError("CLAW-4006", "The memory store is not open");
      return verb();
    });
  }

  function open(): StoreInfo {
    if (exclusive && disk.owner !== null && disk.owner !== self) {
      throw new ClawError("CLAW-4001", "The memory disk is owned by another store");
    }
    writeLateBatches(disk);
    handle?.open();
    if (handle === null) disk.beginIncarnation(self);
    isOpen = true;
    return infoOf(disk, synchronous);
  }

  function close(): void {
    isOpen = false;
    handle?.close();
    if (disk.owner !== self) return;
    disk.giveBack();
    disk.owner = null;
  }

  return {
    open: () => answer(open),
    close: () => answer(close),
    commit: (batch) =>
      use(() => {
        try {
          return commitBatch(disk, batch, faults?.beforeCommit?.(batch) ?? null, synchronous);
        } catch (error) {
          if (isClawError(error, "CLAW-4007")) handle?.fenced();
          else isOpen = false;
          throw error;
        }
      }),
    load: (ids) => use(() => loadRuns(disk, ids)),
    ...owedBy(disk, use, (row) => handle?.isOwed(row) ?? true),
    findDedup: (scope) => use(() => findRequest(disk, scope)),
    list: (query) => use(() => listRuns(disk, query)),
    find: (id) => use(() => findRun(disk, id)),
    key: (name, limit) => use(() => findKey(disk, name, limit)),
    approvals: (query) => use(() => listApprovals(disk, query)),
    sweep: (order) =>
      use(() => {
        const swept = sweepDisk(disk, order);
        disk.settleCommit(synchronous);
        return swept;
      }),
    expire: (nowMs, limit) => use(() => disk.expire(nowMs, limit, synchronous)),
    streams: { read: (query) => use(() => readChunks(disk, query)) },
    tasks: taskReads(disk, use, () => handle?.incarnation ?? null),
    blobs: blobsOn(disk, use, synchronous),
    ...(handle === null ? {} : { shared: handle.port(use) }),
    check: () => use(() => checkDisk(disk)),
    look: () => use(() => lookAt(disk)),
    backup: (path) => use(() => writeBackup(disk, path)),
  };
}

type Use = <T>(verb: () => T) => T | Promise<T>;

function owedBy(
  disk: MemoryDisk,
  use: Use,
  isOwed: (row: RunRow) => boolean,
): Pick<Store, "due" | "suspects" | "nextDue" | "held"> {
  return {
    due: (nowMs, limit, _orphans, namespace) =>
      use(() => dueRuns(disk, nowMs, limit, namespace, isOwed)),
    suspects: (limit, namespace) => use(() => suspectRuns(disk, limit, namespace, isOwed)),
    nextDue: (afterMs, namespace) => use(() => nextDue(disk, afterMs, namespace, isOwed)),
    held: (kinds, limit, namespace) => use(() => heldRuns(disk, kinds, limit, namespace)),
  };
}

function blobsOn(disk: MemoryDisk, use: Use, synchronous: boolean): Store["blobs"] {
  return {
    read: (run, id) => use(() => readBlob(disk, run, id)),
    stage: (part) => use(() => stageBlob(disk, part, synchronous)),
    remove: (runs) => use(() => removeBlobs(disk, runs, synchronous)),
  };
}

function infoOf(disk: MemoryDisk, synchronous: boolean): StoreInfo {
  return {
    kind: "memory",
    location: "memory",
    durability: synchronous ? "memory" : "memory synchronous=OFF",
    schemaVersion: SCHEMA_VERSION,
    incarnation: disk.incarnation,
    afterCrash: disk.afterCrash,
    ...(owesEvents(disk) ? { owes: true } : {}),
  };
}

function findRequest(disk: MemoryDisk, scope: string): Awaited<ReturnType<Store["findDedup"]>> {
  const row = disk.dedup.get(scope);
  return row === undefined ? null : { run: row.run, print: row.print };
}

// A snapshot as text; `MemoryDisk.restore` reads it.
function writeBackup(disk: MemoryDisk, path: string): void {
  if (existsSync(path)) throw new ClawError("CLAW-4010", `${path} exists already`);
  writeFileSync(path, disk.snapshot(), { mode: 0o600, flag: "wx" });
}

type Answer = <T>(verb: () => T) => T | Promise<T>;

const atOnce: Answer = (verb) => verb();

function inOrder(schedule: (complete: () => void) => void): Answer {
  const open: (() => void)[] = [];
  let done = 0;
  let sent = 0;
  return (verb) =>
    new Promise((resolve, reject) => {
      open.push(() => {
        try {
          resolve(verb());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      const number = ++sent;
      schedule(() => {
        for (; done < number; done++) open.shift()?.();
      });
    });
}
