import type { Figures, Line } from "./measure.ts";

interface Row {
  readonly title: string;
  readonly workload: string;
  /** Ours has one figure of this name, peers may have several variants: "runs/s (workflow)". */
  readonly metric: string;
  readonly better: "more" | "less";
}

const ROWS: readonly Row[] = [
  { title: "W1 runs/s", workload: "W1", metric: "runs/s", better: "more" },
  { title: "W1 CPU s per 1,000 runs", workload: "W1", metric: "cpu per 1000 runs", better: "less" },
  { title: "W2 1 step, p50 ms", workload: "W2", metric: "1-step p50", better: "less" },
  { title: "W2 5 steps, p50 ms", workload: "W2", metric: "5-step p50", better: "less" },
];

/**
 * A table of ours beside each peer. The factor is the careful one: the worst of our rounds against
 * the best of the peer's variants.
 */
export function compare(ours: readonly Figures[], theirs: readonly Figures[]): string {
  const our = ours.flatMap(({ lines }) => lines);
  const rows = theirs.flatMap(({ lines }) => rowsOf(our, lines));
  return table([["workload", "ours", "peer", "its figures", "factor"], ...rows]);
}

function rowsOf(our: readonly Line[], their: readonly Line[]): string[][] {
  const peer = their[0]?.peer ?? "?";
  return ROWS.flatMap((row) => {
    const mine = valuesOf(our, row);
    const its = valuesOf(their, row);
    if (mine.length === 0 || its.length === 0) return [];
    const factor =
      row.better === "more"
        ? Math.min(...mine) / Math.max(...its)
        : Math.min(...its) / Math.max(...mine);
    return [[row.title, mine.join(", "), peer, its.join(", "), `${factor.toFixed(1)}x`]];
  });
}

function valuesOf(lines: readonly Line[], { workload, metric }: Row): number[] {
  return lines
    .filter((line) => line.workload === workload)
    .filter((line) => line.metric === metric || line.metric.startsWith(`${metric} (`))
    .map((line) => line.value);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const lineOf = (row: readonly string[]): string =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  return rows.map((row) => `${lineOf(row)}\n`).join("");
}
