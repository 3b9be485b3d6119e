import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Mutation } from "./mutations.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** Folders that a world is made of, with the names of their packages. */
const PACKAGES = {
  "@claw/core": "core",
  "@claw/sdk": "authoring/sdk",
  "@claw/runtime": "services/runtime",
  "@claw/store-memory": "adapters/store-memory",
} as const;
/** What they import of others: as installed here. */
const INSTALLED = ["ajv"];

/** Copies what a world is made of, plants a bug in the copy, and removes it when `use` has settled. */
export async function withPlanted<T>(
  { edits }: Pick<Mutation, "edits">,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "claw-mutation-"));
  try {
    copyHouse(folder);
    for (const one of edits) plant(folder, one);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyHouse(folder: string): void {
  for (const [name, place] of Object.entries(PACKAGES)) {
    const target = join(folder, place);
    cpSync(join(ROOT, place), target, {
      recursive: true,
      filter: (path) => !path.includes("node_modules"),
    });
    const link = join(folder, "node_modules", name);
    mkdirSync(join(link, ".."), { recursive: true });
    symlinkSync(target, link);
  }
  for (const name of INSTALLED) {
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
  cpSync(import.meta.dirname, join(folder, "proof/simulator"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
}

function plant(folder: string, { file, search, replacement }: Mutation["edits"][number]): void {
  const path = join(folder, file);
  const before = readFileSync(path, "utf8");
  const parts = before.split(search);
  if (parts.length !== 2) {
    throw new Error(`${file} has the text of a planted bug ${parts.length - 1} times: ${search}`);
  }
  writeFileSync(path, parts.join(replacement));
}
