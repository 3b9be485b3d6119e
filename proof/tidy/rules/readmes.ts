import type { Rule, SourceFile, Violation } from "../rule.ts";

const SENTENCE_LENGTH_MAX = 160;

export const readmes: Rule = {
  sentence: "every top folder and workspace has a README whose first line is its one sentence",
  check: (files) => {
    const byPath = new Map(files.map((file) => [file.path, file]));
    return foldersOf(files).flatMap((folder) => checkReadme(folder, byPath));
  },
};

function foldersOf(files: readonly SourceFile[]): string[] {
  const folders = new Set([""]);
  for (const { path } of files) {
    const top = path.split("/")[0] ?? "";
    if (path.includes("/") && !top.startsWith(".")) folders.add(`${top}/`);
    if (path.endsWith("/package.json")) folders.add(path.slice(0, -"package.json".length));
    const part = /^proof\/[^/]+\/(?=[^/]+)/.exec(path)?.[0];
    if (part !== undefined && part !== "proof/src/") folders.add(part);
  }
  return [...folders];
}

function checkReadme(folder: string, files: ReadonlyMap<string, SourceFile>): Violation[] {
  const path = `${folder}README.md`;
  const first = files.get(path)?.text.split("\n")[0];
  if (first === undefined) return [{ path: folder, message: "has no README.md" }];
  const sentence = first.replace(/^#+ /, "");
  const problem =
    sentence.trim() === ""
      ? "is empty"
      : sentence.length > SENTENCE_LENGTH_MAX
        ? `is longer than ${SENTENCE_LENGTH_MAX} characters`
        : /[.!?]\s+\S/.test(sentence)
          ? "is more than one sentence"
          : sentence.split(/\s+/).length < 4
            ? "is a name, not a sentence"
            : undefined;
  return problem === undefined ? [] : [{ path, line: 1, message: `the first line ${problem}` }];
}
