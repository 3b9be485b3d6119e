import type { Gate } from "./gate.ts";
import { runTool } from "./run-tool.ts";

/** The rules of `proof/tidy`; each rule's own canaries are tests beside it. */
export const tidy: Gate = {
  name: "tidy",
  check: (root) => runTool(root, `${root}/tools/run-tests.ts`, ["proof/tidy"]),
  canary: {
    plants: { "core/engine/utils.ts": "export {};\n" },
    caught: [["core/engine/utils.ts"]],
  },
};
