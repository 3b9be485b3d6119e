import type { RunId } from "./ids.ts";
import { ENTRY_KINDS, type ChildOutcome, type Entry, type RetryNote } from "./journal.ts";
import type { ErrorRecord } from "./errors.ts";
import { isCoded, type Payload } from "./payload.ts";
import type { StoredTask } from "./task.ts";
import type { Generation, RunRecord, RunSummary } from "./run.ts";

// "~", the names of the codecs in the order of encoding, then ":" and base64, or "@" and where the bytes are.
// No JSON text begins with "~", so payloads that were written without a codec stay readable.
const FORM = /^~([a-z0-9.-]*)(?::([A-Za-z0-9+/=]*)|@(\d+):([^/]+)\/(.+))$/s;
const COMPRESSIONS = new Set(["", "gzip", "zstd"]);

/** Where the bytes of a large payload are. */
export interface BlobPlace {
  readonly run: RunId;
  readonly id: string;
  readonly bytes: number;
}

/** A stored payload that is not plain JSON. */
export interface CodedPayload {
  /** Names of the codecs, in the order of encoding. */
  readonly codecs: readonly string[];
  /** The bytes in base64; empty when they are a blob. */
  readonly base64: string;
  readonly blob: BlobPlace | null;
}

/** The stored form of a payload that codecs made, or whose bytes are a blob. */
export function writeCoded({ codecs, base64, blob }: CodedPayload): Payload {
  const names = codecs.join(".");
  return blob === null ? `~${names}:${base64}` : `~${names}@${blob.bytes}:${blob.run}/${blob.id}`;
}

/** Reads what `writeCoded` made; null for anything else. */
export function readCoded(payload: Payload): CodedPayload | null {
  const found = FORM.exec(payload);
  if (found === null) return null;
  const [, names = "", base64 = "", bytes = "", run = "", id = ""] = found;
  const blob = bytes === "" ? null : { run, id, bytes: Number(bytes) };
  return { codecs: names === "" ? [] : names.split("."), base64, blob };
}

/** What stands for a stored payload that is not decoded here, for people. */
export function standInFor(payload: Payload): string {
  const { codecs, blob } = readCoded(payload) ?? { codecs: ["?"], blob: null };
  if (!codecs.every((name) => COMPRESSIONS.has(name))) return "<encrypted>";
  return blob === null ? "<compressed>" : `<${blob.bytes} bytes apart>`;
}

/** A payload that can be shown: itself, or a text that stands for it. */
export function shownPayload(payload: Payload): Payload {
  return isCoded(payload) ? JSON.stringify(standInFor(payload)) : payload;
}

/** An entry whose data can be shown, in the form of its kind. */
export function shownEntry(entry: Entry): Entry {
  if (!isCoded(entry.data)) return entry;
  const text = standInFor(entry.data);
  const error: ErrorRecord = { name: "Error", message: text };
  switch (entry.kind) {
    case ENTRY_KINDS.stepFailed:
      return { ...entry, data: JSON.stringify(error) };
    case ENTRY_KINDS.attemptFailed:
      return { ...entry, data: JSON.stringify({ error, dueAt: entry.at } satisfies RetryNote) };
    case ENTRY_KINDS.childEnded:
    case ENTRY_KINDS.updateEnded: {
      const outcome: ChildOutcome = { status: "completed", output: JSON.stringify(text) };
      return { ...entry, data: JSON.stringify(outcome) };
    }
    default:
      return { ...entry, data: JSON.stringify(text) };
  }
}

/** A line about a run with a stand-in for a message that is not decoded here. */
export function shownSummary<Run extends RunSummary>(run: Run): Run {
  const at = run.reason.indexOf(": ~");
  if (at < 0) return run;
  const reason = `${run.reason.slice(0, at)}: ${standInFor(run.reason.slice(at + 2))}`;
  return { ...run, reason };
}

/** A run with stand-ins for all that is not decoded here. */
export function shownRun(run: RunRecord): RunRecord {
  const { input, output, error, journal, generations } = run;
  return {
    ...shownSummary(run),
    input: shownPayload(input),
    output: shownPayload(output),
    error: error === null || !isCoded(error.message) ? error : hidden(error),
    journal: journal.map(shownEntry),
    ...(generations === undefined ? {} : { generations: generations.map(shownGeneration) }),
  };
}

/** A listed task with stand-ins for all that is not decoded here. */
export function shownTask(task: StoredTask): StoredTask {
  const { input, output, error } = task;
  return {
    ...task,
    input: shownPayload(input),
    output: shownPayload(output),
    error: error === null || !isCoded(error.message) ? error : hidden(error),
  };
}

function shownGeneration(one: Generation): Generation {
  return { ...one, input: shownPayload(one.input), journal: one.journal.map(shownEntry) };
}

function hidden({ name, code, message }: ErrorRecord): ErrorRecord {
  return { name, message: standInFor(message), ...(code === undefined ? {} : { code }) };
}
