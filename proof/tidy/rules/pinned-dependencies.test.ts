import { proveRule } from "../prove-rule.ts";
import { pinnedDependencies } from "./pinned-dependencies.ts";

const good = { private: true, license: "Apache-2.0", type: "module" };

proveRule(pinnedDependencies, {
  violating: {
    "core/package.json": JSON.stringify({ ...good, dependencies: { fastify: "^5.0.0" } }),
    "apps/cli/package.json": JSON.stringify({ ...good, private: false }),
    "apps/web/package.json": JSON.stringify({ ...good, license: "MIT" }),
    "apps/old/package.json": JSON.stringify({ ...good, type: "commonjs" }),
    "package.json": JSON.stringify({ ...good, devDependencies: { typescript: "latest" } }),
  },
  clean: {
    "package.json": JSON.stringify({
      ...good,
      dependencies: { fastify: "5.12.8", "@claw/core": "*" },
      devDependencies: { typescript: "npm:@typescript/typescript6@6.0.2" },
    }),
  },
});
