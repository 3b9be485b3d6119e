import { resolve } from "node:path";
import { publicApi, referencePages, writePages } from "./api/reference.ts";
import { runTool } from "./gates/run-tool.ts";

const root = resolve(import.meta.dirname, "..");
const { ok, report } = await runTool(root, "tools/node_modules/@biomejs/biome/bin/biome", [
  "format",
  "--config-path=tools/format.json",
  "--write",
  ...(process.argv.length > 2 ? process.argv.slice(2) : ["."]),
]);
process.stdout.write(report);
// Some files alone get their format and nothing else.
if (process.argv.length === 2) writePages(root, referencePages(publicApi(root)));
process.exitCode = ok ? 0 : 1;
