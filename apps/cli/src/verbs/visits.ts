import type { UpdateRequest } from "@claw/runtime";
import type { Config } from "../config.ts";
import { printData } from "../terminal.ts";
import { jsonArgument } from "../values.ts";
import { controlled, runOf } from "./messages.ts";

/** Options of `claw update`. */
export interface UpdateOptions {
  readonly input?: string;
  readonly id?: string;
  readonly timeout?: string;
}

/** Asks the code of a run; prints its answer. */
export async function query(
  config: Config,
  text: string,
  name: string,
  options: { readonly input?: string },
): Promise<void> {
  const input = jsonArgument("--input", options.input);
  const run = await runOf(config, text);
  printData(await controlled(config, (control) => control.query(run, name, input)), config.format);
}

/** Sends an update; prints its answer. */
export async function update(
  config: Config,
  text: string,
  name: string,
  { input, id, timeout }: UpdateOptions,
): Promise<void> {
  const given = jsonArgument("--input", input);
  const run = await runOf(config, text);
  const request: UpdateRequest = {
    ...(id === undefined ? {} : { id }),
    ...(timeout === undefined ? {} : { timeout }),
  };
  printData(
    await controlled(config, (control) => control.update(run, name, given, request)),
    config.format,
  );
}
