/**
 * THE ARROWS: which part of the house may import which. Rules for dependency-cruiser; the picture
 * is in docs/decisions/0002-arrows.md. Keys and values are path prefixes; what is not named is
 * forbidden. A part may always import itself.
 */
const ARROWS = {
  "core/protocol/": [],
  "core/engine/": ["core/protocol/"],
  "core/ports/": ["core/protocol/"],
  "core/(src/|index)": ["core/"],
  "authoring/sdk/": ["core/"],
  "authoring/dsl/": ["core/", "authoring/sdk/"],
  "authoring/agents/": ["core/", "authoring/sdk/"],
  "authoring/testkit/": ["core/", "authoring/", "services/", "adapters/"],
  "adapters/([^/]+)/": ["core/"],
  "services/(?!gateway/)([^/]+)/": ["core/", "authoring/sdk/"],
  "services/gateway/": ["core/", "authoring/sdk/", "services/"],
  "apps/cli/src/compose": ["core/", "authoring/", "services/", "adapters/", "apps/cli/"],
  "apps/cli/(?!src/compose)": ["core/", "authoring/", "services/", "apps/cli/"],
  "apps/console/": ["core/protocol/"],
  "proof/": ["core/", "authoring/", "services/", "adapters/", "apps/", "examples/", "tools/"],
  "examples/": ["core/", "authoring/", "services/", "adapters/"],
  "tools/": ["setup/"],
  "setup/": [],
};

/** What tests may import beyond the arrows of the part that they stand in. */
const ARROWS_OF_TESTS = {
  core: ["proof/"],
  authoring: ["proof/", "adapters/"],
  adapters: ["proof/"],
  services: ["proof/", "adapters/"],
  apps: ["proof/", "adapters/"],
  examples: ["proof/"],
  setup: ["proof/", "tools/"],
};

const HOUSE = "^(core|authoring|adapters|services|apps|proof|examples|tools|setup)/";
const TEST = "\\.test\\.ts$";

const arrows = Object.entries(ARROWS).flatMap(([part, reachable]) => {
  // `$1` is the folder that matched in `from`: one adapter does not see another.
  const itself = part.replace("(?!gateway/)([^/]+)", "$1").replace("([^/]+)", "$1");
  const allowed = [itself, ...reachable];
  const extra = ARROWS_OF_TESTS[part.split("/")[0]] ?? [];
  const rule = (name, from, paths) => ({
    name,
    severity: "error",
    from,
    to: { path: HOUSE, pathNot: `^(${paths.join("|")})` },
  });
  return [
    rule(`arrow-from-${part}`, { path: `^${part}`, pathNot: TEST }, allowed),
    rule(`arrow-from-tests-of-${part}`, { path: `^${part}.*${TEST}` }, [...allowed, ...extra]),
  ];
});

export default {
  forbidden: [
    ...arrows,
    // A cycle of types alone does not exist when the program runs.
    {
      name: "no-cycle",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "core-imports-nothing-of-node",
      severity: "error",
      from: { path: "^core/", pathNot: TEST },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "core-has-no-dependencies",
      severity: "error",
      from: { path: "^core/", pathNot: TEST },
      to: { path: "node_modules/" },
    },
    {
      name: "no-part-without-an-arrow",
      severity: "error",
      from: { path: HOUSE, pathNot: `^(${Object.keys(ARROWS).join("|")})` },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // The harness of the peers stands on packages of its own, installed on demand.
    exclude: { path: "(^|/)(dist|\\.runtime)/|^proof/benchmarks/peers/harness/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".json"],
    },
  },
};
