import {
  ClawError,
  type Entry,
  ENTRY_KINDS,
  type EntryKind,
  encodePayload,
  type ErrorRecord,
  isRunId,
  type RunRecord,
  type RunStatus,
} from "@claw/core/protocol";
import type { EntryKindName } from "./seen-run.ts";

/** What is recorded about one run, to be kept as a file and replayed against later code. */
export interface History {
  /** The form of the file; later forms have other names. */
  readonly format: "claw-history-1";
  /** What is known of the run besides its journal. */
  readonly run: Omit<RunRecord, "journal" | "due" | "abandoned">;
  /** All entries, in their order. */
  readonly journal: readonly Entry[];
}

const FORMAT = "claw-history-1";
const LETTERS: ReadonlySet<string> = new Set(Object.values(ENTRY_KINDS));

/** Makes a history of what `claw.find(id)` gives. Keep it as JSON. */
export function exportHistory(record: RunRecord): History {
  const { journal, due: _due, abandoned: _abandoned, ...run } = record;
  return { format: FORMAT, run, journal };
}

/** A history as replay needs it. */
export interface ReadHistory {
  readonly id: string;
  readonly namespace: string;
  readonly workflow: string;
  readonly version: number;
  readonly status: RunStatus;
  readonly input: string;
  readonly output: string;
  readonly error: ErrorRecord | null;
  readonly startedAt: number;
  readonly isClosed: boolean;
  readonly parentRun: string;
  readonly cause: string;
  /** Null for a run without a key. */
  readonly key: string | null;
  readonly journal: readonly Entry[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads a history: what `exportHistory` made, a RunRecord, or the JSON of `claw show RUN -o json`.
 * Errors: CLAW-6005 names what is wrong.
 */
export function readHistory(given: unknown): ReadHistory {
  const outer = fieldsOf(given, "the history");
  const run = outer["format"] === FORMAT ? fieldsOf(outer["run"], "run") : outer;
  const { journal } = outer;
  if (!Array.isArray(journal)) throw unreadable("it has no journal");
  const entries = journal.map((entry, at) => fieldsOf(entry, `entry ${at + 1}`));
  // The command line shows values decoded and times as text; records have them as they are stored.
  const isShown = typeof run["startedAt"] === "string";
  const id = textOf(run, "id");
  if (!isRunId(id)) throw unreadable(`"${id}" is no id of a run`);
  return {
    id,
    namespace: typeof run["namespace"] === "string" ? run["namespace"] : "default",
    workflow: textOf(run, "workflow"),
    version: numberOf(run, "version"),
    status: textOf(run, "status") as RunStatus,
    // What is shown as null was most likely not given at all.
    input: isShown ? encodePayload(run["input"] ?? undefined) : textOf(run, "input"),
    output: isShown ? encodePayload(run["output"] ?? undefined) : textOf(run, "output"),
    error: (run["error"] ?? null) as ErrorRecord | null,
    startedAt: instantOf(run, "startedAt"),
    isClosed: run["endedAt"] !== null && run["endedAt"] !== undefined,
    parentRun: textOf(run, "parentRun"),
    cause: textOf(run, "cause"),
    key: run["queue"] ? textOf(fieldsOf(run["queue"], "queue"), "key") : null,
    journal: entries.map((entry, at) => entryOf(entry, at + 1)),
  };
}

function entryOf(entry: Fields, seq: number): Entry {
  if (entry["seq"] !== seq) throw unreadable(`entry ${seq} has another number`);
  const { kind } = entry;
  const name = String(kind);
  const isShown = Object.hasOwn(ENTRY_KINDS, name);
  if (!isShown && !LETTERS.has(name)) throw unreadable(`entry ${seq} is of no known kind`);
  if (typeof entry["print"] !== "string") throw unreadable(`entry ${seq} has no fingerprint`);
  const letter = isShown ? ENTRY_KINDS[name as EntryKindName] : (name as EntryKind);
  return {
    seq,
    at: instantOf(entry, "at"),
    kind: letter,
    call: textOf(entry, "call"),
    attempt: numberOf(entry, "attempt"),
    print: entry["print"],
    data: isShown ? dataOf(letter, entry["data"]) : textOf(entry, "data"),
  };
}

// The output of a child is a payload inside of a payload.
function dataOf(kind: EntryKind, data: unknown): string {
  if (kind !== ENTRY_KINDS.childEnded) return encodePayload(data);
  const { output, ...rest } = fieldsOf(data, "the end of a child");
  if (rest["status"] !== "completed") return encodePayload(rest);
  return encodePayload({ ...rest, output: encodePayload(output ?? undefined) });
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === "object" && value !== null) return value as Fields;
  throw unreadable(`${what} is no object`);
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  throw unreadable(`${name} is no text`);
}

function numberOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw unreadable(`${name} is no whole number`);
}

function instantOf(fields: Fields, name: string): number {
  const value = fields[name];
  const ms = typeof value === "string" ? Date.parse(value) : value;
  if (typeof ms === "number" && Number.isSafeInteger(ms)) return ms;
  throw unreadable(`${name} is no instant`);
}

/** The error of a history that cannot be read. */
export function unreadable(why: string): ClawError {
  return new ClawError("CLAW-6005", `The history cannot be read: ${why}`);
}
