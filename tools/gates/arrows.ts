import { existsSync } from "node:fs";
import { join } from "node:path";
import { findFiles } from "../find-files.ts";
import type { Gate, Verdict } from "./gate.ts";
import { runTool } from "./run-tool.ts";

const PARTS = [
  "core",
  "authoring",
  "adapters",
  "services",
  "apps",
  "proof",
  "examples",
  "tools",
  "setup",
];

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

async function check(root: string): Promise<Verdict> {
  const parts = PARTS.filter((part) => existsSync(join(root, part)));
  const program = "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs";
  const args = ["--config", "tools/arrows.mjs", "--output-type", "json", ...parts];
  const { stdout, report } = await runTool(root, program, args);
  if (!stdout.startsWith("{")) return { ok: false, report };
  const { modules, summary } = JSON.parse(stdout) as Cruise;
  const lines = summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
  // A cruiser that cannot read TypeScript skips it and reports "no violations".
  const seen = new Set(modules.map((module) => module.source));
  const unseen = parts.flatMap((part) =>
    findFiles(join(root, part))
      .map((path) => `${part}/${path}`)
      .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts") && !seen.has(path)),
  );
  lines.push(...unseen.map((path) => `not cruised: ${path}`));
  return { ok: lines.length === 0, report: lines.map((line) => `${line}\n`).join("") };
}

export const arrows: Gate = {
  name: "arrows",
  check,
  canary: {
    plants: {
      "core/engine/planted-a.ts": `
        import type { B } from "./planted-b.ts";
        import type { Port } from "../ports/planted.ts";
        import { readFileSync } from "node:fs";
        import type { Gone } from "./not-there.ts";
        import type { Missing } from "@claw/not-there";
        export type A = [B, Port, typeof readFileSync, Gone, Missing];
      `,
      "core/engine/planted-b.ts": `import type { A } from "./planted-a.ts"; export type B = A;`,
      "core/protocol/planted-a.ts": `import { b } from "./planted-b.ts"; export const a = () => b;`,
      "core/protocol/planted-b.ts": `import { a } from "./planted-a.ts"; export const b = () => a;`,
      "core/ports/planted.ts": `export interface Port { readonly a: string }`,
      "core/planted.ts": `import "./ports/planted.ts";`,
      "adapters/store-memory/src/planted.ts": `
        import "@claw/runtime";
        import "../../store-sqlite/src/planted.ts";
      `,
      "adapters/store-sqlite/src/planted.ts": "export {};",
      "services/runtime/src/planted.ts": `import "@claw/store-memory";`,
      "services/runtime/src/planted-b.ts": `import "@claw/gateway";`,
      "services/gateway/src/planted.ts": `import "@claw/runtime";`,
      "apps/cli/src/planted.ts": `import "@claw/store-sqlite"; import "@claw/proof";`,
      "apps/cli/src/compose-planted.ts": `import "@claw/store-sqlite";`,
    },
    caught: [
      ["no-cycle", "core/protocol/planted-a.ts", "core/protocol/planted-b.ts"],
      ["arrow-from-core/engine/", "core/engine/planted-a.ts", "core/ports/planted.ts"],
      ["core-imports-nothing-of-node", "core/engine/planted-a.ts", "fs"],
      ["no-unresolved", "core/engine/planted-a.ts", "./not-there.ts"],
      ["no-unresolved", "core/engine/planted-a.ts", "@claw/not-there"],
      ["no-part-without-an-arrow", "core/planted.ts"],
      ["arrow-from-adapters/", "adapters/store-memory/src/planted.ts", "services/runtime/"],
      ["arrow-from-adapters/", "adapters/store-memory/src/planted.ts", "adapters/store-sqlite/"],
      ["arrow-from-services/", "services/runtime/src/planted.ts", "adapters/store-memory/"],
      ["arrow-from-services/", "services/runtime/src/planted-b.ts", "services/gateway/"],
      ["arrow-from-apps/cli/", "apps/cli/src/planted.ts", "adapters/store-sqlite/"],
      ["arrow-from-apps/cli/", "apps/cli/src/planted.ts", "proof/"],
    ],
  },
};
