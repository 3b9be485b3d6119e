import type { Rule } from "../rule.ts";

const OPENS = "(?:^|file://|[\\s\"'`(=:,\\[])";
const REGISTRY_HOST = ["registry", "(npmjs|yarnpkg|npmmirror)", "(org|com)"].join("\\.");
const PLACES = new RegExp(
  [
    `${OPENS}/(work|farm|root|home/\\w+|Users/\\w+)/`,
    REGISTRY_HOST,
    "npm\\.pkg\\.github\\.com",
  ].join("|"),
);

export const noPlaces: Rule = {
  sentence: "no file names a folder of one machine or the host of a package registry",
  check: (files) =>
    files
      .filter(({ path }) => !path.includes("/no-places."))
      .flatMap(({ path, text }) =>
        text
          .split("\n")
          .map((line, index) => ({ path, line: index + 1, place: PLACES.exec(line)?.[0] }))
          .filter(({ place }) => place !== undefined)
          .map(({ line, place }) => ({ path, line, message: (place ?? "").trim() })),
      ),
};
