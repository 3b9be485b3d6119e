import { isCode, isTest } from "../house.ts";
import type { Rule } from "../rule.ts";

/** Longest file, in lines. */
export const FILE_LINES_MAX = 500;
/** Longest test file, in lines. */
export const TEST_LINES_MAX = 800;

export const fileLength: Rule = {
  sentence: `a file has at most ${FILE_LINES_MAX} lines, a test ${TEST_LINES_MAX}`,
  check: (files) =>
    files.filter(isCode).flatMap((file) => {
      const lines = file.text.trimEnd().split("\n").length;
      const linesMax = isTest(file) ? TEST_LINES_MAX : FILE_LINES_MAX;
      if (lines <= linesMax) return [];
      return [{ path: file.path, message: `${lines} lines, at most ${linesMax}` }];
    }),
};
