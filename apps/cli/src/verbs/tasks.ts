import type { TaskQuery } from "@claw/core/ports";
import {
  ClawError,
  describeError,
  limits,
  type QueueCounts,
  type TaskRecord,
  taskNumberOf,
  type TaskStatus,
} from "@claw/core/protocol";
import { queueView, taskView } from "@claw/gateway/wire";
import type { EnqueueOptions } from "@claw/runtime";
import { openReader, type Reader } from "../compose.ts";
import type { Config } from "../config.ts";
import { type Column, shortDuration, shortText, tableLines } from "../table.ts";
import { hint, paint, printData, printItems, printText } from "../terminal.ts";
import { countArgument, jsonArgument, wholeArgument } from "../values.ts";
import { controlled } from "./messages.ts";

/** Which tasks, as the verbs that list and redrive take it. */
interface Filter {
  readonly queue?: string;
  readonly task?: string;
  readonly error?: string;
}

/** Options of `claw enqueue`. */
export interface EnqueueFlags {
  readonly input?: string;
  readonly queue?: string;
  readonly priority?: string;
  readonly delay?: string;
  readonly key?: string;
}

/** Options of `claw tasks`. */
export interface TaskFlags extends Filter {
  readonly status?: string;
  readonly counts?: boolean;
  readonly limit: string;
}

/** Options of `claw dead-letters`. */
export interface LetterFlags extends Filter {
  readonly limit: string;
}

/** Options of `claw redrive`. */
export interface RedriveFlags extends Filter {
  readonly all?: boolean;
  readonly limit: string;
  readonly dryRun?: boolean;
}

const ROWS_MAX = 10_000;
const ERROR_CHARS_MAX = 60;
const VALUE_CHARS_MAX = 200;
const COLUMNS: readonly Column[] = [
  { title: "ID" },
  { title: "TASK" },
  { title: "QUEUE" },
  { title: "STATUS" },
  { title: "PRIO", right: true },
  { title: "TRY", right: true },
  { title: "AGE", right: true },
  { title: "DUE", right: true },
  { title: "ERROR" },
];
const COUNT_COLUMNS: readonly Column[] = [
  { title: "QUEUE" },
  { title: "READY", right: true },
  { title: "WAITING", right: true },
  { title: "OLDEST", right: true },
  { title: "DEAD", right: true },
  { title: "OLDEST", right: true },
  { title: "KEPT", right: true },
];

/** Enqueues a task at the store's owner; prints its id. */
export async function enqueue(config: Config, task: string, flags: EnqueueFlags): Promise<void> {
  const input = jsonArgument("--input", flags.input);
  const { queue, priority, delay, key } = flags;
  const options: EnqueueOptions = {
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority: wholeArgument("--priority", priority) }),
    ...(delay === undefined ? {} : { delay }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
  };
  const done = await controlled(config, (control) => control.enqueue(task, input, options));
  if (config.format !== "table") return printData(done, config.format);
  if (done.existing) hint("the idempotency key met an earlier task");
  printText(done.id);
}

/** Lists tasks, shows one or counts queues. Reads the store file; needs no owner. */
export async function tasks(
  config: Config,
  id: string | undefined,
  flags: TaskFlags,
): Promise<void> {
  const limit = countArgument("--limit", flags.limit, ROWS_MAX);
  await reading(config, async (reader) => {
    if (id !== undefined) return show(config, await found(reader, idOf(id)));
    if (flags.counts === true) return count(config, flags, await reader.tasks.counts());
    const status = flags.status as TaskStatus | undefined;
    const query = { ...filterOf(flags), limit, ...(status === undefined ? {} : { status }) };
    list(config, await reader.tasks.list(query));
  });
}

/** Lists what was given up. Reads the store file; needs no owner. */
export async function deadLetters(config: Config, flags: LetterFlags): Promise<void> {
  const limit = countArgument("--limit", flags.limit, ROWS_MAX);
  await reading(config, async (reader) => {
    list(config, await reader.tasks.list({ ...filterOf(flags), status: "dead", limit }));
  });
}

