import { realpathSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";

/** One thing that a package exports, or that its exports are made of. */
export interface Item {
  readonly name: string;
  readonly kind: "function" | "class" | "interface" | "type" | "constant";
  /** Path from the root of the house. */
  readonly file: string;
  readonly line: number;
  /** Its doc comment; empty when it has none. */
  readonly doc: string;
  /** How it is declared, without bodies and without the members that are listed. */
  readonly text: string;
  readonly members: readonly Member[];
}

/** A field or method of an interface, of a class or of an object type. */
export interface Member {
  readonly name: string;
  readonly line: number;
  readonly doc: string;
  readonly text: string;
  /**
   * True for what needs no words: a field that can have one value only, such as `kind: "task"`, and what the language
   * prescribes, such as `[Symbol.iterator]`.
   */
  readonly isMark: boolean;
}

/** What a package shows. */
export interface Package {
  readonly name: string;
  readonly items: readonly Item[];
}

/** A door of the house: the name that others import, and the file behind it. */
export interface Door {
  readonly name: string;
  readonly entry: string;
}

/**
 * Reads what the doors export, in the order of names. The last package, named `rest`, has what those exports are made
 * of and no door exports. Errors: an Error for an entry that is not there.
 */
export function readApi(from: string, doors: readonly Door[], rest: string): Package[] {
  // The compiler follows links to where files are.
  const root = realpathSync(from);
  const program = programOf(root, doors);
  const checker = program.getTypeChecker();
  const seen = new Set<ts.Symbol>();
  const packages: Package[] = [];
  const needed = new Set<ts.Symbol>();
  for (const { name, entry } of doors) {
    const source = program.getSourceFile(join(root, entry));
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${entry} exports nothing that could be read`);
    const symbols = checker.getExportsOfModule(module).map((one) => resolved(checker, one));
    const own = symbols.filter((symbol) => !seen.has(symbol));
    for (const symbol of own) seen.add(symbol);
    for (const symbol of own) collect(symbol, checker, root, needed);
    packages.push({ name, items: itemsOf(own, root) });
  }
  const more = [...needed].filter((symbol) => !seen.has(symbol));
  packages.push({ name: rest, items: itemsOf(more, root) });
  return packages;
}

function programOf(root: string, doors: readonly Door[]): ts.Program {
  const read = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, root);
  return ts.createProgram(
    doors.map(({ entry }) => join(root, entry)),
    options,
  );
}

function resolved(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

// What the declarations of a symbol name, and what those name.
function collect(
  symbol: ts.Symbol,
  checker: ts.TypeChecker,
  root: string,
  needed: Set<ts.Symbol>,
): void {
  for (const declaration of symbol.declarations ?? []) {
    visitTypes(declaration, (name) => {
      const found = checker.getSymbolAtLocation(name);
      if (found === undefined) return;
      const target = resolved(checker, found);
      if (needed.has(target) || !isOfHouse(target, root) || !isExported(target)) return;
      needed.add(target);
      collect(target, checker, root, needed);
    });
  }
}

// Types in signatures and fields; bodies and values are nobody's business.
function visitTypes(node: ts.Node, see: (name: ts.EntityName) => void): void {
  if (ts.isBlock(node) || ts.isConstructorDeclaration(node) || isHidden(node)) return;
  if (ts.isVariableDeclaration(node) && node.initializer !== undefined) {
    if (node.type !== undefined) visitTypes(node.type, see);
    return;
  }
  if (ts.isPropertyDeclaration(node)) {
    if (node.type !== undefined) visitTypes(node.type, see);
    return;
  }
  if (ts.isTypeReferenceNode(node)) see(node.typeName);
  if (ts.isExpressionWithTypeArguments(node) && ts.isIdentifier(node.expression)) {
    see(node.expression);
  }
  ts.forEachChild(node, (child) => visitTypes(child, see));
}

function isOfHouse(symbol: ts.Symbol, root: string): boolean {
  const file = symbol.declarations?.[0]?.getSourceFile().fileName ?? "";
  return file.startsWith(`${root}/`) && !file.includes("/node_modules/");
}

function isExported(symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).some(
    (declaration) =>
      (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Export) !== 0 &&
      !ts.isTypeParameterDeclaration(declaration),
  );
}

function itemsOf(symbols: readonly ts.Symbol[], root: string): Item[] {
  const items = symbols.flatMap((symbol) => itemOf(symbol, root) ?? []);
  return items.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function itemOf(symbol: ts.Symbol, root: string): Item | null {
  // A type and a value of one name are one item, which the type describes.
  const all = symbol.declarations ?? [];
  const declaration = all.find(isTypeLike) ?? all[0];
  if (declaration === undefined) return null;
  const tree = declaration.getSourceFile();
  const members = membersOf(declaration);
  return {
    name: symbol.name,
    kind: kindOf(declaration),
    file: relative(root, tree.fileName),
    line: tree.getLineAndCharacterOfPosition(declaration.getStart(tree)).line + 1,
    doc: all.map(docOf).find((text) => text !== "") ?? "",
    text: members.length > 0 ? headOf(declaration) : all.map(textOf).join("\n"),
    members,
  };
}

function isTypeLike(node: ts.Declaration): boolean {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

function kindOf(node: ts.Node): Item["kind"] {
  if (ts.isFunctionDeclaration(node)) return "function";
  if (ts.isClassDeclaration(node)) return "class";
  if (ts.isInterfaceDeclaration(node)) return "interface";
  return ts.isTypeAliasDeclaration(node) ? "type" : "constant";
}

function membersOf(node: ts.Declaration): Member[] {
  // Who makes an object knows how; others get it from a function.
  const list = memberNodes(node).filter(
    (member) => !isHidden(member) && !(ts.isConstructorDeclaration(member) && docOf(member) === ""),
  );
  const members: Member[] = [];
  for (const member of list) {
    const name = nameOf(member);
    const tree = member.getSourceFile();
    const line = tree.getLineAndCharacterOfPosition(member.getStart(tree)).line + 1;
    const one = {
      name,
      line,
      doc: docOf(member),
      text: textOf(member),
      isMark: isMark(member) || name.startsWith("[Symbol."),
    };
    // Overloads are one member, which the first of them describes.
    const first = members.findIndex((known) => known.name === name);
    const known = members[first];
    if (known === undefined) members.push(one);
    else members[first] = { ...known, text: `${known.text}\n${one.text}` };
  }
  return members;
}

function isMark(node: ts.Node): boolean {
  const { type } = node as { type?: ts.Node };
  return type !== undefined && ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal);
}

function memberNodes(node: ts.Declaration): readonly ts.Node[] {
  if (ts.isInterfaceDeclaration(node)) return node.members;
  if (ts.isClassDeclaration(node)) return node.members;
  if (ts.isTypeAliasDeclaration(node) && ts.isTypeLiteralNode(node.type)) return node.type.members;
  return [];
}

function isHidden(node: ts.Node): boolean {
  if (ts.isClassStaticBlockDeclaration(node)) return true;
  const name = (node as { name?: ts.Node }).name;
  if (name !== undefined && ts.isPrivateIdentifier(name)) return true;
  if (!ts.canHaveModifiers(node)) return false;
  return ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) === true;
}

function nameOf(node: ts.Node): string {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  const { name } = node as { name?: ts.Node };
  if (name !== undefined) return name.getText();
  return ts.isIndexSignatureDeclaration(node) ? "[name]" : "(call)";
}

function docOf(node: ts.Node): string {
  const tree = node.getSourceFile();
  // The comment of `export const x = ...` stands before the whole statement.
  const at = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  const ranges = ts.getLeadingCommentRanges(tree.text, at.getFullStart()) ?? [];
  const last = ranges.findLast(({ pos }) => tree.text.startsWith("/**", pos));
  if (last === undefined) return "";
  return tree.text
    .slice(last.pos + 3, last.end - 2)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim();
}

// The words between "export" and the members.
function headOf(node: ts.Declaration): string {
  const text = textOf(node);
  return text.slice(0, text.indexOf("{")).trim();
}

function textOf(node: ts.Node): string {
  const tree = node.getSourceFile();
  const body = (node as { body?: ts.Node }).body;
  const end = body === undefined ? node.getEnd() : body.getFullStart();
  let text = tree.text.slice(node.getStart(tree), end);
  if (ts.isVariableDeclaration(node)) text = constantText(node, text);
  if (ts.isPropertyDeclaration(node) && node.initializer !== undefined) {
    text = tree.text.slice(node.getStart(tree), (node.type ?? node.name).getEnd());
  }
  const plain = text.replace(/^export (default )?/, "").replace(/\/\*\*[^]*?\*\/\s*/g, "");
  return dedent(plain.trim().replace(/;$/, ""));
}

function constantText(node: ts.VariableDeclaration, text: string): string {
  if (node.initializer === undefined) return `const ${text}`;
  const { initializer } = node;
  if (ts.isLiteralExpression(initializer)) return `const ${text}`;
  const type = node.type === undefined ? "" : `: ${node.type.getText()}`;
  return `const ${node.name.getText()}${type}`;
}

function dedent(text: string): string {
  const lines = text.split("\n");
  const last = lines.at(-1) ?? "";
  const by = /^ */.exec(last)?.[0].length ?? 0;
  return lines
    .map((line, at) =>
      at === 0 ? line : line.slice(Math.min(by, /^ */.exec(line)?.[0].length ?? 0)),
    )
    .join("\n");
}
