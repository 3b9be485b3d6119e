import type { Rule } from "../rule.ts";

const SAYS_NOTHING = /^(utils?|helpers?|common|misc|types?|shared|lib|stuff)$/i;
const GENERATION = /(^|[-_.a-z])V\d+$|[-_.]v\d+$/;

export const fileNames: Rule = {
  sentence: "the name of a file or folder says what it holds",
  check: (files) =>
    files
      .filter(({ path }) => /\.(ts|tsx|mjs|js|cjs|css)$/.test(path))
      .flatMap(({ path }) =>
        path
          .split("/")
          .map((part) => part.replace(/(\.test)?\.[a-z]+$/, ""))
          .filter((name) => SAYS_NOTHING.test(name) || GENERATION.test(name))
          .map((name) => ({ path, message: `"${name}" does not say what it holds` })),
      ),
};
