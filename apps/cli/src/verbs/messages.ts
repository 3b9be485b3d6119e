import { openReader } from "../compose.ts";
import type { Config } from "../config.ts";
import { openControl, type Control } from "../control.ts";
import { findRunId } from "../find-run.ts";
import { hint, printData, printText } from "../terminal.ts";
import { jsonArgument } from "../values.ts";

/** Options of `claw send`. */
export interface SendOptions {
  readonly data?: string;
  readonly id?: string;
  readonly source?: string;
  readonly subject?: string;
}

/** Publishes an event; prints what became of it. */
export async function send(config: Config, type: string, options: SendOptions): Promise<void> {
  const { id, source, subject } = options;
  const data = jsonArgument("--data", options.data);
  const result = await controlled(config, (control) =>
    control.publish({
      type,
      ...(data === undefined ? {} : { data }),
      ...(id === undefined ? {} : { id }),
      ...(source === undefined ? {} : { source }),
      ...(subject === undefined ? {} : { subject }),
    }),
  );
  for (const { workflow, reason } of result.refused) hint(`${workflow} refused it: ${reason}`);
  if (config.format !== "table") return printData(result, config.format);
  printText([result.status, ...result.started].join("\n"));
}

/** Sends a signal to a run. */
export async function signal(
  config: Config,
  text: string,
  name: string,
  options: { readonly value?: string; readonly id?: string },
): Promise<void> {
  const value = jsonArgument("--value", options.value);
  const run = await runOf(config, text);
  await controlled(config, (control) => control.signal(run, name, value, options.id));
  accepted(config, run, `signal ${name} sent`);
}

/** Asks a run to stop. */
export async function cancel(
  config: Config,
  text: string,
  options: { readonly reason?: string },
): Promise<void> {
  const run = await runOf(config, text);
  await controlled(config, (control) => control.cancel(run, options.reason ?? ""));
  accepted(config, run, "cancellation requested");
}

/** Tries a held run again. */
export async function release(config: Config, text: string): Promise<void> {
  const run = await runOf(config, text);
  await controlled(config, (control) => control.release(run));
  accepted(config, run, "released");
}

/** The id of the run that a person means. */
export async function runOf(config: Config, text: string): Promise<string> {
  const reader = await openReader(config);
  try {
    return await findRunId(reader, text);
  } finally {
    reader.close();
  }
}

/** Acts on the store through its owner, or as its owner for this command. */
export async function controlled<T>(
  config: Config,
  act: (control: Control) => Promise<T>,
): Promise<T> {
  const control = await openControl(config);
  try {
    return await act(control);
  } finally {
    await control.close();
  }
}

/** Says that the owner took a request. */
export function accepted(config: Config, run: string, what: string): void {
  if (config.format !== "table") return printData({ run, status: "accepted" }, config.format);
  printText(run);
  hint(`${what}; see claw show ${run}`);
}
