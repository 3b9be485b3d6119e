import {
  type Attributes,
  type ChildOutcome,
  decodePayload,
  type Entry,
  entryKindName,
  type EntryKindName,
  type ErrorRecord,
  type KeyLine,
  type OpenApproval,
  type Payload,
  type RetryNote,
  type RunRecord,
  type RunStatus,
  type QueueCounts,
  type RunSummary,
  shownEntry,
  type TaskRecord,
  type TaskStatus,
} from "@claw/core/protocol";
import type { StoreInfo } from "@claw/core/ports";
import type { Chunk, RunEvent, RuntimeStats } from "@claw/runtime";

/** A run in an answer; times are ISO 8601. */
export interface RunView {
  readonly id: string;
  readonly workflow: string;
  readonly version: number;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** "" for a client, else "event SOURCE ID" or the id of the run that started it. */
  readonly cause: string;
  readonly parentRun: string;
  /** Why it is held or how it failed; empty otherwise. */
  readonly reason: string;
  /** What its code set with `ctx.attributes`. */
  readonly attributes: Attributes;
}

/** A run with what it was given and what came of it. */
export interface RunDetailView extends RunView {
  readonly input: unknown;
  readonly output: unknown;
  readonly error: Omit<ErrorRecord, "stack"> | null;
  /** Calls that were open at its end. */
  readonly abandoned: readonly string[];
  /** When it looks at itself again; null when only a message wakes it. */
  readonly due: string | null;
  /** Entries in its journal. */
  readonly entries: number;
  /** Where it stands in the queue of its key; null for a run without one. */
  readonly queue: KeyLine | null;
}

/** An entry of a journal in an answer. */
export interface EntryView {
  readonly seq: number;
  readonly at: string;
  readonly kind: EntryKindName;
  readonly call: string;
  readonly attempt: number;
  /** Fingerprint of what the call declared, which replay compares. */
  readonly print: string;
  readonly data: unknown;
}

/** An entry in the feed of a run. */
export type EventView = Omit<EntryView, "print">;

/** A chunk of a stream in an answer. */
export interface ChunkView extends Omit<Chunk, "at"> {
  readonly at: string;
}

/** An approval that a run waits for. */
export interface ApprovalView {
  readonly run: string;
  readonly call: string;
  readonly title: string;
  /** JSON Schema of the value that an approval brings. */
  readonly form: unknown;
  /** Who may decide; empty for everybody. */
  readonly assignees: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** A standalone task in an answer. */
export interface TaskView {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly status: TaskStatus;
  readonly priority: number;
  /** The attempt to come or under way, from 1; of one that ended, its last. */
  readonly attempt: number;
  readonly enqueuedAt: string;
  /** When the next attempt is due; null unless it waits for that. */
  readonly due: string | null;
  readonly input: unknown;
  /** Of a completed one whose result is kept. */
  readonly output: unknown;
  /** Of the last failed attempt. */
  readonly error: Omit<ErrorRecord, "stack"> | null;
}

/** How many tasks a queue holds. */
export interface QueueView {
  readonly queue: string;
  readonly ready: number;
  readonly waiting: number;
  readonly dead: number;
  readonly completed: number;
  /** When the oldest ready or waiting task was enqueued; null when there is none. */
  readonly oldestOpen: string | null;
  /** When the oldest dead one was enqueued; null when there is none. */
  readonly oldestDead: string | null;
}

/** What a process says about itself. */
export interface StatusView {
  readonly version: string;
  readonly pid: number;
  readonly namespace: string;
  readonly store: StoreInfo;
  readonly stats: RuntimeStats;
  readonly workflows: readonly WorkflowView[];
  /** Names of the tasks that it works off its queues. */
  readonly tasks: readonly string[];
}

/** A definition that a process runs. */
export interface WorkflowView {
  readonly name: string;
  readonly version: number;
  /** Types of events that start it. */
  readonly triggers: readonly string[];
  /** JSON Schema of its input, or null when its schema library gives none. */
  readonly input: unknown;
}

/** A run as one line of a list. */
export function runView(run: RunSummary): RunView {
  return {
    id: run.id,
    workflow: run.workflow,
    version: run.version,
    status: run.status,
    startedAt: instant(run.startedAt),
    endedAt: run.endedAt === null ? null : instant(run.endedAt),
    cause: run.cause,
    parentRun: run.parentRun,
    reason: run.reason,
    attributes: run.attributes,
  };
}

/** A run with its values. */
export function runDetailView(run: RunRecord): RunDetailView {
  return {
    ...runView(run),
    input: valueOf(run.input),
    output: valueOf(run.output),
    error: run.error === null ? null : withoutStack(run.error),
    abandoned: run.abandoned,
    // 0 and 1 are not instants: a process holds it, or it is owed a look at once.
    due: run.due === null || run.due <= 1 ? null : instant(run.due),
    entries: run.journal.length,
    queue: run.queue ?? null,
  };
}

/** An open approval with its form as JSON Schema. */
export function approvalView(row: OpenApproval): ApprovalView {
  const { run, call, title, assignees } = row;
  return {
    run,
    call,
    title,
    form: valueOf(row.form),
    assignees,
    createdAt: instant(row.createdAt),
    expiresAt: row.expiresAt === null ? null : instant(row.expiresAt),
  };
}

/** A standalone task with its values. */
export function taskView(task: TaskRecord): TaskView {
  const { id, queue, status, priority, attempt, due, input, output, error } = task;
  return {
    id,
    task: task.task,
    queue,
    status,
    priority,
    attempt,
    enqueuedAt: instant(task.enqueuedAt),
    due: due === null ? null : instant(due),
    input: input ?? null,
    output: output ?? null,
    error: error === null ? null : withoutStack(error),
  };
}

/** A queue with its counts. */
export function queueView({ oldestOpen, oldestDead, ...counts }: QueueCounts): QueueView {
  return {
    ...counts,
    oldestOpen: oldestOpen === null ? null : instant(oldestOpen),
    oldestDead: oldestDead === null ? null : instant(oldestDead),
  };
}

/** An entry with its kind spelled out and its data decoded. */
export function entryView(stored: Entry): EntryView {
  const entry = shownEntry(stored);
  const kind = entryKindName(entry.kind);
  return {
    seq: entry.seq,
    at: instant(entry.at),
    kind,
    call: entry.call,
    attempt: entry.attempt,
    print: entry.print,
    data: shownData(kind, valueOf(entry.data)),
  };
}

/** An entry as the feed of a run has it. */
export function eventView({ seq, at, kind, call, attempt, data }: RunEvent): EventView {
  return { seq, at: instant(at), kind, call, attempt, data: shownData(kind, data) };
}

/** A chunk of a stream. */
export function chunkView(chunk: Chunk): ChunkView {
  return { ...chunk, at: instant(chunk.at) };
}

function valueOf(payload: Payload): unknown {
  return decodePayload(payload) ?? null;
}

function withoutStack(error: ErrorRecord): Omit<ErrorRecord, "stack"> {
  const { stack: _stack, ...rest } = error;
  return rest;
}

// Stacks name files of the machine: people find them in the store, not in an answer.
function shownData(kind: EntryKindName, data: unknown): unknown {
  switch (kind) {
    case "stepFailed":
      return withoutStack(data as ErrorRecord);
    case "attemptFailed": {
      const note = data as RetryNote;
      return { ...note, error: withoutStack(note.error) };
    }
    case "childEnded": {
      const { error, output, status } = data as ChildOutcome;
      if (error !== undefined) return { status, error: withoutStack(error) };
      return { status, output: valueOf(output ?? "") };
    }
    default:
      return data ?? null;
  }
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
