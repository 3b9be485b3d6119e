import type { RunQuery } from "@claw/core/ports";
import type { RunStatus, RunSummary } from "@claw/core/protocol";
import { runView } from "@claw/gateway/wire";
import { openReader } from "../compose.ts";
import type { Config } from "../config.ts";
import { shortDuration, shortText, tableLines, type Column } from "../table.ts";
import { paint, paintStatus, printItems, printText } from "../terminal.ts";
import { attributesArgument, countArgument, sinceArgument } from "../values.ts";

/** Options of `claw list`. */
export interface ListOptions {
  readonly status?: string;
  readonly workflow?: string;
  readonly since?: string;
  readonly attr?: readonly string[];
  readonly limit: string;
}

const ROWS_MAX = 10_000;
const REASON_CHARS_MAX = 60;
const COLUMNS: readonly Column[] = [
  { title: "RUN" },
  { title: "WORKFLOW" },
  { title: "VER", right: true },
  { title: "STATUS" },
  { title: "AGE", right: true },
  { title: "TOOK", right: true },
  { title: "REASON" },
];

/** Lists runs, newest first. Reads the store file; needs no owner. */
export async function list(config: Config, options: ListOptions): Promise<void> {
  const now = Date.now();
  const { status, workflow, since, attr } = options;
  const query: RunQuery = {
    limit: countArgument("--limit", options.limit, ROWS_MAX),
    ...(status === undefined ? {} : { status: status as RunStatus }),
    ...(workflow === undefined ? {} : { workflow }),
    ...(since === undefined ? {} : { since: sinceArgument(since, now) }),
    ...(attr === undefined ? {} : { attributes: attributesArgument(attr) }),
  };
  const reader = await openReader(config);
  try {
    const runs = await reader.list(query);
    if (config.format !== "table") return printItems(runs.map(runView), config.format);
    const [head = "", ...lines] = tableLines(
      COLUMNS,
      runs.map((run) => cellsOf(run, now)),
    );
    printText([paint("bold", head), ...lines].join("\n"));
  } finally {
    reader.close();
  }
}

function cellsOf(run: RunSummary, now: number): string[] {
  return [
    run.id,
    run.workflow,
    String(run.version),
    paintStatus(run.status),
    shortDuration(now - run.startedAt),
    run.endedAt === null ? "" : shortDuration(run.endedAt - run.startedAt),
    shortText(run.reason, REASON_CHARS_MAX),
  ];
}
