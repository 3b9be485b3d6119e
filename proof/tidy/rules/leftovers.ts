import { isCode } from "../house.ts";
import type { Rule } from "../rule.ts";

// Spelled so that this file does not report itself.
const LEFTOVER = /\b(T[O]DO|F[I]XME|X[X]X)\b/;

export const leftovers: Rule = {
  sentence: "nothing is left to do in the code; it is done, or it is an issue",
  check: (files) =>
    files.filter(isCode).flatMap(({ path, text }) =>
      text
        .split("\n")
        .map((line, index) => ({ path, line: index + 1, word: LEFTOVER.exec(line)?.[0] }))
        .filter(({ word }) => word !== undefined)
        .map(({ line, word }) => ({ path, line, message: `${word ?? ""} is left` })),
    ),
};
