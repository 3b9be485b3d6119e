import ts from "typescript";
import type { SourceFile } from "./rule.ts";

const parsed = new Map<string, ts.SourceFile>();

/** The syntax tree of a TypeScript file, with parents. */
export function parse({ path, text }: SourceFile): ts.SourceFile {
  const key = `${path}\0${text}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  parsed.set(key, tree);
  return tree;
}

/** Every node below `node`, itself first. */
export function* walk(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    children.push(child);
  });
  for (const child of children) yield* walk(child);
}

/** The line where a node begins, from 1. */
export function lineOf(node: ts.Node): number {
  const tree = node.getSourceFile();
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

/** How many lines a node spans. */
export function linesOf(node: ts.Node): number {
  const tree = node.getSourceFile();
  return tree.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - lineOf(node);
}
