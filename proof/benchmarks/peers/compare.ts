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
 * A table of ours beside each peer, with two factors. Typical: the median of our rounds against the
 * median of the peer's best variant. At worst: the worst of our rounds against the best figure of the peer.
 */
export function compare(ours: readonly Figures[], theirs: readonly Figures[]): string {
  const our = ours.flatMap(({ lines }) => lines);
  const their = theirs.flatMap(({ lines }) => lines);
  const peers = [...new Set(their.map(({ peer }) => peer))];
  const rows = peers.flatMap((peer) => {
    const its = their.filter((line) => line.peer === peer);
    return ROWS.flatMap((row) => rowOf(row, our, its));
  });
  return table([["workload", "ours", "peer", "its best variant", "typical", "at worst"], ...rows]);
}

function rowOf(row: Row, our: readonly Line[], their: readonly Line[]): string[][] {
  const mine = variantsOf(our, row)[0];
  const its = bestOf(variantsOf(their, row), row);
  if (mine === undefined || its === undefined) return [];
  const [best, worst] = row.better === "more" ? [Math.max, Math.min] : [Math.min, Math.max];
  const factors = [
    advantage(row, median(mine), median(its)),
    advantage(row, worst(...mine), best(...its)),
  ];
  const cells = [row.title, mine.join(", "), their[0]?.peer ?? "", its.join(", ")];
  return [[...cells, ...factors.map((factor) => `${factor.toFixed(1)}x`)]];
}

function bestOf(variants: readonly number[][], row: Row): number[] | undefined {
  return variants.reduce<number[] | undefined>((best, one) => {
    return best === undefined || advantage(row, median(one), median(best)) > 1 ? one : best;
  }, undefined);
}

/** How many times better the first is than the second. */
function advantage({ better }: Row, first: number, second: number): number {
  return better === "more" ? first / second : second / first;
}

// Values by the whole name of the metric: "runs/s (service handler)" is one variant, "runs/s (workflow)" another.
function variantsOf(lines: readonly Line[], { workload, metric }: Row): number[][] {
  const variants = new Map<string, number[]>();
  for (const line of lines) {
    if (line.workload !== workload) continue;
    if (line.metric !== metric && !line.metric.startsWith(`${metric} (`)) continue;
    const values = variants.get(line.metric) ?? [];
    values.push(line.value);
    variants.set(line.metric, values);
  }
  return [...variants.values()];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [
    sorted[Math.ceil(half) - 1] ?? Number.NaN,
    sorted[Math.floor(half)] ?? Number.NaN,
  ];
  return (low + high) / 2;
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
