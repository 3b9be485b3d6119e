import type { Gate } from "./gate.ts";
import { runTool } from "./run-tool.ts";

const biome = "tools/node_modules/@biomejs/biome/bin/biome";
const options = ["format", "--config-path=tools/format.json", "--max-diagnostics=none"];

export const format: Gate = {
  name: "format",
  check: (root) => runTool(root, biome, [...options, "."]),
  canary: {
    plants: { "core/engine/planted.ts": "export const   crooked = 'single'\n" },
    caught: [["core/engine/planted.ts", "format"]],
  },
};
