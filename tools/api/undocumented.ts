import type { Package } from "./read-api.ts";

/** A line for each export, field and method without a doc comment: where it stands and its name. */
export function undocumented(packages: readonly Package[]): string[] {
  return packages.flatMap(({ items }) =>
    items.flatMap(({ name, file, line, doc, members }) => [
      ...(doc === "" ? [`${file}:${line}: ${name} has no doc comment`] : []),
      ...members
        .filter((member) => member.doc === "" && !member.isMark)
        .map((member) => `${file}:${member.line}: ${name}.${member.name} has no doc comment`),
    ]),
  );
}
