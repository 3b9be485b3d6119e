import { resolve } from "node:path";
import type { Gate } from "./gate.ts";
import { runTool } from "./run-tool.ts";

// The peers' harness is other people's style on other people's packages. A pattern in lint.json would be
// relative to tools/.
const IGNORED = ["--ignore-pattern", "proof/benchmarks/peers/harness/**"];
const tsgolint = resolve(import.meta.dirname, "../node_modules/.bin/tsgolint");

const FLAGS = ["--type-aware", "--tsconfig", "tsconfig.json", "-f", "unix"];

export const lint: Gate = {
  name: "lint",
  check: (root) =>
    runTool(
      root,
      "tools/node_modules/oxlint/bin/oxlint",
      ["-c", "tools/lint.json", ...FLAGS, ...IGNORED],
      { OXLINT_TSGOLINT_PATH: tsgolint },
    ),
  canary: {
    plants: {
      "core/engine/planted.ts": `
        import "node:fs";
        export const now = Date.now();
        export const dice = Math.random();
        export const pid = process.pid;
        setTimeout(() => {}, 1);
      `,
      "services/runtime/src/planted.ts": `
        async function later(): Promise<void> {}
        export function forget(): void { later(); }
        export function pass(): void { [1].forEach(later); }
        export function loose(value: any): void { if (value == 1) throw "text"; }
      `,
    },
    caught: [
      ["core/engine/planted.ts", "no-restricted-imports"],
      ["core/engine/planted.ts", "'Date'", "no-restricted-globals"],
      ["core/engine/planted.ts", "'Math.random'", "no-restricted-properties"],
      ["core/engine/planted.ts", "'process'", "no-restricted-globals"],
      ["core/engine/planted.ts", "'setTimeout'", "no-restricted-globals"],
      ["services/runtime/src/planted.ts", "no-floating-promises"],
      ["services/runtime/src/planted.ts", "no-misused-promises"],
      ["services/runtime/src/planted.ts", "no-explicit-any"],
      ["services/runtime/src/planted.ts", "eqeqeq"],
      ["services/runtime/src/planted.ts", "only-throw-error"],
    ],
  },
};
