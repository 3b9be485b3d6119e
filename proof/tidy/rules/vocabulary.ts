import { isProduct, isTypeScript } from "../house.ts";
import type { Rule } from "../rule.ts";
import { lineOf, parse } from "../syntax.ts";
import { exportedNames } from "./doc-comments.ts";

/** Banned word -> the word of this house. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ["job", "task"],
  ["execution", "run"],
  ["activity", "task"],
]);

export const vocabulary: Rule = {
  sentence: "exported names use the house's one word for one meaning",
  check: (files) =>
    files
      .filter((file) => isProduct(file) && isTypeScript(file))
      .flatMap((file) =>
        parse(file).statements.flatMap((statement) =>
          exportedNames(statement).flatMap((name) =>
            wordsOf(name)
              .filter((word) => SYNONYMS.has(word))
              .map((word) => ({
                path: file.path,
                line: lineOf(statement),
                message: `${name}: say ${SYNONYMS.get(word) ?? ""}, not ${word}`,
              })),
          ),
        ),
      ),
};

function wordsOf(name: string): string[] {
  const words = name.replace(/([a-z\d])([A-Z])/g, "$1 $2").split(/[^A-Za-z\d]+/);
  return words.map((word) => word.toLowerCase().replace(/ies$/, "y").replace(/s$/, ""));
}
