import { type Command, Option } from "commander";
import type { Flags } from "./config.ts";
import { type Act, examples, GROUPS } from "./declaring.ts";
import type { ExportOptions } from "./verbs/moves.ts";

/** Declares what takes runs out of a store and into another. */
export function declareMoves(program: Command, act: Act, statuses: readonly string[]): void {
  program
    .command("export")
    .helpGroup(GROUPS.store)
    .argument("[run...]", "ids, unique beginnings of them, or @last (default: all)")
    .description("write runs as text that claw import and claw replay take; families come together")
    .addOption(new Option("--status <status>", "only runs of this status").choices(statuses))
    .option("--workflow <name>", "only runs of this workflow")
    .option("--since <time>", "only runs started since: 1h, 2d, or an ISO time")
    .option("--out <file>", "where to write it; must not exist (default: stdout)")
    .option("--plain", "open all values, encrypted ones too; the store's owner has the keys")
    .addHelpText(
      "after",
      examples(
        "claw export --out runs.jsonl",
        "claw export @last > run.jsonl",
        "claw export --status failed",
      ),
    )
    .action(
      act(async (config, runs: string[], options: ExportOptions) =>
        (await import("./verbs/moves.ts")).exportVerb(config, runs, options),
      ),
    );
  program
    .command("import")
    .helpGroup(GROUPS.store)
    .argument("<file>", "what claw export wrote")
    .description("take runs into the store; open ones are held as paused until they are resumed")
    .option("--resume", "let open runs go on, also those that an earlier import of the file held")
    .addHelpText(
      "after",
      examples(
        "claw import runs.jsonl",
        "claw import runs.jsonl --resume",
        "claw import runs.jsonl --namespace trial",
      ),
    )
    .action(
      act(async (config, file: string, options: { resume?: boolean }) => {
        // Another namespace than that of the file is taken only when it was named here.
        const intoOtherNamespace = program.opts<Flags>().namespace !== undefined;
        const { importVerb } = await import("./verbs/moves.ts");
        return importVerb(config, file, { ...options, intoOtherNamespace });
      }),
    );
}
