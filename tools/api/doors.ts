import type { Door } from "./read-api.ts";

/** What people and adapters import; everything else is the house's own. */
export const DOORS: readonly Door[] = [
  { name: "@claw/sdk", entry: "authoring/sdk/src/index.ts" },
  { name: "@claw/runtime", entry: "services/runtime/src/index.ts" },
  { name: "@claw/testkit", entry: "authoring/testkit/src/index.ts" },
  { name: "@claw/core/ports", entry: "core/ports/index.ts" },
];

/** What the doors' exports are made of. */
export const REST = "shapes";
