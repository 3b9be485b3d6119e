import type { PayloadCodec } from "@claw/core/ports";
import {
  ClawError,
  type Entry,
  ENTRY_KINDS,
  type EntryKind,
  encodePayload,
  type ErrorRecord,
  isClawError,
  isRunId,
  type RunRecord,
  type RunStatus,
} from "@claw/core/protocol";
import { exportRecord, readRecords } from "@claw/runtime";
import type { EntryKindName } from "./seen-run.ts";

const LETTERS: ReadonlySet<string> = new Set(Object.values(ENTRY_KINDS));

/**
 * Makes a history of what `claw.find(id)` gives: the text of an export of this one run, as `claw export` writes them. Keep
 * it as a file with the ending `.jsonl`.
 */
export function exportHistory(record: RunRecord): string {
  return exportRecord(record);
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
 * Reads histories: the text of an export (`exportHistory`, `claw export`), a RunRecord, or what `claw show RUN -o json`
 * prints. Errors: CLAW-6005 names what is wrong.
 */
export async function readHistories(
  given: unknown,
  codec?: PayloadCodec | readonly PayloadCodec[],
): Promise<readonly ReadHistory[]> {
  if (typeof given !== "string") return [readShown(given)];
  const histories: ReadHistory[] = [];
  try {
    for await (const record of readRecords(() => bytesOf(given), codec)) {
      histories.push(readShown(record));
    }
  } catch (error) {
    throw isClawError(error) ? unreadable(`${error.code}: ${error.detail}`) : error;
  }
  if (histories.length === 0) throw unreadable("it has no runs");
  return histories;
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

function readShown(given: unknown): ReadHistory {
  const run = fieldsOf(given, "the history");
  const { journal } = run;
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
    journal: journalOf(entries),
  };
}

// Numbers of entries that a checkpoint removed are missing.
function journalOf(entries: readonly Fields[]): Entry[] {
  const journal: Entry[] = [];
  for (const [at, fields] of entries.entries()) {
    const entry = entryOf(fields, at + 1);
    const before = journal.at(-1)?.seq ?? 0;
    if (entry.seq <= before) throw unreadable(`entry ${at + 1} has another number`);
    journal.push(entry);
  }
  return journal;
}

function entryOf(entry: Fields, at: number): Entry {
  const seq = numberOf(entry, "seq");
  const { kind } = entry;
  const name = String(kind);
  const isShown = Object.hasOwn(ENTRY_KINDS, name);
  if (!isShown && !LETTERS.has(name)) throw unreadable(`entry ${at} is of no known kind`);
  if (typeof entry["print"] !== "string") throw unreadable(`entry ${at} has no fingerprint`);
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
