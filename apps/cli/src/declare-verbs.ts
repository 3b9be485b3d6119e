import { Argument, Command, Option } from "commander";
import { ownedStore, ownVersion, readConfig, type Flags } from "./config.ts";
import { EXIT_MEANINGS } from "./exit-codes.ts";
import type { ApprovalsOptions, ApproveOptions } from "./verbs/approvals.ts";
import type { ListOptions } from "./verbs/list.ts";
import type { SendOptions } from "./verbs/messages.ts";
import { type Act, examples, GROUPS } from "./declaring.ts";
import { declareFeeds } from "./declare-feeds.ts";
import { declareTasks } from "./declare-tasks.ts";
import { declareMoves } from "./declare-moves.ts";
import { declareOperations } from "./declare-operations.ts";
import { declareStoreVerbs } from "./declare-store.ts";
import { hint } from "./terminal.ts";
import type { RunOptions } from "./verbs/run.ts";
import type { StateOptions } from "./verbs/state.ts";
import type { StartOptions } from "./verbs/start.ts";
import type { UpdateOptions } from "./verbs/visits.ts";

/** The command line, and what came of it. */
export interface CommandLine {
  readonly program: Command;
  readonly outcome: { exit: number };
}

const STATUSES =
  "running, waiting, compensating, completed, failed, cancelled, compensated, terminated, paused, quarantined, bug, diverged, stuck, no_code, unreadable, queued".split(
    ", ",
  );

const EXPOSED =
  "everybody on this machine can read a password on the command line: put it into CLAW_STORE, PGPASSWORD or ~/.pgpass";

/** Declares all verbs; what one does is imported when it is called. */
export function declareVerbs(): CommandLine {
  const outcome = { exit: 0 };
  const program = new Command("claw")
    .description("OpenClaw: durable workflows on a SQLite file or a PostgreSQL database.")
    .version(ownVersion(), "-V, --version", "print the version")
    .option(
      "--store <place>",
      "a file, or postgres://user@host/db?schema=claw (default: .claw/dev.db, or the one whose owner runs)",
    )
    .option("--namespace <name>", "whose runs and tasks are meant (default: default)")
    .addOption(
      new Option("-o, --output <format>", "how to print data").choices(["table", "json", "jsonl"]),
    )
    .option("--verbose", "say more on stderr")
    .configureHelp({ showGlobalOptions: true })
    .commandsGroup(GROUPS.more)
    .helpCommand("help [verb]", "print the help of a verb")
    .helpOption("-h, --help", "print help")
    .exitOverride()
    .addHelpText("after", exitCodeHelp());
  const act = actionsOf(program, outcome);
  declareServers(program, act);
  declareRun(program, act);
  declareLooks(program, act);
  declareKeys(program, act);
  declareMessages(program, act);
  declareFeeds(program, act);
  declareTasks(program, act);
  declareOperations(program, act);
  declareMoves(program, act, STATUSES);
  declareVisits(program, act);
  declareApprovals(program, act);
  declareStoreVerbs(program, act);
  declareShell(program, act);
  return { program, outcome };
}

function actionsOf(program: Command, outcome: { exit: number }): Act {
  return (verb) =>
    async (...args) => {
      const config = readConfig(program.opts<Flags>());
      if (config.store.kind === "postgres" && config.store.isExposed) hint(EXPOSED);
      outcome.exit = (await verb(config, ...args)) ?? 0;
    };
}

function declareServers(program: Command, act: Act): void {
  program
    .command("dev")
    .helpGroup(GROUPS.serve)
    .argument("[paths...]", "files or folders of workflows and tasks (default: workflows/)")
    .description("own the store, serve, and load the files again when they change")
    .option("--port <number>", "port of the gateway; 0 takes a free one")
    .option("--concurrency <queue=slots...>", "tasks of a queue at once (default: 100 in each)")
    .addHelpText("after", examples("claw dev", "claw dev flows/order.ts --port 0"))
    .action(
      act(async (_config, paths: string[], options: StartOptions) => {
        const config = readConfig(program.opts<Flags>(), ownedStore(undefined));
        return (await import("./verbs/start.ts")).dev(config, paths, options);
      }),
    );
  program
    .command("start")
    .helpGroup(GROUPS.serve)
    .argument("[paths...]", "files or folders of workflows and tasks (default: workflows/)")
    .description("own the store and serve")
    .option("--example <name>", "an example of the checkout, such as hub")
    .option("--port <number>", "port of the gateway; 0 takes a free one")
    .option("--concurrency <queue=slots...>", "tasks of a queue at once (default: 100 in each)")
    .addHelpText("after", examples("claw start flows", "claw start --example hub"))
    .action(
      act(async (_config, paths: string[], options: StartOptions) => {
        const config = readConfig(program.opts<Flags>(), ownedStore(options.example));
        return (await import("./verbs/start.ts")).start(config, paths, options);
      }),
    );
}

