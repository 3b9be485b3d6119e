import { proveRule } from "../prove-rule.ts";
import { noPlaces } from "./no-places.ts";

proveRule(noPlaces, {
  violating: {
    "docs/a.md": "See /work/main for it.",
    "core/b.ts": 'const home = "/root/.npmrc";',
    ".ci/run": "cd /home/someone/checkout",
    "package-lock.json": '"resolved": "https://registry.npmjs.org/a/-/a-1.0.0.tgz"',
    "docs/c.md": "in /Users/someone/code",
  },
  clean: {
    "docs/a.md": "The framework/root/ folder, ./work/ and https://example.org/work/.",
    "services/b.ts": 'const path = "/runs/:id";',
  },
});
