import { proveRule } from "../prove-rule.ts";
import { errorPages } from "./error-pages.ts";

const registry = (...codes: string[]): string => {
  const blocks = codes.map(
    (code) => `  "${code}": {\n    title: "It is bad",\n    status: 400,\n  },\n`,
  );
  return `export const ERRORS = {\n${blocks.join("")}};\n`;
};
const page = (head: string, ...sections: string[]): string =>
  [head, ...sections.map((section) => `## ${section}\n\nText.\n`)].join("\n\n");
const SECTIONS = ["What happened", "Why", "What to do", "Example"];
const good = page("# CLAW-1001: It is bad", ...SECTIONS);
const row = "| [CLAW-1001](CLAW-1001.md) | It is bad | no | 400 |\n";

const around = {
  "core/protocol/error-codes/runs.ts": registry("CLAW-1001"),
  "docs/errors/CLAW-1001.md": good,
  "docs/errors/README.md": row,
};

proveRule(errorPages, {
  around,
  violating: {
    "core/protocol/error-codes/runs.ts": registry("CLAW-1001", "CLAW-1002"),
    "docs/errors/CLAW-1003.md": page("# CLAW-1003: gone", ...SECTIONS),
    "docs/errors/CLAW-1001.md": page("# CLAW-1001: It is good", ...SECTIONS),
    "docs/errors/README.md": row.replace("| no |", "| yes |"),
    "services/runtime/src/commit.ts": 'throw new ClawError("CLAW-1004");',
  },
  clean: {
    "services/runtime/src/commit.ts": 'throw new ClawError("CLAW-1001");',
    "services/runtime/src/commit.test.ts": 'assert.equal(parse("CLAW-9999"), undefined);',
  },
});

proveRule(errorPages, {
  around,
  violating: {
    "docs/errors/CLAW-1001.md": page("# CLAW-1001: It is bad", "What happened", "Why", "Example"),
    "docs/errors/README.md": `${row}| [CLAW-1002](CLAW-1002.md) | It is gone | no | 400 |\n`,
  },
  clean: { "docs/errors/CLAW-1001.md": good },
});
