import type { Config } from "./config.ts";

/** Wraps what a verb does: gives it the configuration, keeps its exit code. */
export type Act = <Args extends unknown[]>(
  verb: (config: Config, ...args: Args) => Promise<number | void>,
) => (...args: Args) => Promise<void>;

/** Lines of examples for a verb's help. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

/** The headings under which `claw --help` lists the verbs. */
export const GROUPS = {
  serve: "Serve and start:",
  look: "Look:",
  message: "Talk to runs:",
  operate: "Operate runs:",
  tasks: "Tasks on queues:",
  store: "Look after the store:",
  shell: "Shell:",
  /** What names no group. */
  more: "More:",
} as const;
