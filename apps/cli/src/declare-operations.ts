import type { Command } from "commander";
import { type Act, examples, GROUPS } from "./declaring.ts";

const RUN = "id, unique beginning of one, or @last";

/** Declares what an operator can do to a run. */
export function declareOperations(program: Command, act: Act): void {
  declarePauses(program, act);
  declareForks(program, act);
  declareReplay(program, act);
  program
    .command("terminate")
    .helpGroup(GROUPS.operate)
    .argument("<run>", RUN)
    .description("end a run at once: none of its code runs, nothing is undone")
    .option("--reason <text>", "why")
    .addHelpText("after", examples('claw terminate @last --reason "wrong customer"'))
    .action(
      act(async (config, run: string, options: { reason?: string }) =>
        (await import("./verbs/operations.ts")).terminate(config, run, options),
      ),
    );
  program
    .command("skip")
    .helpGroup(GROUPS.operate)
    .arguments("<run> <call>")
    .description("answer an open call in place of what it waits for")
    .option("--value <json>", 'what it answers, "-" reads stdin')
    .option("--by <name>", "who does it (default: the user of this machine)")
    .addHelpText("after", examples("claw skip @last charge --value '{\"paid\":true}'"))
    .action(
      act(async (config, run: string, call: string, options: { value?: string; by?: string }) =>
        (await import("./verbs/operations.ts")).skip(config, run, call, options),
      ),
    );
}

function declarePauses(program: Command, act: Act): void {
  program
    .command("pause")
    .helpGroup(GROUPS.operate)
    .argument("<run>", RUN)
    .description("let a run begin nothing more until it is resumed")
    .option("--note <text>", "why; shown with the run")
    .addHelpText("after", examples('claw pause @last --note "the bank is down"'))
    .action(
      act(async (config, run: string, options: { note?: string }) =>
        (await import("./verbs/operations.ts")).pause(config, run, options),
      ),
    );
  program
    .command("resume")
    .helpGroup(GROUPS.operate)
    .argument("<run>", RUN)
    .description("let a paused run go on")
    .addHelpText("after", examples("claw resume @last"))
    .action(
      act(async (config, run: string) =>
        (await import("./verbs/operations.ts")).resume(config, run),
      ),
    );
}

function declareForks(program: Command, act: Act): void {
  program
    .command("fork")
    .helpGroup(GROUPS.operate)
    .argument("<run>", RUN)
    .description("make a new run that goes on from before the end of a call")
    .requiredOption("--from <call>", "the call that runs again, as claw journal shows it")
    .option("--input <json>", 'another input, "-" reads stdin')
    .addHelpText("after", examples("claw fork @last --from charge"))
    .action(
      act(async (config, run: string, options: { from: string; input?: string }) =>
        (await import("./verbs/operations.ts")).fork(config, run, options),
      ),
    );
  program
    .command("retry")
    .helpGroup(GROUPS.operate)
    .argument("<run>", RUN)
    .description("make a new run of one that failed, from the call that ended it")
    .addHelpText("after", examples("claw retry @last"))
    .action(
      act(async (config, run: string) =>
        (await import("./verbs/operations.ts")).retry(config, run),
      ),
    );
}

function declareReplay(program: Command, act: Act): void {
  program
    .command("replay")
    .helpGroup(GROUPS.operate)
    .description("replay the journals of open runs with other code; runs and writes nothing")
    .requiredOption("--against <paths...>", "files or folders of the other code")
    .option("--workflow <name>", "only runs of this workflow")
    .option(
      "--from <file>",
      "the runs that claw export wrote, instead of the open ones of the store",
    )
    .addHelpText(
      "after",
      examples("claw replay --against flows", "claw replay --against flows --from runs.jsonl"),
    )
    .action(
      act(async (config, options: { against: string[]; workflow?: string; from?: string }) =>
        (await import("./verbs/replay.ts")).replay(config, options),
      ),
    );
}