function declareRun(program: Command, act: Act): void {
  program
    .command("run")
    .helpGroup(GROUPS.serve)
    .argument("<file|workflow>", "a file to run alone, or a workflow of the store's owner")
    .description("run one file and leave nothing behind, or start a run at the store's owner")
    .option("--input <json>", 'the input, "-" reads stdin')
    .option("--workflow <name>", "which workflow of the file")
    .option("--key <text>", "idempotency key of a start: the same key gives the same run")
    .option("--wait", "wait for the end of a started run and print its output")
    .option("--timeout <duration>", "longest wait, such as 30s")
    .addHelpText(
      "after",
      examples(`claw run hello.ts --input '{"name":"Ada"}'`, "claw run order --input 7 --wait"),
    )
    .action(
      act(async (config, target: string, options: RunOptions) =>
        (await import("./verbs/run.ts")).run(config, target, options),
      ),
    );
}

function declareLooks(program: Command, act: Act): void {
  program
    .command("list")
    .helpGroup(GROUPS.look)
    .description("list runs, newest first")
    .addOption(new Option("--status <status>", "only runs of this status").choices(STATUSES))
    .option("--workflow <name>", "only runs of this workflow")
    .option("--since <time>", "only runs started since: 1h, 2d, or an ISO time")
    .option("--attr <name=value...>", "only runs that have these attributes")
    .option("--limit <number>", "at most so many", "50")
    .addHelpText("after", examples("claw list --status failed --since 1h", "claw list -o jsonl"))
    .action(
      act(async (config, options: ListOptions) =>
        (await import("./verbs/list.ts")).list(config, options),
      ),
    );
  program
    .command("show")
    .helpGroup(GROUPS.look)
    .argument("<run>", "id, unique beginning of one, or @last")
    .description("show a run: values, timeline, what it waits for, why it failed")
    .addHelpText("after", examples("claw show @last", "claw show run_01jd4 -o json"))
    .action(
      act(async (config, run: string) => (await import("./verbs/show.ts")).show(config, run)),
    );
  program
    .command("journal")
    .helpGroup(GROUPS.look)
    .argument("<run>", "id, unique beginning of one, or @last")
    .description("print the journal of a run, one entry a line")
    .addHelpText("after", examples("claw journal @last", "claw journal run_01jd4 -o jsonl"))
    .action(
      act(async (config, run: string) => (await import("./verbs/journal.ts")).journal(config, run)),
    );
}

function declareKeys(program: Command, act: Act): void {
  program
    .command("state")
    .helpGroup(GROUPS.look)
    .arguments("<workflow> <key>")
    .description("show a key: its state, the run that has it, those that wait")
    .option("--limit <number>", "name at most so many of those that wait", "20")
    .addHelpText("after", examples("claw state fulfil o-17", "claw state fulfil o-17 -o json"))
    .action(
      act(async (config, workflow: string, key: string, options: StateOptions) =>
        (await import("./verbs/state.ts")).state(config, workflow, key, options),
      ),
    );
}

function declareMessages(program: Command, act: Act): void {
  program
    .command("send")
    .helpGroup(GROUPS.serve)
    .argument("<type>", "type of the event")
    .description("publish an event")
    .option("--data <json>", 'its data, "-" reads stdin')
    .option("--id <id>", "its id: an event of a known id and source is a duplicate")
    .option("--source <source>", "where it comes from (default: /claw/cli)")
    .option("--subject <text>", "what it is about")
    .addHelpText("after", examples(`claw send com.shop.order.opened --data '{"order":7}' --id o7`))
    .action(
      act(async (config, type: string, options: SendOptions) =>
        (await import("./verbs/messages.ts")).send(config, type, options),
      ),
    );
  program
    .command("signal")
    .helpGroup(GROUPS.message)
    .arguments("<run> <name>")
    .description("send a signal to a run")
    .option("--value <json>", 'its value, "-" reads stdin')
    .option("--id <id>", "makes its repetition harmless")
    .addHelpText("after", examples("claw signal @last approved --value true"))
    .action(
      act(async (config, run: string, name: string, options: { value?: string; id?: string }) =>
        (await import("./verbs/messages.ts")).signal(config, run, name, options),
      ),
    );
  program
    .command("cancel")
    .helpGroup(GROUPS.operate)
    .argument("<run>", "id, unique beginning of one, or @last")
    .description("ask a run to stop")
    .option("--reason <text>", "why")
    .addHelpText("after", examples('claw cancel @last --reason "not wanted"'))
    .action(
      act(async (config, run: string, options: { reason?: string }) =>
        (await import("./verbs/messages.ts")).cancel(config, run, options),
      ),
    );
  program
    .command("release")
    .helpGroup(GROUPS.operate)
    .argument("<run>", "id, unique beginning of one, or @last")
    .description("try a held run again (bug, diverged, stuck, no_code, quarantined, unreadable)")
    .addHelpText("after", examples("claw release @last"))
    .action(
      act(async (config, run: string) =>
        (await import("./verbs/messages.ts")).release(config, run),
      ),
    );
}

