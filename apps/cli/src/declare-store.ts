import type { Command } from "commander";
import { type Act, examples, GROUPS } from "./declaring.ts";
import type { RepairVerbOptions } from "./verbs/repair.ts";

/** Declares what looks after a store as a whole. */
export function declareStoreVerbs(program: Command, act: Act): void {
  declareDoctor(program, act);
  declareCopies(program, act);
  declareDatabase(program, act);
  program
    .command("retention")
    .helpGroup(GROUPS.store)
    .description("remove closed runs and events that need not be kept any longer")
    .option("--dry-run", "only say what would go")
    .option("--keep <rules>", "other times than the owner's: completed=1d,failed=never,events=0s")
    .addHelpText(
      "after",
      examples("claw retention --dry-run", "claw retention --keep completed=1d,failed=never"),
    )
    .action(
      act(async (config, options: { dryRun?: boolean; keep?: string }) =>
        (await import("./verbs/retention.ts")).retention(config, options),
      ),
    );
}

function declareDoctor(program: Command, act: Act): void {
  program
    .command("doctor")
    .helpGroup(GROUPS.store)
    .description("look after the store: owner, integrity, durability")
    .option(
      "--repair",
      "mend rows that contradict each other, after a copy; no process may own the store",
    )
    .option("--dry-run", "with --repair: only say what would be done")
    .option("--backup <file>", "with --repair: where the copy goes (default: beside the store)")
    .addHelpText(
      "after",
      examples("claw doctor", "claw doctor --repair --dry-run", "claw doctor --repair -o json"),
    )
    .action(
      act(async (config, options: { repair?: boolean } & RepairVerbOptions) =>
        options.repair === true
          ? (await import("./verbs/repair.ts")).repair(config, options)
          : (await import("./verbs/doctor.ts")).doctor(config),
      ),
    );
}

function declareCopies(program: Command, act: Act): void {
  program
    .command("backup")
    .helpGroup(GROUPS.store)
    .argument("<file>", "where to write it; must not exist")
    .description("write a consistent copy of the store while work goes on")
    .addHelpText("after", examples("claw backup copies/monday.db"))
    .action(
      act(async (config, file: string) => (await import("./verbs/copies.ts")).backup(config, file)),
    );
  program
    .command("restore")
    .helpGroup(GROUPS.store)
    .argument("<file>", "what claw backup wrote")
    .description("fill an empty schema of a database with a backup")
    .addHelpText("after", examples("claw restore copies/monday.jsonl --store postgres://db/shop"))
    .action(
      act(async (config, file: string) =>
        (await import("./verbs/copies.ts")).restore(config, file),
      ),
    );
}

function declareDatabase(program: Command, act: Act): void {
  program
    .command("nodes")
    .helpGroup(GROUPS.store)
    .description("list the processes that work on the store, with what they hold and their leases")
    .addHelpText("after", examples("claw nodes", "claw nodes --store postgres://db/shop -o json"))
    .action(act(async (config) => (await import("./verbs/nodes.ts")).nodes(config)));
  program
    .command("migrate")
    .helpGroup(GROUPS.store)
    .description("make the schema of a database, or bring it up to date, and begin no work")
    .addHelpText("after", examples("claw migrate --store postgres://claw_migrate@db/shop"))
    .action(act(async (config) => (await import("./verbs/database.ts")).migrate(config)));
  program
    .command("roles")
    .helpGroup(GROUPS.store)
    .description(
      "print the SQL for roles that migrate, run nodes and read, and may do nothing else",
    )
    .option("--prefix <name>", "what their names begin with (default: the name of the schema)")
    .addHelpText("after", examples("claw roles --store postgres://db/shop | psql -d shop"))
    .action(
      act(async (config, options: { prefix?: string }) =>
        (await import("./verbs/database.ts")).roles(config, options),
      ),
    );
}
