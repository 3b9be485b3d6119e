import { posix } from "node:path";
import ts from "typescript";
import type { Rule, SourceFile, Violation } from "../rule.ts";
import { lineOf, parse } from "../syntax.ts";

type Files = ReadonlyMap<string, SourceFile>;

export const docComments: Rule = {
  sentence: "every symbol that a workspace exports has a doc comment",
  check: (files) => {
    const byPath = new Map(files.map((file) => [file.path, file]));
    const found = doorsOf(files).flatMap((door) => undocumented(door, undefined, byPath, []));
    return [...new Map(found.map((one) => [`${one.path}:${one.message}`, one])).values()];
  },
};

// The public files of all workspaces: what the `exports` of their manifests name.
function doorsOf(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => /^(core|authoring|adapters|services|apps)\/.*package\.json$/.test(path))
    .flatMap(({ path, text }) => {
      const { exports = {} } = JSON.parse(text) as { exports?: Record<string, string> };
      return Object.values(exports).map((door) => posix.join(posix.dirname(path), door));
    });
}

/** Looks at the exports of a file (at those in `names`, or at all), through re-exports. */
function undocumented(
  path: string,
  names: ReadonlySet<string> | undefined,
  files: Files,
  trail: readonly string[],
): Violation[] {
  const file = files.get(path);
  if (file === undefined || trail.includes(path)) return [];
  const wanted = (name: string): boolean => names === undefined || names.has(name);
  return parse(file).statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement)) {
      const from = statement.moduleSpecifier;
      if (from === undefined || !ts.isStringLiteral(from) || !from.text.startsWith(".")) return [];
      const target = posix.join(posix.dirname(path), from.text);
      return undocumented(target, passedOn(statement, names), files, [...trail, path]);
    }
    const missing = hasDocComment(statement) ? [] : exportedNames(statement).filter(wanted);
    return missing.map((name) => ({
      path,
      line: lineOf(statement),
      message: `${name} has no doc comment`,
    }));
  });
}

// `export { a as b } from` asks the other file for `a`; `export * from` passes the question on.
function passedOn(
  { exportClause }: ts.ExportDeclaration,
  names: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return names;
  return new Set(
    exportClause.elements
      .filter(({ name }) => names === undefined || names.has(name.text))
      .map(({ name, propertyName }) => (propertyName ?? name).text),
  );
}

/** The names that a statement declares and exports itself. */
export function exportedNames(statement: ts.Statement): string[] {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  }
  const { name } = statement as ts.DeclarationStatement;
  return [name?.getText() ?? "default"];
}

function hasDocComment(statement: ts.Statement): boolean {
  // An overload and the implementation after it share the comment of the first signature.
  if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) {
    const name = statement.name.text;
    const all = statement.getSourceFile().statements.filter(ts.isFunctionDeclaration);
    return all.some((one) => one.name?.text === name && ts.getJSDocCommentsAndTags(one).length > 0);
  }
  return ts.getJSDocCommentsAndTags(statement).length > 0;
}
