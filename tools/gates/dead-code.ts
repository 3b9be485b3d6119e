import type { Gate } from "./gate.ts";
import { runTool } from "./run-tool.ts";

export const deadCode: Gate = {
  name: "dead code",
  check: (root) =>
    runTool(root, "tools/node_modules/knip/bin/knip.js", [
      "-c",
      "tools/knip.json",
      "--no-progress",
      "--reporter",
      "compact",
    ]),
  canary: {
    plants: {
      "core/engine/planted-unused.ts": "export const nobody = 1;\n",
      "core/engine/planted.ts": "export const used = 1;\nexport const unused = 2;\n",
      "core/engine/planted.test.ts": `
        import { used } from "./planted.ts";
        import "left-pad";
        console.log(used);
      `,
    },
    caught: [
      ["core/engine/planted-unused.ts"],
      ["core/engine/planted.ts", "unused"],
      ["core/engine/planted.test.ts", "left-pad"],
    ],
  },
};
