import type { Rule, Violation } from "../rule.ts";

interface Manifest {
  readonly private?: boolean;
  readonly license?: string;
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const EXACT = /^(npm:@?[\w./-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;

export const pinnedDependencies: Rule = {
  sentence: "every workspace is a private ES module and pins its dependencies exactly",
  check: (files) =>
    files
      .filter(({ path }) => path === "package.json" || path.endsWith("/package.json"))
      .flatMap(({ path, text }) => checkManifest(path, JSON.parse(text) as Manifest)),
};

function checkManifest(path: string, manifest: Manifest): Violation[] {
  const messages: string[] = [];
  if (manifest.private !== true) messages.push("is not private");
  if (manifest.license !== "Apache-2.0") messages.push("does not name the license");
  if (manifest.type !== "module") messages.push("is not an ES module");
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
  for (const [name, range] of Object.entries(all)) {
    if (!name.startsWith("@claw/") && !EXACT.test(range)) messages.push(`${name} is not pinned`);
  }
  return messages.map((message) => ({ path, message }));
}
