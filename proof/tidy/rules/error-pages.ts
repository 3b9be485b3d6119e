import { isCode, isTest } from "../house.ts";
import type { Rule, SourceFile, Violation } from "../rule.ts";

const REGISTRY = /^core\/protocol\/error-codes\/.*\.ts$/;
const TABLE = "docs/errors/README.md";
const PAGE = /^docs\/errors\/(CLAW-\d{4})\.md$/;
const CODE = /\bCLAW-\d{4}\b/g;
const BLOCK = /"(CLAW-\d{4})": \{([^}]*)\}/g;
const SECTIONS = ["What happened", "Why", "What to do", "Example"];

interface Registered {
  readonly path: string;
  readonly code: string;
  readonly title: string;
  readonly retryable: string;
  readonly status: string;
}

export const errorPages: Rule = {
  sentence:
    "every error code has a page and a row, and every page, row and mention a registered code",
  check: (files) => {
    const registries = files.filter(({ path }) => REGISTRY.test(path));
    const [first] = registries;
    if (first === undefined) return []; // no errors yet, so no pages either
    const registered = registries.flatMap(registeredIn);
    const codes = new Set(registered.map(({ code }) => code));
    const pages = new Map(files.map((file) => [PAGE.exec(file.path)?.[1], file]));
    return [
      ...registered.flatMap((one) => checkPage(one, pages.get(one.code))),
      ...[...pages.keys()]
        .filter((code) => code !== undefined && !codes.has(code))
        .map((code) => ({ path: `docs/errors/${code ?? ""}.md`, message: "is not registered" })),
      ...checkTable(registered, files.find(({ path }) => path === TABLE)?.text ?? ""),
      ...files.flatMap((file) => unregistered(file, codes)),
      ...(codes.size === 0 ? [{ path: first.path, message: "no code found in it" }] : []),
    ];
  },
};

function registeredIn({ path, text }: SourceFile): Registered[] {
  return [...text.matchAll(BLOCK)].map(([, code = "", body = ""]) => ({
    path,
    code,
    title: /title: "((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? "",
    retryable: body.includes("retryable: true") ? "yes" : "no",
    status: /status: (\d+)/.exec(body)?.[1] ?? "",
  }));
}

function checkPage(registered: Registered, page: SourceFile | undefined): Violation[] {
  const { code, title } = registered;
  if (page === undefined) {
    return [{ path: registered.path, message: `docs/errors/${code}.md is missing` }];
  }
  const { path, text } = page;
  const head = `# ${code}: ${title}`;
  const missing = SECTIONS.filter((section) => !text.includes(`\n## ${section}\n`));
  return [
    ...(text.split("\n")[0] === head ? [] : [{ path, line: 1, message: `is not "${head}"` }]),
    ...missing.map((section) => ({ path, message: `has no section "${section}"` })),
  ];
}

function checkTable(registered: readonly Registered[], text: string): Violation[] {
  const rows = text.split("\n").filter((line) => line.startsWith("| [CLAW-"));
  const wanted = registered.map(
    ({ code, title, retryable, status }) =>
      `| [${code}](${code}.md) | ${title} | ${retryable} | ${status} |`,
  );
  return [
    ...wanted.filter((row) => !rows.includes(row)).map((row) => `lacks ${row}`),
    ...rows.filter((row) => !wanted.includes(row)).map((row) => `has ${row}`),
  ].map((message) => ({ path: TABLE, message }));
}

function unregistered(file: SourceFile, codes: ReadonlySet<string>): Violation[] {
  if (!isCode(file) || isTest(file)) return [];
  const unknown = new Set([...(file.text.match(CODE) ?? [])].filter((code) => !codes.has(code)));
  return [...unknown].map((code) => ({ path: file.path, message: `${code} is not registered` }));
}
