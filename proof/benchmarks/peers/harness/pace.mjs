// Small parts that every other file stands on: time, choices from the environment, rounding.
import path from "node:path";
import { fileURLToPath } from "node:url";

export const HERE = path.dirname(fileURLToPath(import.meta.url));
export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
export const now = () => Number(process.hrtime.bigint()) / 1e6;
export const ONLY = process.env.ONLY ? new Set(process.env.ONLY.split(",")) : null;
export const want = (w) => !ONLY || ONLY.has(w);
export const N = (name, dflt) => Number(process.env[name] ?? dflt);

export function round(x) {
  if (typeof x !== "number" || !Number.isFinite(x)) return x;
  return Math.abs(x) >= 1000 ? Math.round(x) : Number(x.toPrecision(4));
}

export async function until(fn, { timeoutMs = 60000, everyMs = 20, what = "condition" } = {}) {
  const t0 = now();
  for (;;) {
    let v;
    try {
      v = await fn();
    } catch {
      v = false;
    }
    if (v) return v;
    if (now() - t0 > timeoutMs) throw new Error(`timed out waiting for ${what}`);
    await sleep(everyMs);
  }
}
