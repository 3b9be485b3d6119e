import { CommanderError } from "commander";
import type { Flags } from "./config.ts";
import { declareVerbs } from "./declare-verbs.ts";
import { EXIT, exitOf } from "./exit-codes.ts";
import { printError } from "./terminal.ts";
import { hostUserModules } from "./user-modules.ts";

/** Runs one command line; sets the process's exit code. */
export async function runClaw(args: readonly string[]): Promise<void> {
  hostUserModules();
  // A reader that has seen enough (`claw list | head`) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    throw error;
  });
  const { program, outcome } = declareVerbs();
  try {
    await program.parseAsync([...args], { from: "user" });
    process.exitCode = outcome.exit;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has written its words by now.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    const { output, verbose } = program.opts<Flags>();
    const isTable = output === undefined || output === "table";
    printError(error, isTable ? "table" : "json", verbose === true);
    process.exitCode = exitOf(error);
  }
}
