import { proveRule } from "../prove-rule.ts";
import { ROOT_SCRIPTS_MAX, rootScripts } from "./root-scripts.ts";

const manifest = (count: number, folder = "setup"): string => {
  const names = Array.from({ length: count }, (_, index) => `script${index}`);
  const scripts = Object.fromEntries(names.map((name) => [name, `node ${folder}/run.mjs ${name}`]));
  return JSON.stringify({ scripts });
};

proveRule(rootScripts, {
  violating: {
    ["package.json"]: manifest(ROOT_SCRIPTS_MAX + 1),
  },
  clean: { "package.json": manifest(ROOT_SCRIPTS_MAX) },
});

proveRule(rootScripts, {
  violating: { "package.json": manifest(1, "elsewhere") },
  clean: { "package.json": manifest(1), "core/package.json": '{ "scripts": { "own": "x" } }' },
});
