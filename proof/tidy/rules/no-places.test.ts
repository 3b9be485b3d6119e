import { proveRule } from "../prove-rule.ts";
import { noPlaces } from "./no-places.ts";

// Put together here, so that this file names no such place itself.
const CHECKOUT = ["", "work", "main"].join("/");
const REGISTRY = ["registry", "npmjs", "org"].join(".");

proveRule(noPlaces, {
  violating: {
    "docs/a.md": `See ${CHECKOUT} for it.`,
    "core/b.ts": 'const home = "/root/.npmrc";',
    ".ci/run": "cd /home/someone/checkout",
    "package-lock.json": `"resolved": "https://${REGISTRY}/a/-/a-1.0.0.tgz"`,
    "proof/dump.sql": `at Object.body (file://${CHECKOUT}/flow.ts:33:30)`,
    "docs/c.md": "in /Users/someone/code",
  },
  clean: {
    "docs/a.md": "The framework/root/ folder, ./root/ and https://example.org/root/.",
    "services/b.ts": 'const path = "/runs/:id";',
  },
});
