import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MemoryOptions, MemoryDisk, memoryStore } from "@claw/store-memory";
import type { Damage, StorePlace } from "./place.ts";

/** A place in memory; `options` are given to each of its stores. */
export function memoryPlace(options: MemoryOptions = {}): StorePlace {
  const folder = mkdtempSync(join(tmpdir(), "claw-memory-"));
  const disk = new MemoryDisk();
  const rows = (lists: [string, unknown[]][]): number =>
    lists.reduce((sum, [, list]) => sum + list.length, 0);
  return {
    folder,
    store: () => memoryStore({ ...options, disk }),
    restored: (path) => memoryStore({ disk: MemoryDisk.restore(readFileSync(path, "utf8")) }),
    countRows: () => ({
      runs: disk.runs.size,
      closed: disk.closed.size,
      journal: rows(disk.journal.entries()),
      inbox: rows(disk.inbox.entries()),
      waits: rows(disk.waitsByRun.entries()),
    }),
    plant: (damage, run) => plant(disk, damage, run),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function plant(disk: MemoryDisk, damage: Damage, run: string): void {
  const row = disk.runs.get(run);
  if (row === undefined) throw new Error(`${run} is not open`);
  switch (damage) {
    case "stranded run":
      disk.runs.set(run, { ...row, due: null, waits: 0 });
      break;
    case "gap in the journal":
      disk.journal.keep(run, ({ seq }) => seq !== 2);
      break;
    case "inbox beyond its counter":
      disk.runs.set(run, { ...row, inboxSeq: 0 });
      break;
    case "subscription without a run":
    case "message without a run":
    case "open child without a run":
      disk.runs.delete(run);
  }
}
