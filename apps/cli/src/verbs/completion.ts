import type { Command } from "commander";
import { ClawError } from "@claw/core/protocol";
import { openReader, type Reader } from "../compose.ts";
import type { Config } from "../config.ts";
import { printText } from "../terminal.ts";

// Each script asks `claw complete` with the words up to the cursor and offers the lines it gets.
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_claw() {
  local IFS=$'\\n'
  COMPREPLY=($(claw complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  [ "\${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _claw claw`,
  zsh: `#compdef claw
_claw() {
  local -a found
  found=("\${(@f)$(claw complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [ -n "$found[1]" ]; then compadd -- "$found[@]"; else _files; fi
}
compdef _claw claw`,
  fish: `complete -c claw -f -a '(claw complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
complete -c claw -F -n '__fish_seen_subcommand_from run dev start import export backup replay'`,
};
const OFFERED_MAX = 50;

/** Prints the completion script of a shell. Errors: CLAW-5010 for another shell. */
export async function completion(shell: string): Promise<void> {
  const script = SCRIPTS[shell];
  if (script === undefined) {
    const known = Object.keys(SCRIPTS).join(", ");
    throw new ClawError("CLAW-5010", `There is no completion for ${shell}, only for ${known}`);
  }
  printText(script);
}

/** Prints what could stand in place of the last word, a line each. */
export async function complete(
  program: Command,
  config: Config,
  words: readonly string[],
): Promise<void> {
  const last = words.at(-1) ?? "";
  const verb = program.commands.find((one) => words.slice(0, -1).includes(one.name()));
  const found = await candidates(program, verb, config, words, last);
  const fitting = found.filter((one) => one.startsWith(last));
  if (fitting.length > 0) printText(fitting.join("\n"));
}

async function candidates(
  program: Command,
  verb: Command | undefined,
  config: Config,
  words: readonly string[],
  last: string,
): Promise<string[]> {
  if (last.startsWith("-"))
    return optionsOf(program).concat(verb === undefined ? [] : optionsOf(verb));
  const before = words.at(-2) ?? "";
  const option = [...(verb?.options ?? []), ...program.options].find(
    ({ long, short }) => before !== "" && (long === before || short === before),
  );
  if (option?.argChoices !== undefined) return [...option.argChoices];
  if (option?.required === true) return [];
  if (verb === undefined) return program.commands.map((one) => one.name());
  const argument = verb.registeredArguments[0];
  if (argument?.name() === "run") return recent(config, recentRuns);
  if (argument?.name() === "task-id") return recent(config, recentTasks(verb.name()));
  return argument?.argChoices ?? [];
}

function optionsOf(command: Command): string[] {
  return command.options.flatMap((option) =>
    typeof option.long === "string" ? [option.long] : [],
  );
}

async function recentRuns(reader: Reader): Promise<string[]> {
  const runs = await reader.list({ limit: OFFERED_MAX });
  return ["@last", ...runs.map((run) => run.id)];
}

function recentTasks(verb: string): (reader: Reader) => string[] {
  const only = verb === "redrive" ? ({ status: "dead" } as const) : {};
  return ({ tasks }) => tasks.list({ ...only, limit: OFFERED_MAX }).map(({ id }) => id);
}

async function recent(
  config: Config,
  look: (reader: Reader) => string[] | Promise<string[]>,
): Promise<string[]> {
  try {
    const reader = await openReader(config);
    try {
      return await look(reader);
    } finally {
      reader.close();
    }
  } catch {
    // A shell that completes has no place for an error.
    return [];
  }
}
