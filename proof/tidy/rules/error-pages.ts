import { isCode, isTest } from "../house.ts";
import type { Rule, SourceFile, Violation } from "../rule.ts";

const REGISTRY = "core/protocol/errors.ts";
const PAGE = /^docs\/errors\/(CLAW-\d{4})\.md$/;
const CODE = /\bCLAW-\d{4}\b/g;

export const errorPages: Rule = {
  sentence: "every error code has a page, and every page and every mention a registered code",
  check: (files) => {
    const registry = files.find(({ path }) => path === REGISTRY);
    if (registry === undefined) return []; // no errors yet, so no pages either
    const codes = new Set(registry.text.match(/\bCLAW-\d{4}(?="?: \{)/g));
    const pages = new Map(files.map((file) => [PAGE.exec(file.path)?.[1], file]));
    return [
      ...[...codes].flatMap((code) => checkPage(code, pages.get(code))),
      ...[...pages.keys()]
        .filter((code) => code !== undefined && !codes.has(code))
        .map((code) => ({ path: `docs/errors/${code ?? ""}.md`, message: "is not registered" })),
      ...files.flatMap((file) => unregistered(file, codes)),
      ...(codes.size === 0 ? [{ path: REGISTRY, message: "no code found in it" }] : []),
    ];
  },
};

function checkPage(code: string, page: SourceFile | undefined): Violation[] {
  if (page === undefined) return [{ path: REGISTRY, message: `docs/errors/${code}.md is missing` }];
  if (page.text.split("\n")[0]?.startsWith(`# ${code}`)) return [];
  return [{ path: page.path, line: 1, message: `does not begin with "# ${code}"` }];
}

function unregistered(file: SourceFile, codes: ReadonlySet<string>): Violation[] {
  if (!isCode(file) || isTest(file)) return [];
  const unknown = new Set([...(file.text.match(CODE) ?? [])].filter((code) => !codes.has(code)));
  return [...unknown].map((code) => ({ path: file.path, message: `${code} is not registered` }));
}
