import { proveRule } from "../prove-rule.ts";
import { FUNCTION_LINES_MAX, functionLength } from "./function-length.ts";

const lines = (count: number): string => "  work();\n".repeat(count);
const body = lines(FUNCTION_LINES_MAX - 1);

proveRule(functionLength, {
  violating: {
    "core/function.ts": `export function long(): void {\n${body}}\n`,
    "core/arrow.ts": `export const long = () => {\n${body}};\n`,
    "core/method.ts": `export class A {\n  long() {\n${body}  }\n}\n`,
    "core/long.test.ts": `test("long", () => {\n${body}});\n`,
  },
  clean: {
    "core/full.ts": `export function full(): void {\n${lines(FUNCTION_LINES_MAX - 2)}}\n`,
    "core/suite.test.ts": `describe("s", () => {\n${'  test("t", () => {});\n'.repeat(100)}});\n`,
  },
});
