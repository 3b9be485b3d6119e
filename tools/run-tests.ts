import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { findFiles } from "./find-files.ts";

/** A test file that takes longer is ended and counts as failed. */
const FILE_MS_MAX = 300_000;
const CONCURRENCY_MAX = 8;

const root = resolve(import.meta.dirname, "..");
/** With `--services` the tests that need servers, which start them themselves, instead of all others. */
const needsServers = process.argv[2] === "--services";
const suffix = needsServers ? ".services.ts" : ".test.ts";
const chosen = chooseFiles(process.argv.slice(needsServers ? 3 : 2));
const problems = chosen.problems;
let passed = 0;
let failed = 0;
if (chosen.files.length > 0) await runFiles(chosen.files);
for (const problem of problems) process.stdout.write(`not a pass: ${problem}\n`);
failed += problems.length;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

// A skipped or unfinished test proves nothing, a file without tests is a forgotten one, and one that
// ends without a summary left early: none of them may look like success.
async function runFiles(files: string[]): Promise<void> {
  const unfinished = new Set(files);
  const concurrency = Math.min(availableParallelism(), CONCURRENCY_MAX);
  const stream = run({ files, concurrency, timeout: FILE_MS_MAX });
  stream.on("test:pass", (event) => {
    const where = `${relative(root, event.file ?? "")}: ${event.name}`;
    if (event.skip !== undefined) problems.push(`skipped: ${where}`);
    else if (event.todo !== undefined) problems.push(`todo: ${where}`);
    else if (event.details.type !== "suite" && !isFileItself(event.name, files)) passed += 1;
  });
  stream.on("test:fail", (event) => {
    if (event.details.type !== "suite" || !failedOnlyInside(event.details.error)) failed += 1;
    if (isFileItself(event.name, files)) unfinished.delete(resolve(event.name));
  });
  stream.on("test:summary", ({ file, counts }) => {
    if (file === undefined) return; // the one that sums up the others
    if (counts.tests > 0) unfinished.delete(file);
  });
  const printer = new spec();
  stream.pipe(printer).pipe(process.stdout, { end: false });
  await once(printer, "end");
  for (const file of unfinished) {
    problems.push(`${relative(root, file)} holds no test or ended before its tests did`);
  }
}

// A suite fails with each of its tests; only its own failures, as in a hook, count on top.
function failedOnlyInside(error: Error & { failureType?: string }): boolean {
  return error.failureType === "subtestsFailed";
}

// node:test reports a whole file as a test when the file reports none or breaks.
function isFileItself(name: string, files: readonly string[]): boolean {
  return files.includes(resolve(name));
}

function chooseFiles(wanted: readonly string[]): { files: string[]; problems: string[] } {
  const all = findFiles(root).map((path) => resolve(root, path));
  const tests = all.filter((path) => path.endsWith(suffix));
  if (wanted.length === 0) return { files: tests, problems: [] };
  const files = new Set<string>();
  const missing: string[] = [];
  for (const path of wanted.map((name) => resolve(name))) {
    const isFile = existsSync(path) && statSync(path).isFile();
    const found = isFile ? [path] : tests.filter((test) => test.startsWith(`${path}/`));
    for (const file of found) files.add(file);
    if (found.length === 0) missing.push(`no test at ${path}`);
  }
  return { files: [...files].sort(), problems: missing };
}
