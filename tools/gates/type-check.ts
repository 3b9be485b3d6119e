import type { Gate } from "./gate.ts";
import { runTool } from "./run-tool.ts";

export const types: Gate = {
  name: "types",
  check: (root) =>
    runTool(root, "node_modules/@typescript/native/bin/tsc", ["-p", ".", "--pretty", "false"]),
  canary: {
    plants: {
      "core/engine/planted.ts": `
        export const wrong: number = "text";
        export function first(list: number[]): number { return list[0]; }
        export const optional: { a?: string } = { a: undefined };
        export enum NotErasable { A }
      `,
    },
    caught: [
      ["core/engine/planted.ts", "TS2322", "'string' is not assignable to type 'number'"],
      ["core/engine/planted.ts", "TS2322", "'number | undefined'"],
      ["core/engine/planted.ts", "TS2375"],
      ["core/engine/planted.ts", "TS1294"],
    ],
  },
};
