import { resolve } from "node:path";
import { arrows } from "./gates/arrows.ts";
import { deadCode } from "./gates/dead-code.ts";
import { format } from "./gates/format.ts";
import type { Gate, Verdict } from "./gates/gate.ts";
import { lint } from "./gates/lint.ts";
import { reference } from "./gates/reference.ts";
import { tidy } from "./gates/tidy.ts";
import { types } from "./gates/type-check.ts";
import { withPlantedCopy } from "./planted-copy.ts";

const GATES: readonly Gate[] = [types, lint, format, arrows, deadCode, reference, tidy];

interface Row {
  readonly name: string;
  readonly seconds: string;
  readonly verdict: Verdict;
}

const root = resolve(import.meta.dirname, "..");
const wanted = process.argv.slice(2);
const gates = GATES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const rows: Row[] = [];
for (const gate of gates) {
  rows.push(await timed(gate.name, () => gate.check(root)));
  rows.push(await timed(`${gate.name}: canary`, () => canary(gate)));
}
printTable();

async function timed(name: string, act: () => Promise<Verdict>): Promise<Row> {
  process.stderr.write(`check: ${name} ...\n`);
  const startMs = performance.now();
  const verdict = await act();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  if (!verdict.ok) process.stdout.write(`\n${name} failed:\n${verdict.report}\n`);
  return { name, seconds, verdict };
}

// The gate must fail on a copy of the house with planted violations, and name each of them.
function canary({ check, canary: { plants, caught } }: Gate): Promise<Verdict> {
  return withPlantedCopy(root, plants, async (copy) => {
    const verdict = await check(copy);
    const lines = verdict.report.split("\n");
    const missed = caught.filter(
      (words) => !lines.some((line) => words.every((word) => line.includes(word))),
    );
    const report = missed.map((words) => `not caught: ${words.join(" ")}\n`).join("");
    return { ok: !verdict.ok && missed.length === 0, report: `${report}${verdict.report}` };
  });
}

function printTable(): void {
  const width = Math.max(...rows.map(({ name }) => name.length), "gate".length);
  const line = (name: string, seconds: string, result: string): string =>
    `${name.padEnd(width)}  ${seconds.padStart(7)}  ${result}\n`;
  process.stdout.write(`\n${line("gate", "seconds", "result")}`);
  for (const { name, seconds, verdict } of rows) {
    process.stdout.write(line(name, seconds, verdict.ok ? "ok" : "FAILED"));
  }
  const passed = rows.filter(({ verdict }) => verdict.ok).length;
  process.stdout.write(`${passed} passed, ${rows.length - passed} failed\n`);
  process.exitCode = passed === rows.length && passed > 0 ? 0 : 1;
}
