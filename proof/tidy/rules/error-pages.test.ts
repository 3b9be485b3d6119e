import { proveRule } from "../prove-rule.ts";
import { errorPages } from "./error-pages.ts";

const registry = (...codes: string[]): string =>
  `export const ERRORS = {\n${codes.map((code) => `  "${code}": {\n  },\n`).join("")}};\n`;

proveRule(errorPages, {
  around: {
    "core/protocol/errors.ts": registry("CLAW-1001"),
    "docs/errors/CLAW-1001.md": "# CLAW-1001: the definition is not valid\n",
  },
  violating: {
    "core/protocol/errors.ts": registry("CLAW-1001", "CLAW-1002"),
    "docs/errors/CLAW-1003.md": "# CLAW-1003: gone\n",
    "docs/errors/CLAW-1001.md": "# Something else\n",
    "services/runtime/src/commit.ts": 'throw new ClawError("CLAW-1004");',
  },
  clean: {
    "services/runtime/src/commit.ts": 'throw new ClawError("CLAW-1001");',
    "services/runtime/src/commit.test.ts": 'assert.equal(parse("CLAW-9999"), undefined);',
  },
});
