import ts from "typescript";
import { isTypeScript } from "../house.ts";
import type { Rule, SourceFile, Violation } from "../rule.ts";
import { lineOf, parse, walk } from "../syntax.ts";

const SWITCHED_OFF = /(?:oxlint|eslint)-disable|biome-ignore|@ts-(?:expect-error|ignore|nocheck)/;
const LETTERS_MIN = 10;

export const reasons: Rule = {
  sentence: "any, a cast through unknown and a switched-off check give their reason beside them",
  check: (files) => files.filter(isTypeScript).flatMap((file) => [...casts(file), ...off(file)]),
};

function casts(file: SourceFile): Violation[] {
  const lines = file.text.split("\n");
  return [...walk(parse(file))]
    .map((node) => ({ node, what: looseness(node) }))
    .filter(({ node, what }) => what !== undefined && !hasReason(lines, lineOf(node)))
    .map(({ node, what }) => ({
      path: file.path,
      line: lineOf(node),
      message: `${what ?? ""} without a reason`,
    }));
}

function looseness(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AnyKeyword) return "any";
  const isThroughUnknown =
    ts.isAsExpression(node) &&
    ts.isAsExpression(node.expression) &&
    node.expression.type.kind === ts.SyntaxKind.UnknownKeyword;
  return isThroughUnknown ? "a cast through unknown" : undefined;
}

// A comment at the end of the line, or one that ends on the line before.
function hasReason(lines: readonly string[], line: number): boolean {
  const beside = /\/\/(.*)$|\/\*(.*)\*\//.exec(lines[line - 1] ?? "")?.[0];
  const above = /^\s*(\/\/.*|\*.*|.*\*\/)$/.exec(lines[line - 2] ?? "")?.[0];
  return [beside, above].some((text) => text !== undefined && letters(text) >= LETTERS_MIN);
}

function off({ path, text }: SourceFile): Violation[] {
  return text.split("\n").flatMap((line, index) => {
    const comment = /(\/\/|\/\*).*/.exec(line)?.[0] ?? "";
    const what = SWITCHED_OFF.exec(comment)?.[0];
    if (what === undefined) return [];
    const reason = /(--|: |@ts-expect-error )(.*)$/.exec(comment)?.[2] ?? "";
    if (letters(reason) >= LETTERS_MIN) return [];
    return [{ path, line: index + 1, message: `${what} without a reason` }];
  });
}

function letters(text: string): number {
  return text.replace(/[^a-z]/gi, "").length;
}
