import {
  decodePayload,
  type Entry,
  ENTRY_KINDS,
  type EntryKind,
  type ErrorRecord,
  type RunId,
  type RunRecord,
  type RunStatus,
} from "@claw/core/protocol";

/** Name of a kind of entry, for example "stepCompleted". */
export type EntryKindName = keyof typeof ENTRY_KINDS;

/** One entry of a journal, decoded. */
export interface JournalLine {
  /** From 1; numbers of removed entries are missing. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What it tells. */
  readonly kind: EntryKindName;
  /** The call that it belongs to; empty for the run as a whole. */
  readonly call: string;
  /** Which try it tells of, from 1. */
  readonly attempt: number;
  /** By kind: the value of a step, the error of a failure, the data of an event. */
  readonly data: unknown;
}

/** What an open run waits for. */
export interface Waits {
  /** The next instant at which time wakes it, milliseconds since 1970; null for none. */
  readonly until: number | null;
  /** Open waits for something else than time: signals, events, children. */
  readonly messages: number;
  /** Calls that wait for an event. */
  readonly events: readonly string[];
}

/** A run as people want to see it. */
export interface SeenRun {
  /** The id of the run. */
  readonly id: RunId;
  /** Name of its workflow. */
  readonly workflow: string;
  /** Version of its workflow. */
  readonly version: number;
  /** What it is doing, or how it ended. */
  readonly status: RunStatus;
  /** Why it is held or how it failed; empty otherwise. */
  readonly reason: string;
  /** What it was started with. */
  readonly input: unknown;
  /** undefined unless completed. */
  readonly output: unknown;
  /** Of a run that ended badly; else null. */
  readonly error: ErrorRecord | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds since 1970; null while it is open. */
  readonly endedAt: number | null;
  /** What it waits for; nothing once it has ended. */
  readonly waits: Waits;
  /** All entries, decoded. */
  readonly journal: readonly JournalLine[];
  /** Everything as it is recorded, for `exportHistory`. */
  readonly record: RunRecord;
}

const KIND_NAMES: ReadonlyMap<EntryKind, EntryKindName> = new Map(
  Object.entries(ENTRY_KINDS).map(([name, kind]) => [kind, name as EntryKindName]),
);

/** Shows a run; `open` is what the disk holds of it while it is open. */
export function seeRun(
  record: RunRecord,
  open: Pick<Waits, "messages" | "events"> | undefined,
): SeenRun {
  const { id, workflow, version, status, reason, error, startedAt, endedAt, due } = record;
  return {
    id,
    workflow,
    version,
    status,
    reason,
    input: decodePayload(record.input),
    output: decodePayload(record.output),
    error,
    startedAt,
    endedAt,
    waits: {
      // 0 and 1 are not instants: a process holds it, or it is owed a look at once.
      until: due === null || due <= 1 ? null : due,
      messages: open?.messages ?? 0,
      events: open?.events ?? [],
    },
    journal: record.journal.map(lineOf),
    record,
  };
}

function lineOf({ seq, at, kind, call, attempt, data }: Entry): JournalLine {
  const name = KIND_NAMES.get(kind) ?? "stepCompleted";
  return { seq, at, kind: name, call, attempt, data: decodePayload(data) };
}
