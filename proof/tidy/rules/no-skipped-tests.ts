import ts from "typescript";
import { isTest, isTypeScript } from "../house.ts";
import type { Rule } from "../rule.ts";
import { lineOf, parse, walk } from "../syntax.ts";

const CALLED = /^(test|it|describe|suite|t|context|ctx)$/;
const SWITCH = /^(skip|only|todo)$/;

export const noSkippedTests: Rule = {
  sentence: "no test is skipped, put off or run alone",
  check: (files) =>
    files
      .filter((file) => isTypeScript(file) && (isTest(file) || file.path.startsWith("proof/")))
      .flatMap((file) =>
        [...walk(parse(file))]
          .filter((node) => isSwitchedCall(node) || isSwitchOption(node))
          .map((node) => ({ path: file.path, line: lineOf(node), message: node.getText() })),
      ),
};

// test.skip(...), t.todo()
function isSwitchedCall(node: ts.Node): boolean {
  return (
    ts.isPropertyAccessExpression(node) &&
    SWITCH.test(node.name.text) &&
    ts.isIdentifier(node.expression) &&
    CALLED.test(node.expression.text) &&
    ts.isCallExpression(node.parent)
  );
}

// test("name", { skip: true }, ...)
function isSwitchOption(node: ts.Node): boolean {
  if (!ts.isPropertyAssignment(node) && !ts.isShorthandPropertyAssignment(node)) return false;
  if (!SWITCH.test(node.name.getText())) return false;
  const call = node.parent.parent;
  return ts.isCallExpression(call) && CALLED.test(call.expression.getText().replace(/^.*\./, ""));
}
