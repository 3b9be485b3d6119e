import ts from "typescript";
import { isTypeScript } from "../house.ts";
import type { Rule } from "../rule.ts";
import { lineOf, linesOf, parse, walk } from "../syntax.ts";

/** Longest function, in lines, nested functions included. */
export const FUNCTION_LINES_MAX = 70;

const REGISTERS_TESTS = /^(test|it|describe|suite|before|after)(Each)?\(/;

export const functionLength: Rule = {
  sentence: `a function has at most ${FUNCTION_LINES_MAX} lines`,
  check: (files) =>
    files.filter(isTypeScript).flatMap((file) =>
      [...walk(parse(file))]
        .filter((node) => ts.isFunctionLike(node) && linesOf(node) > FUNCTION_LINES_MAX)
        .filter((node) => !isListOfTests(node))
        .map((node) => ({
          path: file.path,
          line: lineOf(node),
          message: `${linesOf(node)} lines, at most ${FUNCTION_LINES_MAX}`,
        })),
    ),
};

// A suite is a table of contents; the limit is for the tests in it.
function isListOfTests(node: ts.Node): boolean {
  const body = (node as ts.FunctionLikeDeclaration).body;
  if (body === undefined || !ts.isBlock(body)) return false;
  return body.statements.some((statement) => REGISTERS_TESTS.test(statement.getText()));
}
