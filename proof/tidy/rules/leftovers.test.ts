import { proveRule } from "../prove-rule.ts";
import { leftovers } from "./leftovers.ts";

// In two halves, so that this file does not report itself.
const word = (...halves: string[]): string => `-- ${halves.join("")}: later\n`;

proveRule(leftovers, {
  violating: {
    "core/a.ts": word("TO", "DO"),
    "setup/b.mjs": word("FIX", "ME"),
    "core/c.sql": word("XX", "X"),
  },
  clean: { "core/todo-list.ts": "// Nothing to do: todo is a word.\n" },
});
