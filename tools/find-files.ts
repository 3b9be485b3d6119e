import { readdirSync } from "node:fs";
import { join } from "node:path";

const SKIPPED: ReadonlySet<string> = new Set([
  ".claw",
  ".git",
  ".nitro",
  ".output",
  ".runtime",
  "coverage",
  "dist",
  "node_modules",
]);

/** Paths of all files of the house below `folder`, relative to it, with `/`, in a stable order. */
export function findFiles(folder: string): string[] {
  const paths: string[] = [];
  const walk = (inside: string): void => {
    const entries = readdirSync(join(folder, inside), { withFileTypes: true });
    for (const entry of entries) {
      const path = inside === "" ? entry.name : `${inside}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(path);
      else if (entry.isFile() && !SKIPPED.has(entry.name)) paths.push(path);
    }
  };
  walk("");
  return paths.sort();
}
