import { watch, type FSWatcher } from "node:fs";
import { dirname, extname, resolve } from "node:path";

const EXTENSIONS: readonly string[] = [".ts", ".mts", ".js", ".mjs", ".json"];
/** Editors write a file in several steps; changes closer together count as one. */
const DEBOUNCE_MS = 100;

/** Watches folders for changed sources. */
export interface FileWatch {
  /** Also watches the folders of these files. */
  follow(files: readonly string[]): void;
  stop(): void;
}

/** Calls `changed` some time after sources changed in these folders; never twice at once. */
export function watchFiles(folders: readonly string[], changed: () => Promise<void>): FileWatch {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let isBusy = false;
  let isStale = false;

  async function run(): Promise<void> {
    isBusy = true;
    do {
      isStale = false;
      await changed();
    } while (isStale as boolean);
    isBusy = false;
  }

  function noticed(name: string | null): void {
    if (name !== null && !EXTENSIONS.includes(extname(name))) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (isBusy) isStale = true;
      else void run();
    }, DEBOUNCE_MS);
  }

  function add(folder: string): void {
    if (watchers.has(folder)) return;
    const watcher = watch(folder, (_kind, name) => noticed(name));
    // A folder that goes away ends its watch, not the process.
    watcher.on("error", () => watchers.delete(folder));
    watchers.set(folder, watcher);
  }

  for (const folder of folders) add(resolve(folder));
  return {
    follow: (files) => {
      for (const file of files) add(dirname(file));
    },
    stop: () => {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}
