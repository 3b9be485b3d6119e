import { proveRule } from "../prove-rule.ts";
import { vocabulary } from "./vocabulary.ts";

proveRule(vocabulary, {
  violating: {
    "core/a.ts": "export interface JobQueue {}",
    "core/b.ts": "export const EXECUTIONS_MAX = 1;",
    "authoring/c.ts": "export function startActivity(): void {}",
    "authoring/d.ts": "export type Activities = string[];",
  },
  clean: {
    "core/a.ts": "export interface TaskQueue {} interface Job {}",
    "core/b.ts": "export const EXECUTOR_COUNT = 1; export class Jobless {}",
    "core/c.test.ts": "export const job = 1;",
  },
});
