import { resolve } from "node:path";
import { runTool } from "./gates/run-tool.ts";

const root = resolve(import.meta.dirname, "..");
const { ok, report } = await runTool(root, "tools/node_modules/@biomejs/biome/bin/biome", [
  "format",
  "--config-path=tools/format.json",
  "--write",
  ...(process.argv.length > 2 ? process.argv.slice(2) : ["."]),
]);
process.stdout.write(report);
process.exitCode = ok ? 0 : 1;
