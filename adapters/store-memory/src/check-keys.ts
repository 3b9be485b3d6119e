import { idOf } from "./keys.ts";
import type { MemoryDisk } from "./memory-disk.ts";

/** Queues of keys that contradict each other or the runs in them. */
export function checkKeys(disk: MemoryDisk, report: (message: string) => void): void {
  for (const { id, held } of disk.runs.values()) {
    if (held === "queued" && disk.keyedRuns.get(id)?.place !== "waiting") {
      report(`run ${id} waits for its key but stands in no queue`);
    }
  }
  for (const member of disk.keyedRuns.values()) {
    const { run, key, place } = member;
    const open = disk.runs.get(run);
    const row = disk.keys.get(idOf(member));
    if (place === "waiting" && !disk.runs.has(row?.head ?? "")) {
      report(`run ${run} waits for the key ${key}, which nobody will hand on`);
    }
    if (place === "waiting" && (open === undefined || open.held === "")) {
      report(`run ${run} is waiting in the queue of a key but is no open run that rests there`);
    }
    if (place === "head" && (row?.head !== run || open === undefined)) {
      report(`run ${run} is at the head of the key ${key}, which another has`);
    }
    if (place === "aside" && (open === undefined || open.held === "")) {
      report(`run ${run} was let past at the key ${key} but is not held`);
    }
  }
  for (const row of disk.keys.values()) {
    const { key, head, waiting } = row;
    const queue = disk.keyQueues.of(idOf(row));
    const isHead = disk.keyedRuns.get(head)?.place === "head";
    if (head !== "" && (!isHead || disk.runs.get(head)?.held === "queued")) {
      report(`run ${head} has the key ${key} but is no open run at its head`);
    }
    if (queue.length !== waiting) {
      report(`the key ${key} counts ${waiting} waiting runs of others than wait`);
    }
    if (head === "") report(`the key ${key} has a queue without runs`);
  }
}
