import { userInfo } from "node:os";
import { ClawError, type Decision, type OpenApproval } from "@claw/core/protocol";
import { approvalView } from "@claw/gateway/wire";
import { openReader } from "../compose.ts";
import type { Config } from "../config.ts";
import { findRunId } from "../find-run.ts";
import { type Column, shortDuration, shortText, tableLines } from "../table.ts";
import { hint, paint, printData, printItems, printText } from "../terminal.ts";
import { countArgument, jsonArgument } from "../values.ts";
import { controlled } from "./messages.ts";

/** Options of `claw approvals`. */
export interface ApprovalsOptions {
  readonly run?: string;
  readonly assignee?: string;
  readonly limit: string;
}

/** Options of `claw approve`. */
export interface ApproveOptions {
  readonly by?: string;
  readonly reject?: boolean;
  readonly value?: string;
  readonly comment?: string;
}

const ROWS_MAX = 10_000;
const TITLE_CHARS_MAX = 60;
const COLUMNS: readonly Column[] = [
  { title: "RUN" },
  { title: "CALL" },
  { title: "AGE", right: true },
  { title: "LEFT", right: true },
  { title: "ASSIGNEES" },
  { title: "TITLE" },
];

/** Lists open approvals, oldest first. Reads the store file; needs no owner. */
export async function approvals(config: Config, options: ApprovalsOptions): Promise<void> {
  const limit = countArgument("--limit", options.limit, ROWS_MAX);
  const rows = await openApprovals(config, options.run, options.assignee, limit);
  if (config.format !== "table") return printItems(rows.map(approvalView), config.format);
  const now = Date.now();
  const [head = "", ...lines] = tableLines(
    COLUMNS,
    rows.map((row) => cellsOf(row, now)),
  );
  printText([paint("bold", head), ...lines].join("\n"));
}

/** Decides an open approval; without a call the only one that the run has. */
export async function approve(
  config: Config,
  text: string,
  call: string | undefined,
  options: ApproveOptions,
): Promise<void> {
  const value = jsonArgument("--value", options.value);
  const open = await openApprovals(config, text, undefined, ROWS_MAX);
  const run = open[0]?.run ?? (await idOf(config, text));
  const decision: Decision = {
    decision: options.reject === true ? "reject" : "approve",
    by: options.by ?? userInfo().username,
    ...(options.comment === undefined ? {} : { comment: options.comment }),
    ...(value === undefined ? {} : { value }),
  };
  const chosen = call ?? onlyCall(run, open);
  await controlled(config, (control) => control.approve(run, chosen, decision));
  if (config.format !== "table")
    return printData({ run, call: chosen, ...decision }, config.format);
  printText(run);
  hint(`${chosen}: ${decision.decision} by ${decision.by}; see claw show ${run}`);
}

function onlyCall(run: string, open: readonly OpenApproval[]): string {
  const [first, second] = open;
  if (first === undefined) throw new ClawError("CLAW-3012", `Run ${run} waits for no approval`);
  if (second === undefined) return first.call;
  const calls = open.map(({ call }) => call).join(", ");
  throw new ClawError("CLAW-5010", `${run} waits for more than one approval: name one of ${calls}`);
}

async function idOf(config: Config, text: string): Promise<string> {
  const reader = await openReader(config);
  try {
    return await findRunId(reader, text);
  } finally {
    reader.close();
  }
}

async function openApprovals(
  config: Config,
  run: string | undefined,
  assignee: string | undefined,
  limit: number,
): Promise<readonly OpenApproval[]> {
  const reader = await openReader(config);
  try {
    return await reader.approvals({
      limit,
      ...(run === undefined ? {} : { run: await findRunId(reader, run) }),
      ...(assignee === undefined ? {} : { assignee }),
    });
  } finally {
    reader.close();
  }
}

function cellsOf(row: OpenApproval, now: number): string[] {
  return [
    row.run,
    row.call,
    shortDuration(now - row.createdAt),
    row.expiresAt === null ? "" : shortDuration(row.expiresAt - now),
    row.assignees.join(","),
    shortText(row.title, TITLE_CHARS_MAX),
  ];
}
