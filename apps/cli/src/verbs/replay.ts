import { resolve } from "node:path";
import type { RunRecord } from "@claw/core/protocol";
import { openReader, type Reader } from "../compose.ts";
import type { Config } from "../config.ts";
import { EXIT } from "../exit-codes.ts";
import { loadWorkflows } from "../load-definitions.ts";
import { tableLines } from "../table.ts";
import { hint, paint, printItems, printText } from "../terminal.ts";

const PAGE_ROWS = 500;
const COLUMNS = [
  { title: "RUN" },
  { title: "WORKFLOW" },
  { title: "STATUS" },
  { title: "ENTRIES", right: true },
  { title: "VERDICT" },
];

/** What other code makes of one open run. */
interface Line {
  readonly run: string;
  readonly workflow: string;
  readonly status: string;
  readonly entries: number;
  readonly verdict: string;
  readonly reason: string;
}

/**
 * Replays the journals of all open runs, or of the runs of an export, with the code of a path, in this process: runs
 * nothing, writes nothing. The exit code says whether all of them agree.
 */
export async function replay(
  config: Config,
  options: { readonly against: string[]; readonly workflow?: string; readonly from?: string },
): Promise<number> {
  const workflows = await loadWorkflows(options.against);
  const { exportFile, readRecords, replayRecorded } = await import("@claw/runtime");
  const lines: Line[] = [];
  const { from, workflow: only } = options;
  const runs =
    from === undefined ? storedRuns(config, only) : readRecords(exportFile(resolve(from)));
  for await (const run of runs) {
    const { id, workflow, version, status, journal } = run;
    if (only !== undefined && workflow !== only) continue;
    const { verdict, reason } = await replayRecorded(run, workflows);
    const name = `${workflow}@${version}`;
    lines.push({ run: id, workflow: name, status, entries: journal.length, verdict, reason });
  }
  print(config, lines);
  return lines.every(({ verdict }) => verdict === "agrees") ? EXIT.ok : EXIT.conflict;
}

async function* storedRuns(config: Config, workflow?: string): AsyncGenerator<RunRecord> {
  const reader = await openReader(config);
  try {
    yield* openRuns(reader, workflow);
  } finally {
    reader.close();
  }
}

async function* openRuns(reader: Reader, workflow?: string): AsyncGenerator<RunRecord> {
  const asked = { limit: PAGE_ROWS, ...(workflow === undefined ? {} : { workflow }) };
  let page = await reader.list(asked);
  for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
    for (const { id, endedAt } of page) {
      const run = endedAt === null ? await reader.find(id) : null;
      if (run !== null && run.endedAt === null) yield run;
    }
    page = await reader.list({ ...asked, before: last.id });
  }
}

function print(config: Config, lines: readonly Line[]): void {
  if (config.format !== "table") return printItems(lines, config.format);
  const rows = lines.map(({ run, workflow, status, entries, verdict }) => [
    run,
    workflow,
    status,
    String(entries),
    paint(verdict === "agrees" ? "green" : "red", verdict),
  ]);
  const [head = "", ...table] = tableLines(COLUMNS, rows);
  printText([paint("bold", head), ...table].join("\n"));
  for (const { run, verdict, reason } of lines) {
    if (verdict !== "agrees") hint(`${run} ${verdict}: ${reason}`);
  }
}
