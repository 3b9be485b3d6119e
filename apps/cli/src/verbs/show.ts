import {
  describeError,
  ERRORS,
  type ErrorCode,
  type ErrorRecord,
  type KeyLine,
  type RunRecord,
} from "@claw/core/protocol";
import { entryView, runDetailView } from "@claw/gateway/wire";
import { childrenShown, type ShownChild } from "../children.ts";
import { openReader } from "../compose.ts";
import type { Config } from "../config.ts";
import { findRun } from "../find-run.ts";
import { shortDuration, shortText, tableLines } from "../table.ts";
import { paint, paintStatus, printData, printText } from "../terminal.ts";
import { barOf, timelineOf, type Span } from "../timeline.ts";

const BAR_CHARS = 32;
const NOTE_CHARS_MAX = 70;
const VALUE_CHARS_MAX = 200;
const COLUMNS = [
  { title: "", right: true },
  { title: "CALL" },
  { title: "OUTCOME" },
  { title: "AT", right: true },
  { title: "TOOK", right: true },
  { title: "".padEnd(BAR_CHARS) },
  { title: "" },
];

/** Shows one run: its values, timeline, what it waits for or why it failed. */
export async function show(config: Config, text: string): Promise<void> {
  const reader = await openReader(config);
  try {
    const run = await findRun(reader, text);
    const children = await childrenShown(reader, run);
    if (config.format !== "table") {
      return printData(
        { ...runDetailView(run), children, journal: run.journal.map(entryView) },
        config.format,
      );
    }
    const lines = [...headOf(run), ...childLines(children), ...timelineLines(run), ...tailOf(run)];
    printText(lines.join("\n"));
  } finally {
    reader.close();
  }
}

function headOf(run: RunRecord): string[] {
  const took = (run.endedAt ?? Date.now()) - run.startedAt;
  const lines = [
    `${paint("bold", run.id)}  ${run.workflow}@${run.version}  ${paintStatus(run.status)}  ${shortDuration(took)}`,
    field("started", new Date(run.startedAt).toISOString()),
  ];
  if (run.cause !== "") lines.push(field("cause", run.cause));
  if (run.parentRun !== "") lines.push(field("parent", run.parentRun));
  if (run.queue !== undefined) lines.push(field("key", keyOf(run.queue)));
  const ended = run.generations?.length ?? 0;
  if (ended > 0) lines.push(field("generation", String(ended + 1)));
  const facts = Object.entries(run.attributes).map(([name, value]) => `${name}=${String(value)}`);
  if (facts.length > 0) lines.push(field("attributes", facts.join(" ")));
  if (run.input !== "") lines.push(field("input", shortText(run.input, VALUE_CHARS_MAX)));
  return lines;
}

function keyOf({ key, place }: KeyLine): string {
  return place === "aside" ? `${key}  (others are let past)` : key;
}

function childLines(children: readonly ShownChild[]): string[] {
  return children.map(({ id, workflow, status, onParentEnd }, at) => {
    const policy = onParentEnd === "cancel" ? "" : `  (${onParentEnd})`;
    return field(at === 0 ? "children" : "", `${id}  ${workflow}  ${status}${policy}`);
  });
}

function timelineLines(run: RunRecord): string[] {
  if (run.journal.length === 0) return [];
  const spans = timelineOf(run);
  const totalMs = Math.max(
    (run.endedAt ?? run.startedAt) - run.startedAt,
    ...spans.map(({ toMs }) => toMs),
  );
  const rows = spans.map((span) => cellsOf(span, totalMs));
  const [head = "", ...lines] = tableLines(COLUMNS, rows);
  return ["", paint("bold", head), ...lines];
}

const BAR_STYLES: Readonly<Record<string, "red" | "yellow">> = {
  failed: "red",
  retry: "yellow",
  timeout: "yellow",
};

function cellsOf(span: Span, totalMs: number): string[] {
  const style = BAR_STYLES[span.outcome] ?? "green";
  return [
    String(span.seq),
    span.label,
    paint(style, span.outcome),
    `+${shortDuration(span.toMs)}`,
    shortDuration(span.toMs - span.fromMs),
    paint(style, barOf(span, totalMs, BAR_CHARS)),
    shortText(span.note, NOTE_CHARS_MAX),
  ];
}

function tailOf(run: RunRecord): string[] {
  const lines = [""];
  if (run.status === "completed")
    lines.push(field("output", shortText(run.output, VALUE_CHARS_MAX)));
  if (run.error !== null) {
    lines.push(field("error", describeError(run.error)));
    const remedy = remedyOf(run.error.code);
    if (remedy !== null) lines.push(field("try", remedy));
    lines.push(...compensationLines(run.error));
  }
  if (run.endedAt === null && (run.reason !== "" || run.status === "paused")) {
    const verb = run.status === "paused" ? "resume" : "release";
    const [why = "", ...more] = run.reason.split("\n");
    lines.push(
      field("held", why),
      ...more.map((line) => field("", line)),
      field("try", `claw ${verb} ${run.id}`),
    );
  }
  if (run.queue?.place === "waiting") {
    lines.push(field("waits", `for its key, right behind ${run.queue.behind}`));
  }
  if (run.status === "waiting") lines.push(field("waits", waitOf(run)));
  if (run.abandoned.length > 0) lines.push(field("open calls", run.abandoned.join(", ")));
  return lines.length === 1 ? [] : lines;
}

// What a compensation did and left, in words: "undone", "failed", "uncertain", "remaining".
function compensationLines({ details }: ErrorRecord): string[] {
  const report = details?.["compensation"];
  if (typeof report !== "object" || report === null) return [];
  return Object.entries(report).flatMap(([what, calls]) => {
    if (!Array.isArray(calls) || calls.length === 0) return [];
    const names = (calls as (string | { call: string; error: ErrorRecord })[]).map((one) =>
      typeof one === "string" ? one : `${one.call} (${describeError(one.error)})`,
    );
    return [field(what, names.join(", "))];
  });
}

function waitOf({ due }: RunRecord): string {
  if (due === null) return "for a message";
  const inMs = due - Date.now();
  const at = new Date(due).toISOString();
  return inMs > 0 ? `for a message or until ${at} (in ${shortDuration(inMs)})` : `until ${at}`;
}

function remedyOf(code: string | undefined): string | null {
  return code !== undefined && Object.hasOwn(ERRORS, code)
    ? ERRORS[code as ErrorCode].remedy
    : null;
}

function field(name: string, text: string): string {
  return `${paint("dim", name.padEnd(10))} ${text}`;
}