function declareVisits(program: Command, act: Act): void {
  program
    .command("query")
    .helpGroup(GROUPS.message)
    .arguments("<run> <name>")
    .description("ask the code of a run and print its answer; changes nothing")
    .option("--input <json>", 'what to ask with, "-" reads stdin')
    .addHelpText("after", examples("claw query @last progress"))
    .action(
      act(async (config, run: string, name: string, options: { input?: string }) =>
        (await import("./verbs/visits.ts")).query(config, run, name, options),
      ),
    );
  program
    .command("update")
    .helpGroup(GROUPS.message)
    .arguments("<run> <name>")
    .description("send an update to a run and print its answer")
    .option("--input <json>", 'its input, "-" reads stdin')
    .option("--id <id>", "makes its repetition harmless: the same id gets the same answer")
    .option("--timeout <duration>", "longest wait for the answer, such as 30s")
    .addHelpText("after", examples("claw update @last add-item --input '\"apple\"' --id a1"))
    .action(
      act(async (config, run: string, name: string, options: UpdateOptions) =>
        (await import("./verbs/visits.ts")).update(config, run, name, options),
      ),
    );
}

function declareApprovals(program: Command, act: Act): void {
  program
    .command("approvals")
    .helpGroup(GROUPS.message)
    .description("list what waits for somebody's decision, oldest first")
    .option("--run <run>", "only of this run")
    .option("--assignee <name>", "only what this person may decide")
    .option("--limit <number>", "at most so many", "50")
    .addHelpText("after", examples("claw approvals", "claw approvals --assignee ada -o jsonl"))
    .action(
      act(async (config, options: ApprovalsOptions) =>
        (await import("./verbs/approvals.ts")).approvals(config, options),
      ),
    );
  program
    .command("approve")
    .helpGroup(GROUPS.message)
    .argument("<run>", "id, unique beginning of one, or @last")
    .argument("[call]", "the waiting call (default: the only one)")
    .description("decide an open approval")
    .option("--by <name>", "who decides (default: the user of this machine)")
    .option("--value <json>", 'the value that the form asks for, "-" reads stdin')
    .option("--reject", "reject instead of approving")
    .option("--comment <text>", "why")
    .addHelpText(
      "after",
      examples(`claw approve @last --value '{"cents":500}'`, "claw approve @last --reject"),
    )
    .action(
      act(async (config, run: string, call: string | undefined, options: ApproveOptions) =>
        (await import("./verbs/approvals.ts")).approve(config, run, call, options),
      ),
    );
}

function declareShell(program: Command, act: Act): void {
  program
    .command("version")
    .helpGroup(GROUPS.shell)
    .description("print the version")
    .addHelpText("after", examples("claw version -o json"))
    .action(act(async (config) => (await import("./verbs/version.ts")).version(config)));
  program
    .command("completion")
    .helpGroup(GROUPS.shell)
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .description("print the script that completes claw in a shell")
    .addHelpText(
      "after",
      examples("claw completion fish | source", 'eval "$(claw completion bash)"'),
    )
    .action(
      act(async (_config, shell: string) =>
        (await import("./verbs/completion.ts")).completion(shell),
      ),
    );
  program
    .command("complete", { hidden: true })
    .argument("[words...]", "the words so far; the last is the one to complete")
    .action(
      act(async (config, words: string[]) =>
        (await import("./verbs/completion.ts")).complete(program, config, words),
      ),
    );
}

function exitCodeHelp(): string {
  const lines = Object.entries(EXIT_MEANINGS).map(
    ([code, text]) => `  ${code.padStart(3)}  ${text}`,
  );
  return `\nExit codes:\n${lines.join("\n")}`;
}
