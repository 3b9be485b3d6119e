import type { Mutation } from "./mutations.ts";

/** Planted bugs of code that says how it was changed. */
export const CODE_MUTATIONS: readonly Mutation[] = [
  {
    bug: "a declared insert is taken for a divergence",
    edits: [
      {
        file: "core/engine/evolution.ts",
        search:
          "  evolution.inserting = [...run.open].some((call) => isInserted(call, evolution.inserts));\n",
        replacement: "  evolution.inserting = false;\n",
      },
    ],
  },
  {
    bug: "a run in the middle of its journal takes the new way of a patch",
    edits: [
      {
        file: "core/engine/commands/take-patch.ts",
        search: "  if (!undelivered && run.divergence === null) {\n",
        replacement: "  if (run.divergence === null) {\n",
      },
    ],
  },
];
