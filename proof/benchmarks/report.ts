import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** One measured figure; printed as one JSON line. */
export interface Figure {
  readonly workload: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly note?: string;
}

/** All figures that were reported, for the page. */
export const reported: { figure: Figure; durability: string }[] = [];

/** Prints a figure in the form that the peers' harness uses, so that both can stand in one table. */
export function report(figure: Figure, durability: string): void {
  const line = {
    peer: "openclaw",
    version: "0.1.0",
    workload: figure.workload,
    metric: figure.metric,
    value: rounded(figure.value),
    unit: figure.unit,
    durability,
    note: figure.note ?? "",
  };
  reported.push({ figure, durability });
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Says what is being done, on stderr. */
export function progress(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function rounded(value: number): number {
  if (!Number.isFinite(value)) return value;
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(4));
}

/** The value below which `percent` of the values lie. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length));
  return sorted[at] ?? Number.NaN;
}

/** User and system CPU seconds of this process so far. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Median milliseconds of writing 4 KiB at the end of a file in `folder` and fdatasync. */
export function flushMs(folder: string, samples = 300): number {
  const file = path.join(folder, "flush-probe");
  const handle = fs.openSync(file, "w");
  const block = Buffer.alloc(4_096, 1);
  const times: number[] = [];
  for (let at = 0; at < samples; at++) {
    const start = performance.now();
    fs.writeSync(handle, block, 0, block.length, at * block.length);
    fs.fdatasyncSync(handle);
    times.push(performance.now() - start);
  }
  fs.closeSync(handle);
  fs.rmSync(file);
  return percentile(times, 50);
}

/** A folder that is removed afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "claw-bench-"));
  try {
    return await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs `one(i)` for i from 0 below `count`, at most `window` at a time. */
export async function windowed(
  count: number,
  window: number,
  one: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: Math.min(window, count) }, lane));
}
