import { entryView } from "@claw/gateway/wire";
import { openReader } from "../compose.ts";
import type { Config } from "../config.ts";
import { findRun } from "../find-run.ts";
import { shortDuration, shortText, tableLines } from "../table.ts";
import { printItems, printText } from "../terminal.ts";

const DATA_CHARS_MAX = 100;
const COLUMNS = [
  { title: "SEQ", right: true },
  { title: "AT", right: true },
  { title: "KIND" },
  { title: "CALL" },
  { title: "TRY", right: true },
  { title: "DATA" },
];

/** Prints the journal of a run, one entry a line. */
export async function journal(config: Config, text: string): Promise<void> {
  const reader = await openReader(config);
  try {
    const run = await findRun(reader, text);
    if (config.format !== "table") {
      return printItems(run.journal.map(entryView), config.format);
    }
    const rows = run.journal.map((entry) => [
      String(entry.seq),
      `+${shortDuration(entry.at - run.startedAt)}`,
      entryView(entry).kind,
      entry.call,
      String(entry.attempt),
      shortText(entry.data, DATA_CHARS_MAX),
    ]);
    printText(tableLines(COLUMNS, rows).join("\n"));
  } finally {
    reader.close();
  }
}
