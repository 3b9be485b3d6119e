import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { MUTATIONS } from "./mutations.ts";
import { withPlanted } from "./planted-house.ts";

/** A soak that neither fails nor is stopped is ended. */
const SOAK_MS_MAX = 120_000;

interface Soak {
  readonly lines: readonly string[];
  /** Null for one that was stopped. */
  readonly code: number | null;
}

/** The simulator's own process; stopped at the line at which `isEnough` says so. */
function simulate(
  main: string,
  words: readonly string[],
  isEnough: (lines: readonly string[]) => boolean = () => false,
): Promise<Soak> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...words], {
      stdio: ["ignore", "pipe", "ignore"],
      timeout: SOAK_MS_MAX,
    });
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      if (isEnough(lines)) child.kill();
    });
    child.on("close", (code) => resolve({ lines, code }));
  });
}

test("a soak goes on with the next seeds until it is stopped", async () => {
  const main = join(import.meta.dirname, "main.ts");
  const words = ["--forever", "--seed", "2", "--seeds", "2"];
  const { lines, code } = await simulate(main, words, ({ length }) => length === 2);
  assert.match(lines[0] ?? "", /^2 worlds up to seed 3 in \d+ s, all passed$/);
  assert.match(lines[1] ?? "", /^4 worlds up to seed 5 in \d+ s, all passed$/);
  assert.equal(code, null);
});

test("a soak ends at the seed that fails, and later runs begin with it when it is kept", async () => {
  const mutation = MUTATIONS.find(({ bug }) => /stays in/.test(bug));
  assert.ok(mutation !== undefined);
  await withPlanted(mutation, async (folder) => {
    const main = join(folder, "proof/simulator/main.ts");
    const kept = join(folder, "proof/simulator/seeds.json");
    writeFileSync(kept, "[]\n");
    const soak = await simulate(main, ["--forever", "--keep", "--seed", "100"]);
    const failed = /^seed (\d+) failed: a message taken/.exec(soak.lines[0] ?? "")?.[1];
    assert.equal(soak.lines[1], `replay: npm run sim -- --seed ${failed} --verbose`);
    assert.match(soak.lines.at(-1) ?? "", /^\d+ worlds up to seed 199 in \d+ s, one failed$/);
    assert.equal(soak.code, 1);
    const seeds = JSON.parse(readFileSync(kept, "utf8")) as number[];
    assert.ok(failed !== undefined && seeds.includes(Number(failed)), seeds.join());
    const later = await simulate(main, ["--seeds", "1"]);
    assert.ok(later.lines.some((line) => line.startsWith(`seed ${failed} failed: `)));
    assert.equal(later.code, 1);
  });
});
