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
import { type Mutation, MUTATIONS } from "./mutations.ts";
import { runSeeds } from "./pool.ts";

/** Seeds tried for each bug; the sound code must pass them all. */
const SEEDS_PER_BUG = 60;
/** A bug should be found within this time on a quiet machine. It is said, and fails nothing: machines are shared. */
const FOUND_WITHIN_MS = 15_000;

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

/** Plants each bug in a copy of the code and prints what found it; true when all were found. */
export async function proveMutations(
  print: (line: string) => void,
  chosen: readonly Mutation[] = MUTATIONS,
  seeds: number = SEEDS_PER_BUG,
): Promise<boolean> {
  let sound = true;
  let late = 0;
  print("seeds  seconds  file  bug: found as");
  for (const mutation of [{ bug: "none", edits: [] }, ...chosen]) {
    const files = [...new Set(mutation.edits.map(({ file }) => file))].join(", ");
    const result = await tryBug(mutation, seeds);
    print(
      `${result.seeds}  ${(result.ms / 1_000).toFixed(1)}  ${files}  ${mutation.bug}: ${result.found}`,
    );
    const isClean = mutation.edits.length === 0;
    if (isClean !== (result.found === "")) sound = false;
    if (!isClean && result.ms > FOUND_WITHIN_MS) late++;
  }
  if (late > 0) print(`${late} took longer than ${FOUND_WITHIN_MS / 1_000} s`);
  print(sound ? "every planted bug was found" : "not every planted bug was found");
  return sound;
}

interface Trial {
  readonly seeds: number;
  readonly ms: number;
  readonly found: string;
}

async function tryBug(mutation: Mutation, seeds: number): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), "claw-mutation-"));
  try {
    copyHouse(folder);
    for (const one of mutation.edits) plant(folder, one);
    return await search(folder, seeds);
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

async function search(folder: string, seeds: number): Promise<Trial> {
  const begun = performance.now();
  const list = Array.from({ length: seeds }, (_, at) => at + 1);
  let done = 0;
  let found = "";
  await runSeeds(
    list,
    ({ seed, problems }) => {
      done++;
      if (found === "" && problems.length > 0) found = `seed ${seed}, ${problems[0]}`.slice(0, 160);
      return found !== "";
    },
    join(folder, "proof/simulator"),
  );
  return { seeds: done, ms: performance.now() - begun, found };
}
