import { type Command, Option } from "commander";
import { type Act, examples, GROUPS } from "./declaring.ts";
import type { EnqueueFlags, LetterFlags, RedriveFlags, TaskFlags } from "./verbs/tasks.ts";

const STATUSES = ["ready", "waiting", "dead", "completed"];

/** Declares what concerns standalone tasks. */
export function declareTasks(program: Command, act: Act): void {
  program
    .command("enqueue")
    .helpGroup(GROUPS.tasks)
    .argument("<task>", "name of a task of the store's owner")
    .description("enqueue a task and print its id")
    .option("--input <json>", 'its input, "-" reads stdin')
    .option("--queue <name>", "where it waits (default: the task's own queue)")
    .option("--priority <number>", "-1000 to 1000; higher ones are first")
    .option("--delay <duration>", "the first attempt starts so much later")
    .option("--key <text>", "idempotency key: the same key and input give the same task")
    .addHelpText(
      "after",
      examples(`claw enqueue mail --input '"ada@example.org"'`, "claw enqueue report --delay 1h"),
    )
    .action(
      act(async (config, task: string, options: EnqueueFlags) =>
        (await import("./verbs/tasks.ts")).enqueue(config, task, options),
      ),
    );
  withFilter(
    program
      .command("tasks")
      .helpGroup(GROUPS.tasks)
      .argument("[task-id]", "show this one")
      .description("list standalone tasks, newest first, or show one, or count queues"),
  )
    .addOption(new Option("--status <status>", "only of this status").choices(STATUSES))
    .option("--counts", "how many tasks each queue holds, and the age of the oldest")
    .option("--limit <number>", "at most so many", "50")
    .addHelpText(
      "after",
      examples("claw tasks --queue mails", "claw tasks task_2s", "claw tasks --counts"),
    )
    .action(
      act(async (config, id: string | undefined, options: TaskFlags) =>
        (await import("./verbs/tasks.ts")).tasks(config, id, options),
      ),
    );
  declareDeadLetters(program, act);
}

function declareDeadLetters(program: Command, act: Act): void {
  withFilter(
    program
      .command("dead-letters")
      .helpGroup(GROUPS.tasks)
      .description("list tasks that failed for good, newest first, and why"),
  )
    .option("--limit <number>", "at most so many", "50")
    .addHelpText("after", examples("claw dead-letters", "claw dead-letters --error DECLINED"))
    .action(
      act(async (config, options: LetterFlags) =>
        (await import("./verbs/tasks.ts")).deadLetters(config, options),
      ),
    );
  withFilter(
    program
      .command("redrive")
      .helpGroup(GROUPS.tasks)
      .argument("[task-id]", "this one")
      .description("give dead letters all their attempts again, at once: one, or all of a filter"),
  )
    .option("--all", "every dead letter, when no filter is given")
    .option("--limit <number>", "at most so many, the newest", "100000")
    .option("--dry-run", "only say which would go")
    .addHelpText(
      "after",
      examples(
        "claw redrive task_2s",
        "claw redrive --queue mails --dry-run",
        "claw redrive --all",
      ),
    )
    .action(
      act(async (config, id: string | undefined, options: RedriveFlags) =>
        (await import("./verbs/tasks.ts")).redrive(config, id, options),
      ),
    );
}

function withFilter(command: Command): Command {
  return command
    .option("--queue <name>", "only of this queue")
    .option("--task <name>", "only of this definition")
    .option("--error <code>", "only with this code or name of the last error");
}
