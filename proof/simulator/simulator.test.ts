import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { MUTATIONS } from "./mutations.ts";
import { runSeeds } from "./pool.ts";
import { proveMutations } from "./prove-mutations.ts";

test("ten worlds of crashes, zombies and changed code keep every invariant", async () => {
  const problems: string[] = [];
  let turns = 0;
  const seeds = Array.from({ length: 10 }, (_, at) => at + 1);
  await runSeeds(seeds, (report) => {
    turns += report.turns;
    problems.push(...report.problems.map((problem) => `seed ${report.seed}: ${problem}`));
  });
  assert.deepEqual(problems, []);
  assert.ok(turns > 10_000, `${turns} turns are too few to prove anything`);
});

test("the simulator finds a late completion and a message taken twice, and passes sound code", async () => {
  const chosen = MUTATIONS.filter(({ bug }) => /^a late completion|stays in/.test(bug));
  const lines: string[] = [];
  assert.equal(chosen.length, 2);
  assert.ok(
    await proveMutations((line) => lines.push(line), chosen, { seeds: 8 }),
    lines.join("\n"),
  );
});

test("a planted bug that is found too late fails, and the line says by which bound", async () => {
  const chosen = MUTATIONS.filter(({ bug }) => /stays in/.test(bug));
  const lines: string[] = [];
  const sound = await proveMutations((line) => lines.push(line), chosen, {
    seeds: 2,
    foundWithinMsMax: 1,
  });
  assert.equal(sound, false, lines.join("\n"));
  assert.ok(lines.includes("1 took longer than 0.001 s, the bound"), lines.join("\n"));
});

test("every planted bug fits the code as it is today", () => {
  const root = resolve(import.meta.dirname, "../..");
  const astray = MUTATIONS.flatMap(({ bug, edits }) =>
    edits
      .filter(({ file, search }) => {
        return readFileSync(resolve(root, file), "utf8").split(search).length !== 2;
      })
      .map(({ file }) => `${bug}: ${file}`),
  );
  assert.deepEqual(astray, []);
});
