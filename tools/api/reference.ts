import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DOORS, REST } from "./doors.ts";
import { type Item, type Member, type Package, readApi } from "./read-api.ts";

const FOLDER = "docs/reference";
const LINE_CHARS_MAX = 100;

const INTROS: Readonly<Record<string, string>> = {
  "@claw/sdk": "what authors of workflows and tasks import",
  "@claw/runtime": "runs workflows and tasks inside of a process",
  "@claw/testkit": "tests of workflows in virtual time",
  "@claw/core/ports": "what stores, executors and codecs of others implement",
  [REST]:
    "what the exports of the other pages are made of, from `@claw/core/protocol` and `@claw/core/engine`",
};

const KINDS: readonly [Item["kind"], string][] = [
  ["function", "Functions"],
  ["class", "Classes"],
  ["constant", "Constants"],
  ["interface", "Interfaces"],
  ["type", "Types"],
];

/** The public interface of the house. */
export function publicApi(root: string): Package[] {
  return readApi(root, DOORS, REST);
}

/** Pages by path from the root, as they should be. */
export function referencePages(packages: readonly Package[]): ReadonlyMap<string, string> {
  const pages = packages.map((one): [string, string] => [
    `${FOLDER}/${pageOf(one.name)}`,
    page(one),
  ]);
  return new Map([[`${FOLDER}/README.md`, contents(packages)], ...pages]);
}

/** A line for each page that is not as it should be. */
export function stalePages(root: string, pages: ReadonlyMap<string, string>): string[] {
  const stale = [...pages].filter(([path, text]) => {
    const file = join(root, path);
    return !existsSync(file) || readFileSync(file, "utf8") !== text;
  });
  const extra = filesOf(root).filter((path) => !pages.has(path));
  return [
    ...stale.map(([path]) => `${path} is not what the doc comments say: npm run format`),
    ...extra.map((path) => `${path} belongs to nothing: npm run format`),
  ];
}

/** Writes the pages, and removes what belongs to nothing any more. */
export function writePages(root: string, pages: ReadonlyMap<string, string>): void {
  mkdirSync(join(root, FOLDER), { recursive: true });
  for (const path of filesOf(root)) if (!pages.has(path)) rmSync(join(root, path));
  for (const [path, text] of pages) writeFileSync(join(root, path), text);
}

function filesOf(root: string): string[] {
  const folder = join(root, FOLDER);
  return existsSync(folder) ? readdirSync(folder).map((name) => `${FOLDER}/${name}`) : [];
}

function pageOf(name: string): string {
  return `${name.split("/").at(-1)}.md`;
}

function contents(packages: readonly Package[]): string {
  const rows = packages.map(
    ({ name, items }) =>
      `| [${name}](${pageOf(name)}) | ${INTROS[name] ?? ""} | ${items.map((item) => `\`${item.name}\``).join(" ")} |`,
  );
  return [
    "# reference: every public function, type and field, written from the doc comments",
    "",
    "`npm run format` writes these pages; `npm run check` compares them and wants a doc comment for each export and field.",
    "The command line has `claw VERB --help`, the HTTP routes stand in [services/gateway](../../services/gateway/README.md).",
    "",
    "| page | what for | what is in it |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function page({ name, items }: Package): string {
  const parts = KINDS.flatMap(([kind, title]) => {
    const own = items.filter((item) => item.kind === kind);
    return own.length === 0 ? [] : [`## ${title}`, "", ...own.flatMap(section)];
  });
  return [`# ${name}: ${INTROS[name] ?? ""}`, "", ...parts].join("\n");
}

function section({ name, file, doc, text, members }: Item): string[] {
  const lines = [`### ${name}`, "", linked(doc), ""];
  if (members.length === 0 || text.includes("<") || text.includes(" extends ")) {
    lines.push("```ts", text, "```", "");
  }
  if (members.length > 0) lines.push(...members.map(memberLine), "");
  lines.push(`Declared in [${file}](../../${file}).`, "");
  return lines;
}

function memberLine({ name, text, doc }: Member): string {
  const plain = text.replace(/\breadonly /g, "").replace(/\s+/g, " ");
  const said = linked(doc.replace(/\s*\n\s*/g, " "));
  if (plain.length <= LINE_CHARS_MAX)
    return said === "" ? `- \`${plain}\`` : `- \`${plain}\`: ${said}`;
  const code = text.replace(/\breadonly /g, "").replace(/^/gm, "  ");
  return `- **${name}**: ${said}\n\n  \`\`\`ts\n${code}\n  \`\`\`\n`;
}

function linked(doc: string): string {
  return doc.replace(/\bCLAW-\d{4}\b/g, (code) => `[${code}](../errors/${code}.md)`);
}
