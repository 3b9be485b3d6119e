import { proveRule } from "../prove-rule.ts";
import { docComments } from "./doc-comments.ts";

proveRule(docComments, {
  around: {
    "core/package.json": '{ "exports": { ".": "./src/index.ts" } }',
    "core/src/index.ts": `
      export { a, b as c } from "../protocol/named.ts";
      export * from "../protocol/all.ts";
      export type { T } from "../protocol/type.ts";
    `,
    "adapters/x/package.json": '{ "exports": { ".": "./src/index.ts" } }',
  },
  violating: {
    "core/protocol/named.ts": "/** A. */ export const a = 1; export function b() {}",
    "core/protocol/all.ts": "export interface Open {}",
    "core/protocol/type.ts": "// not a doc comment\nexport type T = string;",
    "adapters/x/src/index.ts": "export class Store {}",
  },
  clean: {
    "core/protocol/named.ts": "/** A. */\nexport const a = 1;\n/** B. */\nexport function b() {}",
    "core/protocol/all.ts": "/** Open. */ export interface Open {} interface Inner {}",
    "core/protocol/type.ts": "/** T. */ export type T = string; export const inside = 1;",
  },
});
