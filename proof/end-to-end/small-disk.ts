import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { SqliteOptions } from "@claw/store-sqlite";

const SIZE = "9m";
const ENLARGED = "64m";
const PAGES = 1_200;
const PAGES_ENLARGED = 1_000_000;

/** A place for a store that soon runs full and can be enlarged. */
export interface SmallDisk {
  readonly store: SqliteOptions;
  /** Takes the room that is left, as far as that can be done. */
  fill(): void;
  enlarge(): void;
  /** Gives everything back. */
  release(): void;
}

/**
 * A file system of its own in the memory of the machine. It takes the right to mount; null without it,
 * and then a bound of the database's pages, which SQLite answers in the same way, has to do.
 */
export function mountedDisk(folder: string): SmallDisk | null {
  const disk = path.join(folder, "disk");
  fs.mkdirSync(disk);
  const mount = (options: string): boolean =>
    spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", disk]).status === 0;
  if (!mount(`size=${SIZE},mode=700`)) return null;
  return {
    store: { path: path.join(disk, "small.db") },
    fill: () => fillUp(path.join(disk, "filler")),
    enlarge: () => {
      if (!mount(`remount,size=${ENLARGED}`)) throw new Error("the disk cannot be enlarged");
    },
    release: () => {
      const { status, stderr } = spawnSync("umount", [disk], { encoding: "utf8" });
      if (status !== 0) throw new Error(`${disk} is still mounted: ${stderr}`);
    },
  };
}

/** A database that may not have more than PAGES pages until it is enlarged. */
export function boundedDisk(folder: string): SmallDisk {
  let pagesMax = PAGES;
  return {
    store: {
      path: path.join(folder, "small.db"),
      // Asked for with each opening of the database.
      get pagesMax() {
        return pagesMax;
      },
    },
    fill: () => {},
    enlarge: () => {
      pagesMax = PAGES_ENLARGED;
    },
    release: () => {},
  };
}

function fillUp(path: string): void {
  const handle = fs.openSync(path, "a");
  try {
    for (;;) fs.writeSync(handle, Buffer.alloc(4_096));
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOSPC") throw error;
  } finally {
    fs.closeSync(handle);
  }
}
