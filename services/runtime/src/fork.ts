import type { Transition } from "@claw/core/ports";
import {
  type AttributeChanges,
  type AttributeValue,
  ClawError,
  decodePayload,
  encodeEntry,
  encodePayload,
  type Entry,
  ENTRY_KINDS,
  type EntryKind,
  type ErrorRecord,
  type ForkNote,
  inheritedTrace,
  type Payload,
  type ChildOutcome,
  type RunId,
  type RunRecord,
  type StartRow,
} from "@claw/core/protocol";
import { validate } from "@claw/sdk";
import type { Forked, ForkOptions } from "./claw.ts";
import type { Node } from "./node.ts";
import { refusal, wrongState } from "./operate.ts";
import { hasUndone } from "./remains.ts";

// Entries that do not end a call.
const NO_ENDS: ReadonlySet<string> = new Set([
  ENTRY_KINDS.attemptFailed,
  ENTRY_KINDS.childStarted,
  ENTRY_KINDS.childUnused,
  ENTRY_KINDS.cancelRequested,
  ENTRY_KINDS.undoPlanned,
  ENTRY_KINDS.forked,
  ENTRY_KINDS.moved,
  ENTRY_KINDS.decisionUnused,
]);

// What is said of the old run alone: a decision that met nobody there was given to that run, and the fork asks anew.
const NOT_OF_THE_FORK: ReadonlySet<string> = new Set([
  ENTRY_KINDS.forked,
  ENTRY_KINDS.undoPlanned,
  ENTRY_KINDS.childUnused,
  ENTRY_KINDS.decisionUnused,
]);

/** Makes a run that goes on from another's journal. Errors: CLAW-3001, CLAW-2017, CLAW-2045, CLAW-1003 to 1006. */
export async function forkRun(node: Node, run: RunId, options: ForkOptions): Promise<Forked> {
  node.mustBeAvailable();
  const record = await found(node, run);
  const { from } = options;
  const at = record.journal.findIndex(({ call, kind }) => call === from && !NO_ENDS.has(kind));
  if (at < 0) {
    const detail = `The journal of ${run} has no end of the call ${JSON.stringify(from)}`;
    throw new ClawError("CLAW-2017", detail, { details: { call: from } });
  }
  const hasInput = Object.hasOwn(options, "input");
  const input = hasInput ? await newInput(node, record, options.input) : record.input;
  return forkAt(node, record, at, from, input);
}

/** Forks a run that ended badly from what ended it. Errors: CLAW-3001, CLAW-2015, CLAW-2017, CLAW-2045. */
export async function retryRun(node: Node, run: RunId): Promise<Forked> {
  node.mustBeAvailable();
  const record = await found(node, run);
  const { status, journal, input, error } = record;
  if (status === "terminated" || status === "cancelled") {
    return forkAt(node, record, stoodAt(journal), "", input);
  }
  if (status !== "failed") {
    if (status === "compensated") refuseUndone(record);
    throw wrongState("retry", run, status);
  }
  // The store refused what the run wanted to write: it stands where its journal ends.
  if (error?.code === "CLAW-4009") return forkAt(node, record, stoodAt(journal), "", input);
  const at = guiltyEntry(journal, error);
  const call = journal[at]?.call ?? "";
  if (at < 0) {
    const detail = `No call of ${run} failed: its code ended it, and would do so again`;
    throw new ClawError("CLAW-2017", detail);
  }
  return forkAt(node, record, at, call, input);
}

// Where a run stood when it was cancelled, whatever ended it then, or at its end: nobody retries to be cancelled.
function stoodAt(journal: readonly Entry[]): number {
  const at = journal.findIndex(({ kind }) => kind === ENTRY_KINDS.cancelRequested);
  return at < 0 ? journal.length : at;
}

async function found(node: Node, run: RunId): Promise<RunRecord> {
  const record = await node.store.find(run);
  if (record === null) throw new ClawError("CLAW-3001", `There is no run ${run}`);
  // The state that its steps stood on is not that of its key any more.
  if (record.queue !== undefined) {
    throw new ClawError(
      "CLAW-2045",
      `${run} is a run of the key ${JSON.stringify(record.queue.key)}`,
    );
  }
  return record;
}

async function newInput(node: Node, record: RunRecord, input: unknown): Promise<Payload> {
  const { workflow: name, version } = record;
  const workflow = node.registry.find(name, version);
  if (workflow === undefined) {
    throw new ClawError("CLAW-1003", `Workflow ${name}@${version} is not known here`);
  }
  const value = await validate(workflow.options.input, input, `The input of "${name}"`);
  return encodePayload(value, node.limits.payloadBytesMax);
}

function refuseUndone({ id, journal }: RunRecord): void {
  if (!hasUndone(journal)) return;
  throw new ClawError(
    "CLAW-2017",
    `${id} has undone steps, or has begun to: a fork would take them for done`,
  );
}

