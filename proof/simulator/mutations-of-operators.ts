import type { Mutation } from "./mutations.ts";

const WRITE = "adapters/store-memory/src/write-run.ts";

/** Planted bugs of forks, retention, limits, senders, generations and decisions. */
export const OPERATOR_MUTATIONS: readonly Mutation[] = [
  {
    bug: "a fork keeps the end of the call that it was made from",
    edits: [
      {
        file: "services/runtime/src/fork.ts",
        search: "  const before = record.journal.slice(0, at);\n",
        replacement: "  const before = record.journal.slice(0, at + 1);\n",
      },
    ],
  },
  {
    bug: "retention takes open runs",
    edits: [
      {
        file: "adapters/store-memory/src/sweep.ts",
        search: "  for (const id of seen) {\n",
        replacement: `  for (const { id, startedAt } of disk.runs.values()) {
    if (startedAt < latest && !order.dryRun) disk.runs.delete(id);
  }
  for (const id of seen) {
`,
      },
    ],
  },
  {
    bug: "a sender does not touch the row of the run",
    edits: [
      {
        file: "adapters/store-memory/src/deliver-message.ts",
        search: "  disk.runs.set(to, { ...run, inboxSeq: seq, due: stays ? run.due : 1 });\n",
        replacement:
          "  disk.runs.set(to, { ...run, inboxSeq: seq, due: stays ? run.due : run.due });\n",
      },
    ],
  },
  {
    bug: "a new generation begins with an empty inbox",
    edits: [
      {
        file: WRITE,
        search: "  disk.generations.add(run, {",
        replacement: "  disk.inbox.delete(run);\n  disk.generations.add(run, {",
      },
    ],
  },
  {
    bug: "a decision that the end of its run meets is forgotten",
    edits: [
      {
        file: "core/engine/commands/finish-run.ts",
        search: "  noteDecisions(run, nowMs);\n  const draft",
        replacement: "  const draft",
      },
    ],
  },
];
