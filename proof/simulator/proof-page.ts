import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { WorldReport } from "./report.ts";

const PAGE = resolve(import.meta.dirname, "../../docs/proof.md");

/** Writes what a run over many seeds counted into the page; the rest of it stays as it is. */
export function writeCounts(reports: readonly WorldReport[], seconds: number): void {
  const totals = new Map<string, number>();
  for (const { counts } of reports) {
    for (const [name, count] of Object.entries(counts)) {
      totals.set(name, (totals.get(name) ?? 0) + count);
    }
  }
  const failed = reports.filter(({ problems }) => problems.length > 0).length;
  const lines = [
    `${reports.length} worlds in ${Math.round(seconds)} s, ${failed} failed. Counts per 1,000 worlds:`,
    "",
    "| what | how often |",
    "|---|---:|",
  ];
  for (const name of [...totals.keys()].sort()) {
    const perThousand = Math.round(((totals.get(name) ?? 0) * 1_000) / reports.length);
    lines.push(`| ${name} | ${perThousand.toLocaleString("en-US")} |`);
  }
  replacePart("counts", lines);
}

/** Writes the table of planted bugs, as it was printed, into the page. */
export function writePlanted(printed: readonly string[]): void {
  const lines = ["| planted bug | found by | seeds | seconds |", "|---|---|---:|---:|"];
  for (const line of printed) {
    const match = /^(\d+) {2}([\d.]+) {2}.*? {2}(.+?): (seed \d+), ([^:]+)/.exec(line);
    if (match === null) continue;
    const [, seeds, seconds, bug, , invariant] = match;
    lines.push(`| ${bug} | ${invariant} | ${seeds} | ${seconds} |`);
  }
  replacePart("planted", lines);
}

function replacePart(name: string, lines: readonly string[]): void {
  const text = readFileSync(PAGE, "utf8");
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${PAGE} has no place for ${name}`);
  writeFileSync(
    PAGE,
    `${text.slice(0, from + begin.length)}\n${lines.join("\n")}\n${text.slice(to)}`,
  );
}