/** Gives dead letters their attempts again; prints their ids. */
export async function redrive(
  config: Config,
  text: string | undefined,
  flags: RedriveFlags,
): Promise<void> {
  const limit = countArgument("--limit", flags.limit, limits.REDRIVE_MAX);
  const filter = filterOf(flags);
  const isFiltered = Object.keys(filter).length > 0;
  const dryRun = flags.dryRun === true;
  if (text !== undefined) {
    if (isFiltered || dryRun || flags.all === true) {
      throw new ClawError("CLAW-5010", "Name one task, or say which with options, not both");
    }
    return redriveOne(config, idOf(text));
  }
  if (!isFiltered && flags.all !== true) {
    throw new ClawError(
      "CLAW-5010",
      "Name a task, say which with --queue, --task or --error, or --all",
    );
  }
  const report = await controlled(config, (control) =>
    control.redriveAll({ ...filter, limit }, dryRun),
  );
  if (config.format !== "table") return printData(report, config.format);
  if (report.ids.length > 0) printText(report.ids.join("\n"));
  const more = report.count > report.ids.length ? ", the newest of which are listed" : "";
  hint(
    `${report.count} dead letter${report.count === 1 ? "" : "s"} ${dryRun ? "would be redriven" : "redriven"}${more}`,
  );
}

async function redriveOne(config: Config, id: string): Promise<void> {
  await controlled(config, (control) => control.redrive(id));
  if (config.format !== "table") return printData({ task: id, status: "accepted" }, config.format);
  printText(id);
  hint(`redriven; see claw tasks ${id}`);
}

async function reading(config: Config, look: (reader: Reader) => Promise<void>): Promise<void> {
  const reader = await openReader(config);
  try {
    await look(reader);
  } finally {
    reader.close();
  }
}

function filterOf({ queue, task, error }: Filter): Omit<TaskQuery, "limit"> {
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(task === undefined ? {} : { task }),
    ...(error === undefined ? {} : { error }),
  };
}

// "2s" is as good as "task_2s".
function idOf(text: string): string {
  return taskNumberOf(text) === null ? `task_${text}` : text;
}

async function found(reader: Reader, id: string): Promise<TaskRecord> {
  const task = await reader.tasks.find(id);
  if (task === null) throw new ClawError("CLAW-3071", `There is no task ${id}`);
  return task;
}

function list(config: Config, rows: readonly TaskRecord[]): void {
  if (config.format !== "table") return printItems(rows.map(taskView), config.format);
  const now = Date.now();
  printTable(
    COLUMNS,
    rows.map((row) => cellsOf(row, now)),
  );
}

function cellsOf(row: TaskRecord, now: number): string[] {
  return [
    row.id,
    row.task,
    row.queue,
    paintTask(row.status),
    String(row.priority),
    String(row.attempt),
    shortDuration(now - row.enqueuedAt),
    row.due === null ? "" : shortDuration(row.due - now),
    row.error === null ? "" : shortText(describeError(row.error), ERROR_CHARS_MAX),
  ];
}

function show(config: Config, task: TaskRecord): void {
  const view = taskView(task);
  if (config.format !== "table") return printData(view, config.format);
  const lines = [
    `${paint("bold", task.id)}  ${task.task}  ${paintTask(task.status)}  attempt ${task.attempt}`,
    field("queue", `${task.queue}, priority ${task.priority}`),
    field("enqueued", view.enqueuedAt),
  ];
  if (view.due !== null) lines.push(field("due", view.due));
  lines.push(field("input", valueText(task.input)));
  if (task.status === "completed") lines.push(field("output", valueText(task.output)));
  if (task.error !== null) lines.push(field("error", describeError(task.error)));
  if (task.status === "dead") lines.push(field("try", `claw redrive ${task.id}`));
  printText(lines.join("\n"));
}

function count(config: Config, { queue }: Filter, all: readonly QueueCounts[]): void {
  const rows = all.filter((row) => queue === undefined || row.queue === queue);
  if (config.format !== "table") return printItems(rows.map(queueView), config.format);
  const now = Date.now();
  const age = (at: number | null): string => (at === null ? "" : shortDuration(now - at));
  printTable(
    COUNT_COLUMNS,
    rows.map(({ queue: name, ready, waiting, oldestOpen, dead, oldestDead, completed }) => [
      name,
      String(ready),
      String(waiting),
      age(oldestOpen),
      String(dead),
      age(oldestDead),
      String(completed),
    ]),
  );
}

function printTable(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
  const [head = "", ...lines] = tableLines(columns, rows);
  printText([paint("bold", head), ...lines].join("\n"));
}

function paintTask(status: TaskStatus): string {
  const styles = { ready: "blue", waiting: "cyan", dead: "red", completed: "green" } as const;
  return paint(styles[status], status);
}

function valueText(value: unknown): string {
  return shortText(JSON.stringify(value) ?? "", VALUE_CHARS_MAX);
}

function field(name: string, text: string): string {
  return `${paint("dim", name.padEnd(10))} ${text}`;
}