// The failure with the words that the run failed with; else the last one, which the code may have put
// into other words.
function guiltyEntry(journal: readonly Entry[], error: ErrorRecord | null): number {
  const failures = journal.map(failureOf);
  const same = failures.findLastIndex(
    (one) => one !== null && one.message === error?.message && one.name === error.name,
  );
  return same >= 0 ? same : failures.findLastIndex((one) => one !== null);
}

function failureOf({ kind, data }: Entry): ErrorRecord | null {
  if (kind === ENTRY_KINDS.stepFailed) return decodePayload(data) as ErrorRecord;
  if (kind !== ENTRY_KINDS.childEnded) return null;
  return (decodePayload(data) as ChildOutcome).error ?? null;
}

async function forkAt(
  node: Node,
  record: RunRecord,
  at: number,
  from: string,
  input: Payload,
): Promise<Forked> {
  refuseUndone(record);
  const before = record.journal.slice(0, at);
  const kept = keptEntries(before, from);
  const again = new Set<string>();
  for (const { kind, call } of record.journal.slice(at)) {
    if (!NO_ENDS.has(kind) && isBeside(call, from)) again.add(call);
  }
  const row = startOf(node, record, input);
  const note: ForkNote = {
    from: record.id,
    call: from,
    seed: seedOf(record),
    at: node.clock.now(),
  };
  const rare = { attributes: attributesBefore(record, at) };
  const answer = await node.request({ ...transitionOf(row, note, kept), rare });
  if (answer.status === "refused") throw refusal(answer, row.id);
  await node.takeUp([row.id]);
  return { id: row.id, from, again: [...again] };
}

// An open child is the old run's: the new one starts its own. The chosen call begins with its first attempt.
function keptEntries(before: readonly Entry[], from: string): readonly Entry[] {
  const closed = new Set(before.filter(({ kind }) => !NO_ENDS.has(kind)).map(({ call }) => call));
  return before.filter(({ kind, call }) => {
    if (NOT_OF_THE_FORK.has(kind)) return false;
    if (kind === ENTRY_KINDS.childStarted) return closed.has(call);
    return !(kind === ENTRY_KINDS.attemptFailed && call === from);
  });
}

// What the run had when it stood there: what was set later, the fork sets again when it gets there.
function attributesBefore({ journal, attributes }: RunRecord, at: number): AttributeChanges | null {
  const before: Record<string, AttributeValue | null> = { ...attributes };
  for (const { kind, data } of journal.slice(at)) {
    for (const name of Object.keys(changesOf(kind, data))) delete before[name];
  }
  for (const { kind, data } of journal.slice(0, at)) Object.assign(before, changesOf(kind, data));
  return Object.keys(before).length === 0 ? null : before;
}

// Journals of earlier versions do not say what was set.
function changesOf(kind: EntryKind, data: Payload): AttributeChanges {
  if (kind !== ENTRY_KINDS.attributesSet || data === "") return {};
  return decodePayload(data) as AttributeChanges;
}

// Of another branch: neither in a scope around the other, nor in one inside of it.
function isBeside(call: string, from: string): boolean {
  const [a, b] = [scopeOf(call), scopeOf(from)];
  return !a.startsWith(b) && !b.startsWith(a);
}

function scopeOf(call: string): string {
  return call.slice(0, call.lastIndexOf("/") + 1);
}

function seedOf({ id, journal }: RunRecord): RunId {
  const [first] = journal;
  if (first?.kind !== ENTRY_KINDS.forked) return id;
  return (decodePayload(first.data) as ForkNote).seed;
}

// It began when the old run did: what the code reads of the clock is what is recorded.
function startOf(node: Node, record: RunRecord, input: Payload): StartRow {
  const { namespace, workflow, version, startedAt } = record;
  const trace = inheritedTrace(record, "");
  return {
    id: node.newId(node.clock.now(), undefined),
    namespace,
    workflow,
    version,
    input,
    startedAt,
    parentRun: "",
    parentCall: "",
    cause: record.id,
    ...(trace === undefined ? {} : { trace }),
  };
}

function transitionOf(row: StartRow, note: ForkNote, kept: readonly Entry[]): Transition {
  const { id, namespace, startedAt } = row;
  const head: Entry = {
    seq: 1,
    at: startedAt,
    kind: ENTRY_KINDS.forked,
    call: "",
    attempt: 1,
    print: "",
    data: JSON.stringify(note),
  };
  const entries = [head, ...kept].map((entry) => encodeEntry(entry, startedAt)).join("");
  return {
    type: "transition",
    run: id,
    namespace,
    startedAt,
    start: row,
    dedup: null,
    entries,
    firstSeq: 1,
    seq: kept.length + 1,
    acks: [],
    waits: [],
    unwaits: [],
    starts: [],
    messages: [],
    events: [],
    phase: null,
    park: { due: 1, waits: 0, inboxSeen: 0 },
    hold: null,
    finish: null,
  };
}
