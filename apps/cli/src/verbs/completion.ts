import type { Command, Option } from "commander";
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
  const fitting = await offersFor(program, words, (look) => recent(config, look));
  if (fitting.length > 0) printText(fitting.join("\n"));
}

type Look = (reader: Reader) => string[] | Promise<string[]>;

/** What could stand in place of the last word; `looking` reads the store where ids are asked for. */
export async function offersFor(
  program: Command,
  words: readonly string[],
  looking: (look: Look) => Promise<string[]>,
): Promise<string[]> {
  const last = words.at(-1) ?? "";
  const found = await candidates(program, words, looking);
  return found.filter((one) => one.startsWith(last));
}

async function candidates(
  program: Command,
  words: readonly string[],
  looking: (look: Look) => Promise<string[]>,
): Promise<string[]> {
  const verb = verbOf(program, words.slice(0, -1));
  const own = verb === undefined ? [] : optionsOf(verb);
  if (words.at(-1)?.startsWith("-") === true) return namesOf([...own, ...optionsOf(program)]);
  const before = words.at(-2) ?? "";
  const option = [...own, ...program.options].find(
    ({ long, short }) => before !== "" && (long === before || short === before),
  );
  if (option?.argChoices !== undefined) return [...option.argChoices];
  if (option?.required === true) return [];
  if (verb === undefined || verb.name() === "help") return verbsOf(program);
  const argument = verb.registeredArguments[0];
  if (argument?.name() === "run") return looking(recentRuns);
  if (argument?.name() === "task-id") return looking(recentTasks(verb.name()));
  return argument?.argChoices ?? [];
}

// The first word that is neither an option nor the value of one.
function verbOf(program: Command, words: readonly string[]): Command | undefined {
  const name = words.find((word, at) => {
    const before = words[at - 1] ?? "";
    const takesIt = program.options.some(
      ({ long, short, required }) => required && (long === before || short === before),
    );
    return !word.startsWith("-") && !takesIt;
  });
  const verbs = program.createHelp().visibleCommands(program);
  return verbs.find((one) => one.name() === name);
}

function verbsOf(program: Command): string[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .map((one) => one.name());
}

function optionsOf(command: Command): Option[] {
  return command.createHelp().visibleOptions(command);
}

function namesOf(options: readonly Option[]): string[] {
  return [...new Set(options.flatMap(({ long }) => (typeof long === "string" ? [long] : [])))];
}

async function recentRuns(reader: Reader): Promise<string[]> {
  const runs = await reader.list({ limit: OFFERED_MAX });
  return ["@last", ...runs.map((run) => run.id)];
}

function recentTasks(verb: string): (reader: Reader) => Promise<string[]> {
  const only = verb === "redrive" ? ({ status: "dead" } as const) : {};
  return async ({ tasks }) =>
    (await tasks.list({ ...only, limit: OFFERED_MAX })).map(({ id }) => id);
}

async function recent(config: Config, look: Look): Promise<string[]> {
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
