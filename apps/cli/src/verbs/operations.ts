import { userInfo } from "node:os";
import type { Config } from "../config.ts";
import { hint, printData, printText } from "../terminal.ts";
import { jsonArgument } from "../values.ts";
import { accepted, controlled, runOf } from "./messages.ts";

/** Pauses a run. */
export async function pause(
  config: Config,
  text: string,
  options: { readonly note?: string },
): Promise<void> {
  const run = await runOf(config, text);
  await controlled(config, (control) => control.pause(run, options.note ?? ""));
  accepted(config, run, "paused");
}

/** Lets a paused run go on. */
export async function resume(config: Config, text: string): Promise<void> {
  const run = await runOf(config, text);
  await controlled(config, (control) => control.resume(run));
  accepted(config, run, "resumed");
}

/** Ends a run at once, without its code. */
export async function terminate(
  config: Config,
  text: string,
  options: { readonly reason?: string },
): Promise<void> {
  const run = await runOf(config, text);
  await controlled(config, (control) => control.terminate(run, options.reason ?? ""));
  accepted(config, run, "terminated");
}

/** Makes a run that goes on from a call of another; prints its id. */
export async function fork(
  config: Config,
  text: string,
  options: { readonly from: string; readonly input?: string },
): Promise<void> {
  const run = await runOf(config, text);
  const input =
    options.input === undefined ? {} : { input: jsonArgument("--input", options.input) };
  const from = { from: options.from, ...input };
  printForked(config, run, await controlled(config, (control) => control.fork(run, from)));
}

/** Makes a run of one that ended badly, from the call that ended it; prints its id. */
export async function retry(config: Config, text: string): Promise<void> {
  const run = await runOf(config, text);
  printForked(config, run, await controlled(config, (control) => control.retry(run)));
}

/** Answers an open call in place of what it waits for. */
export async function skip(
  config: Config,
  text: string,
  call: string,
  options: { readonly value?: string; readonly by?: string },
): Promise<void> {
  const value = jsonArgument("--value", options.value);
  const run = await runOf(config, text);
  const by = options.by ?? userInfo().username;
  await controlled(config, (control) => control.skip(run, call, value, by));
  accepted(config, run, `${call} skipped by ${by}`);
}

function printForked(
  config: Config,
  run: string,
  forked: { readonly id: string; readonly from: string; readonly again: readonly string[] },
): void {
  if (config.format !== "table") return printData({ run, ...forked }, config.format);
  printText(forked.id);
  if (forked.from !== "") hint(`${forked.from} runs again, in a run of its own`);
  for (const call of forked.again) hint(`runs again as well, in another branch: ${call}`);
}
