import { styleText } from "node:util";
import type { Log, LogLine } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import type { Format } from "./config.ts";

type Style = Parameters<typeof styleText>[0];

/** Prints one value as data: one line where lines were asked for, else indented. */
export function printData(value: unknown, format: Format): void {
  process.stdout.write(`${JSON.stringify(value, null, format === "jsonl" ? 0 : 2)}\n`);
}

/** Prints a list as data: one array, or one line for each item. */
export function printItems(items: readonly unknown[], format: Format): void {
  if (format === "json") return printData(items, format);
  for (const item of items) process.stdout.write(`${JSON.stringify(item)}\n`);
}

/** Prints text as data. */
export function printText(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Tells the person at the terminal something that is not data. */
export function hint(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Colours text for stdout, where the terminal and NO_COLOR allow it. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

const STATUS_STYLES: Readonly<Record<string, Style>> = {
  completed: "green",
  failed: "red",
  cancelled: "gray",
  waiting: "cyan",
  running: "blue",
};

/** Colours the status of a run; held ones are yellow. */
export function paintStatus(status: string, padded: string = status): string {
  return paint(STATUS_STYLES[status] ?? "yellow", padded);
}

/** Shows an error: one line and what to do, or problem details where JSON was asked for. */
export function printError(error: unknown, format: Format, verbose: boolean): void {
  const known = error instanceof ClawError ? error : null;
  if (format !== "table") {
    const problem =
      known === null
        ? { title: "Unexpected error", detail: String(error), retryable: false }
        : {
            code: known.code,
            title: known.title,
            detail: known.detail,
            remedy: known.remedy,
            retryable: known.retryable,
            details: known.details,
          };
    hint(JSON.stringify(problem));
    return;
  }
  const mark = styleText("red", "error", { stream: process.stderr });
  if (known === null) {
    hint(`${mark} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return;
  }
  hint(`${mark} ${known.code}: ${known.detail}`);
  for (const issue of issuesOf(known)) hint(`  ${issue}`);
  hint(`  try: ${known.remedy}`);
  if (verbose && known.cause instanceof Error) hint(`  cause: ${known.cause.message}`);
}

function issuesOf({ details }: ClawError): string[] {
  const issues = details["issues"];
  if (!Array.isArray(issues)) return [];
  return (issues as { path?: string; message?: string }[]).map(
    ({ path = "", message = "" }) => `${path} ${message}`,
  );
}

const LEVELS: readonly LogLine["level"][] = ["debug", "info", "warn", "error"];

/** A log that writes lines from this level on to stderr. */
export function logFrom(level: LogLine["level"]): Log {
  const least = LEVELS.indexOf(level);
  return (line) => {
    if (LEVELS.indexOf(line.level) < least) return;
    const fields = Object.entries(line.fields).map(
      ([name, value]) => `${name}=${fieldText(value)}`,
    );
    hint(`${line.level.padEnd(5)} ${line.message} ${fields.join(" ")}`.trimEnd());
  };
}

function fieldText(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return /[\s"]/.test(text) ? JSON.stringify(text) : text;
}
