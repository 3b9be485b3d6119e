import { ClawError, type RunRecord } from "@claw/core/protocol";
import { entryView, type EventView } from "@claw/gateway/wire";
import { openReader } from "../compose.ts";
import type { Config } from "../config.ts";
import { ownerFor } from "../control.ts";
import { exitOfRun } from "../exit-codes.ts";
import { findRun } from "../find-run.ts";
import { followOwner } from "../follow.ts";
import { shortDuration, shortText } from "../table.ts";
import { hint, paintStatus, printItems, printText } from "../terminal.ts";
import { cursorArgument } from "../values.ts";

const DATA_CHARS_MAX = 100;

/** Prints the entries of a run as they come; the exit code is that of its end. */
export async function watch(
  config: Config,
  text: string,
  flags: { readonly from: string },
): Promise<number> {
  const from = cursorArgument(flags.from);
  const reader = await openReader(config);
  try {
    const run = await findRun(reader, text);
    const owner = await ownerFor(config);
    const events =
      owner === null
        ? recorded(run, from)
        : followOwner<EventView>(owner, `/v1/runs/${run.id}/events?from=${from}`, config);
    await print(config, run.startedAt, events);
    const now = (await reader.find(run.id)) ?? run;
    if (now.endedAt === null) hint("no process runs workflows on this store: nothing more comes");
    hint(`${now.id} ${paintStatus(now.status)}${now.reason === "" ? "" : ` ${now.reason}`}`);
    return exitOfRun(now.status);
  } finally {
    reader.close();
  }
}

async function* recorded(run: RunRecord, from: number): AsyncGenerator<EventView> {
  const { generations = [], journal } = run;
  const entries = [...generations.flatMap((one) => one.journal), ...journal];
  const last = entries.at(-1)?.seq ?? 0;
  if (from > last) {
    throw new ClawError("CLAW-3051", `The cursor ${from} is beyond the last entry ${last}`);
  }
  for (const entry of entries) if (entry.seq > from) yield entryView(entry);
}

async function print(
  config: Config,
  startedAt: number,
  events: AsyncIterable<EventView>,
): Promise<void> {
  if (config.format === "json") {
    const all: EventView[] = [];
    for await (const event of events) all.push(event);
    return printItems(all, "json");
  }
  for await (const event of events) {
    if (config.format === "jsonl") printItems([event], "jsonl");
    else printText(lineOf(event, startedAt));
  }
}

function lineOf({ seq, at, kind, call, attempt, data }: EventView, startedAt: number): string {
  const again = attempt > 1 ? ` (attempt ${attempt})` : "";
  const cells = [
    String(seq).padStart(4),
    `+${shortDuration(Date.parse(at) - startedAt)}`.padStart(7),
    kind.padEnd(16),
    `${call}${again}`.padEnd(20),
    data === null ? "" : shortText(JSON.stringify(data), DATA_CHARS_MAX),
  ];
  return cells.join("  ").trimEnd();
}
