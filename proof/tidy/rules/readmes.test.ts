import { proveRule } from "../prove-rule.ts";
import { readmes } from "./readmes.ts";

proveRule(readmes, {
  around: { "README.md": "# OpenClaw: one runtime for all of it\n" },
  violating: {
    "core/README.md": "# core\n",
    "apps/README.md": "# apps: what people start. And more than that.\n",
    "services/README.md": "\n",
    "adapters/README.md": `# adapters: ${"very ".repeat(40)} long\n`,
    "README.md": "# OpenClaw\n",
  },
  clean: {
    "core/README.md": "# core: the pure heart of it\n\nMore. And more.\n",
    "core/package.json": "{}",
    "proof/README.md": "# proof: shows that it is right\n",
    "proof/tidy/README.md": "# tidy: the style rules, executable\n",
    "proof/tidy/rule.ts": "",
  },
});
