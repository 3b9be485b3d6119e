import {
  otlpOf,
  type RunId,
  type RunRecord,
  traceContextOf,
  type TraceSpan,
  traceSpans,
} from "@claw/core/protocol";
import { openReader, type Reader } from "../compose.ts";
import type { Config } from "../config.ts";
import { findRun } from "../find-run.ts";
import { shortDuration, shortText, tableLines } from "../table.ts";
import { hint, paint, printData, printItems, printText } from "../terminal.ts";
import { barOf } from "../timeline.ts";

/** Options of `claw trace`. */
export interface TraceFlags {
  readonly alone?: boolean;
}

/** Spans that are shown at most; of a larger trace look at its runs one by one. */
const SPANS_MAX = 5_000;
const BAR_CHARS = 32;
const NAME_CHARS_MAX = 60;
const NOTE_CHARS_MAX = 70;
const COLUMNS = [
  { title: "SPAN" },
  { title: "AT", right: true },
  { title: "TOOK", right: true },
  { title: "".padEnd(BAR_CHARS) },
  { title: "" },
];
const STYLES = { ok: "green", error: "red", open: "cyan" } as const;

/** Prints the trace of a run with the runs that it started, as a tree, or for a collector of OpenTelemetry. */
export async function trace(config: Config, text: string, flags: TraceFlags): Promise<void> {
  const reader = await openReader(config);
  try {
    const run = await findRun(reader, text);
    const spans = await spansOf(reader, run, flags.alone === true);
    const nowMs = Date.now();
    if (config.format === "json") return printData(otlpOf(spans, nowMs), "json");
    if (config.format === "jsonl") return printItems(spans, "jsonl");
    const { traceId, parentId } = traceContextOf(run);
    const from = parentId === "" ? "" : ` from ${parentId}`;
    const lines = linesOf(spans, latest(spans, nowMs), run);
    printText([`${paint("bold", run.id)}  trace ${traceId}${from}`, "", ...lines].join("\n"));
    if (spans.length >= SPANS_MAX) hint(`only the first ${SPANS_MAX} spans are shown`);
  } finally {
    reader.close();
  }
}

// Those of the run, and of the runs that it and its children started, as long as they are kept.
async function spansOf(reader: Reader, run: RunRecord, isAlone: boolean): Promise<TraceSpan[]> {
  const spans = [...traceSpans(run)];
  if (isAlone) return spans.slice(0, SPANS_MAX);
  const seen = new Set<RunId>([run.id]);
  for (let at = 0; at < spans.length && spans.length < SPANS_MAX; at++) {
    const child = spans[at]?.child ?? "";
    if (child === "" || seen.has(child)) continue;
    seen.add(child);
    const found = await reader.find(child);
    if (found !== null) spans.push(...traceSpans(found));
  }
  return spans.slice(0, SPANS_MAX);
}

function latest(spans: readonly TraceSpan[], nowMs: number): number {
  let last = 0;
  for (const { endMs } of spans) last = Math.max(last, endMs ?? nowMs);
  return last;
}

interface Line {
  readonly span: TraceSpan;
  readonly depth: number;
}

function linesOf(spans: readonly TraceSpan[], endMs: number, run: RunRecord): string[] {
  const { startedAt } = run;
  const totalMs = endMs - startedAt;
  const rows = treeOf(spans).map(({ span, depth }) => {
    const fromMs = span.startMs - startedAt;
    const toMs = (span.endMs ?? endMs) - startedAt;
    const style = STYLES[span.status];
    return [
      shortText(`${"  ".repeat(depth)}${labelOf(span)}`, NAME_CHARS_MAX),
      `+${shortDuration(fromMs)}`,
      span.endMs === null ? "…" : shortDuration(toMs - fromMs),
      paint(style, barOf({ fromMs, toMs }, totalMs, BAR_CHARS)),
      shortText(noteOf(span), NOTE_CHARS_MAX),
    ];
  });
  const [head = "", ...lines] = tableLines(COLUMNS, rows);
  return [paint("bold", head), ...lines];
}

// Parents before their children, these in the order of their beginnings.
function treeOf(spans: readonly TraceSpan[]): Line[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = new Map<string, TraceSpan[]>();
  for (const span of spans) {
    const parent = ids.has(span.parentId) ? span.parentId : "";
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [span]);
    else known.push(span);
  }
  const lines: Line[] = [];
  const walk = (parent: string, depth: number): void => {
    const own = (children.get(parent) ?? []).toSorted((a, b) => a.startMs - b.startMs);
    for (const span of own) {
      lines.push({ span, depth });
      walk(span.spanId, depth + 1);
    }
  };
  walk("", 0);
  return lines;
}

function labelOf({ kind, name, attributes }: TraceSpan): string {
  return kind === "run" ? `${name}@${String(attributes["claw.version"])}` : name;
}

function noteOf({ kind, run, message, attributes, status, endMs }: TraceSpan): string {
  if (message !== "") return message;
  if (kind === "run") return run;
  if (kind === "scope") {
    const own = Object.entries(attributes).filter(([name]) => !name.startsWith("claw."));
    return own.map(([name, value]) => `${name}=${String(value)}`).join(" ");
  }
  return status === "open" && endMs === null ? "under way" : "";
}
