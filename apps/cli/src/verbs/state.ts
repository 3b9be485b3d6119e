import { ClawError, decodePayload, type KeyRecord } from "@claw/core/protocol";
import { openReader } from "../compose.ts";
import type { Config } from "../config.ts";
import { shortText } from "../table.ts";
import { paint, printData, printText } from "../terminal.ts";
import { countArgument } from "../values.ts";

/** Options of `claw state`. */
export interface StateOptions {
  readonly limit: string;
}

const RUNS_MAX = 10_000;
const VALUE_CHARS_MAX = 2_000;

/** Shows a key of a workflow: its state and its queue. Reads the store file; needs no owner. */
export async function state(
  config: Config,
  workflow: string,
  key: string,
  options: StateOptions,
): Promise<void> {
  const limit = countArgument("--limit", options.limit, RUNS_MAX);
  const reader = await openReader(config);
  try {
    const found = await reader.key({ namespace: config.namespace, workflow, key }, limit);
    if (found === null) {
      throw new ClawError("CLAW-3041", `Nothing is known of the key "${key}" of "${workflow}"`);
    }
    if (config.format === "table") return printText(linesOf(found).join("\n"));
    const { head, waiting, next } = found;
    const value = found.state === "" ? null : decodePayload(found.state);
    printData(
      { workflow, key, state: value, head: head === "" ? null : head, waiting, next },
      config.format,
    );
  } finally {
    reader.close();
  }
}

function linesOf({ workflow, key, state: text, head, waiting, next }: KeyRecord): string[] {
  const left = waiting - next.length;
  return [
    paint("bold", `${workflow} ${key}`),
    field("state", text === "" ? "none set" : shortText(text, VALUE_CHARS_MAX)),
    field("run", head === "" ? "none" : head),
    field("waiting", String(waiting)),
    ...next.map((run, at) => field("", `${at + 1}. ${run}`)),
    ...(left > 0 ? [field("", `and ${left} more`)] : []),
  ];
}

function field(name: string, text: string): string {
  return `${paint("dim", name.padEnd(10))} ${text}`;
}
