import { CommanderError } from "commander";
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
    process.exitCode = failed(error, args);
  }
}

function failed(error: unknown, args: readonly string[]): number {
  // Commander has written its words by now.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const asksJson = args.some((arg, at) => /^(-o|--output)?=?jsonl?$/.test(arg) && at > 0);
  printError(error, asksJson ? "json" : "table", args.includes("--verbose"));
  return exitOf(error);
}
