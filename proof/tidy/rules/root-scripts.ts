import type { Rule } from "../rule.ts";

/** The most scripts that a newcomer has to choose from. */
export const ROOT_SCRIPTS_MAX = 12;

export const rootScripts: Rule = {
  sentence: `the root has at most ${ROOT_SCRIPTS_MAX} scripts, and each sets itself up`,
  check: (files) =>
    files
      .filter(({ path }) => path === "package.json")
      .flatMap(({ path, text }) => {
        const { scripts = {} } = JSON.parse(text) as { scripts?: Record<string, string> };
        const bare = Object.entries(scripts).filter(
          ([name, command]) => command !== `node setup/run.mjs ${name}`,
        );
        const count = Object.keys(scripts).length;
        const tooMany = count > ROOT_SCRIPTS_MAX ? [`${count} scripts`] : [];
        return [...tooMany, ...bare.map(([name]) => `${name} does not go through setup/`)].map(
          (message) => ({ path, message }),
        );
      }),
};
