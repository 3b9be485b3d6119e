import { join } from "node:path";
import { CROWD_SEEDS } from "./crowd.ts";
import { type Mutation, MUTATIONS } from "./mutations.ts";
import { withPlanted } from "./planted-house.ts";
import { runSeeds } from "./pool.ts";

/** Seeds tried for each bug; the sound code must pass them all. */
const SEEDS_PER_BUG = 60;
/** A bug is found within this time on a quiet machine; what takes longer is said. */
const FOUND_WITHIN_MS = 15_000;
/** What takes longer than this fails, however busy the machine is. */
const FOUND_WITHIN_MS_MAX = 60_000;

/** Plants each bug in a copy of the code and prints what found it; true when all were found, each within `foundWithinMsMax`. */
export async function proveMutations(
  print: (line: string) => void,
  chosen: readonly Mutation[] = MUTATIONS,
  { seeds = SEEDS_PER_BUG, foundWithinMsMax = FOUND_WITHIN_MS_MAX } = {},
): Promise<boolean> {
  let sound = true;
  let late = 0;
  let tooLate = 0;
  print("seeds  seconds  file  bug: found as");
  const all: readonly Mutation[] = [{ bug: "none", edits: [] }, ...chosen];
  for (const mutation of all) {
    const files = [...new Set(mutation.edits.map(({ file }) => file))].join(", ");
    const result = await withPlanted(mutation, (folder) =>
      search(folder, seeds, mutation.crowd === true ? CROWD_SEEDS : 1),
    );
    print(
      `${result.seeds}  ${(result.ms / 1_000).toFixed(1)}  ${files}  ${mutation.bug}: ${result.found}`,
    );
    const isClean = mutation.edits.length === 0;
    if (isClean !== (result.found === "")) sound = false;
    if (!isClean && result.ms > FOUND_WITHIN_MS) late++;
    if (!isClean && result.ms > foundWithinMsMax) tooLate++;
  }
  if (late > 0) print(`${late} took longer than ${FOUND_WITHIN_MS / 1_000} s`);
  if (tooLate > 0) print(`${tooLate} took longer than ${foundWithinMsMax / 1_000} s, the bound`);
  print(sound ? "every planted bug was found" : "not every planted bug was found");
  return sound && tooLate === 0;
}

interface Trial {
  readonly seeds: number;
  readonly ms: number;
  readonly found: string;
}

async function search(folder: string, seeds: number, first: number): Promise<Trial> {
  const begun = performance.now();
  const list = Array.from({ length: seeds }, (_, at) => first + at);
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
