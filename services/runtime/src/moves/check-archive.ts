import { allUnasked, reopenRun } from "@claw/core/engine";
import {
  type ArchivedKey,
  type Attributes,
  type ChildOutcome,
  type ClosedStatus,
  type Ending,
  type Entry,
  ENTRY_KINDS,
  type EntryKind,
  type Generation,
  type Hold,
  type InboxRow,
  isCoded,
  Journal,
  keyOwner,
  limits,
  type MessageKind,
  type OpenState,
  type RunArchive,
  type StartRequest,
  type StartRow,
} from "@claw/core/protocol";
import {
  errorOf,
  type Fields,
  fieldsOf,
  instantOf,
  lineOf,
  listOf,
  nameOf,
  noteOf,
  oneOf,
  payloadOf,
  runIdOf,
  textOf,
  wholeOf,
  Wrong,
  traceFieldOf,
} from "./check-text.ts";
import { checkStreams } from "./check-streams.ts";
import { NO_PAYLOADS } from "../payloads/seal-batch.ts";
import { kindOfName } from "./export-records.ts";

const CLOSED: readonly ClosedStatus[] = [
  "completed",
  "failed",
  "cancelled",
  "compensated",
  "terminated",
];
const HOLDS: readonly (Hold | "")[] = [
  "",
  "diverged",
  "bug",
  "stuck",
  "no_code",
  "paused",
  "quarantined",
  "unreadable",
  "queued",
];
const MESSAGES: readonly MessageKind[] = [
  "signal",
  "event",
  "child",
  "cancel",
  "approval",
  "start",
];
const SEQ_MAX = 2 ** 40;
const SCOPE_CHARS_MAX = 2_000;

// One at most for each call.
const TERMINAL: ReadonlySet<EntryKind> = new Set([
  ENTRY_KINDS.stepCompleted,
  ENTRY_KINDS.stepFailed,
  ENTRY_KINDS.timerFired,
  ENTRY_KINDS.waitTimedOut,
  ENTRY_KINDS.signalReceived,
  ENTRY_KINDS.eventReceived,
  ENTRY_KINDS.eventEmitted,
  ENTRY_KINDS.childEnded,
  ENTRY_KINDS.runStarted,
  ENTRY_KINDS.attributesSet,
  ENTRY_KINDS.stateSaved,
  ENTRY_KINDS.callSkipped,
  ENTRY_KINDS.approvalDecided,
  ENTRY_KINDS.updateTaken,
  ENTRY_KINDS.startRefused,
  ENTRY_KINDS.stateRead,
  ENTRY_KINDS.stateSet,
  ENTRY_KINDS.streamWritten,
]);

// These tell of the run as a whole.
const WITHOUT_CALL: ReadonlySet<EntryKind> = new Set([
  ENTRY_KINDS.cancelRequested,
  ENTRY_KINDS.patchTaken,
  ENTRY_KINDS.undoPlanned,
  ENTRY_KINDS.generationBegan,
  ENTRY_KINDS.forked,
  ENTRY_KINDS.moved,
]);

/** The first record of a run. Throws Wrong. */
export function readRunLine(
  given: unknown,
  namespace: string,
): Omit<RunArchive, "journal" | "generations" | "streams"> {
  const run = fieldsOf(
    given,
    "the run",
    "id workflow version input startedAt parentRun parentCall cause seq keyName attributes request open ending",
    "trace",
  );
  const start = readStart(run, namespace);
  const open = run["open"] === null ? null : readOpen(run["open"], start);
  const ending = run["ending"] === null ? null : readEnding(run["ending"], start);
  if ((open === null) === (ending === null))
    throw new Wrong("the run is both open and ended, or neither");
  return {
    start,
    seq: wholeOf(run["seq"], "seq", 0, SEQ_MAX),
    keyName: lineOf(run["keyName"], "keyName", limits.NAME_CHARS_MAX),
    attributes: readAttributes(run["attributes"]),
    request: run["request"] === null ? null : readRequest(run["request"], start),
    open,
    ending,
  };
}

function readStart(run: Fields, namespace: string): StartRow {
  const id = runIdOf(run["id"], "id");
  const parentRun = runIdOf(run["parentRun"], "parentRun", true);
  const parentCall = lineOf(run["parentCall"], "parentCall");
  if ((parentRun === "") !== (parentCall === ""))
    throw new Wrong("only a half of its parent is named");
  if (parentRun === id) throw new Wrong("the run is its own parent");
  return {
    id,
    namespace,
    workflow: nameOf(run["workflow"], "workflow"),
    version: wholeOf(run["version"], "version", 0, Number.MAX_SAFE_INTEGER),
    input: payloadOf(run["input"], "input", id).payload,
    startedAt: instantOf(run["startedAt"], "startedAt"),
    parentRun,
    parentCall,
    cause: lineOf(run["cause"], "cause"),
    ...(run["trace"] === undefined ? {} : { trace: traceFieldOf(run["trace"]) }),
  };
}

function readOpen(given: unknown, start: StartRow): OpenState {
  const { phase, held, heldReason, key } = fieldsOf(given, "open", "phase held heldReason key");
  return {
    phase: oneOf(phase, "phase", ["", "compensating"]),
    held: oneOf(held, "held", HOLDS),
    heldReason: noteOf(heldReason, "heldReason"),
    inbox: [],
    key: key === null ? null : readKey(key, start),
  };
}

function readKey(given: unknown, { namespace, workflow }: StartRow): ArchivedKey {
  const queue = fieldsOf(given, "the key", "key waitingMax onHeldHead seq state");
  const key = lineOf(queue["key"], "key", limits.NAME_CHARS_MAX);
  if (key === "") throw new Wrong("the key is empty");
  const owner = keyOwner({ namespace, workflow, key });
  return {
    key,
    waitingMax: wholeOf(queue["waitingMax"], "waitingMax", 0, SEQ_MAX),
    onHeldHead: oneOf(queue["onHeldHead"], "onHeldHead", ["block", "skip"]),
    seq: wholeOf(queue["seq"], "seq", 0, SEQ_MAX),
    state: payloadOf(queue["state"], "the state", owner).payload,
  };
}

function readEnding(given: unknown, start: StartRow): Ending {
  const ending = fieldsOf(given, "ending", "status endedAt output error abandoned");
  const status = oneOf(ending["status"], "status", CLOSED);
  const { payload: output } = payloadOf(ending["output"], "output", start.id);
  const error = ending["error"] === null ? null : errorOf(ending["error"], "the error");
  if (status === "completed" ? error !== null : output !== "") {
    throw new Wrong(`a run that is ${status} has no such end`);
  }
  if (status === "failed" && error === null) throw new Wrong("a failed run has no error");
  // What stands in place of a message must be of this run.
  if (error !== null) payloadOf(isCoded(error.message) ? error.message : "", "the error", start.id);
  return {
    status,
    // Not compared with other times: a clock may have been set back.
    endedAt: instantOf(ending["endedAt"], "endedAt"),
    output,
    error,
    abandoned: listOf(ending["abandoned"], "abandoned", (call) => lineOf(call, "abandoned")),
  };
}

function readAttributes(given: unknown): Attributes {
  const all = Object.entries(fieldsOrNone(given));
  if (all.length > limits.ATTRIBUTES_MAX) throw new Wrong("it has too many attributes");
  for (const [name, value] of all) {
    lineOf(name, "an attribute's name", limits.NAME_CHARS_MAX);
    if (name === "" || name === "__proto__") throw new Wrong("an attribute has no valid name");
    if (typeof value === "string") textOf(value, "an attribute", limits.ATTRIBUTE_CHARS_MAX);
    else if (typeof value !== "boolean" && !Number.isFinite(value)) {
      throw new Wrong("an attribute is no text, number or boolean");
    }
  }
  return Object.fromEntries(all) as Attributes;
}

function fieldsOrNone(given: unknown): Fields {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return given as Fields;
  throw new Wrong("attributes is no object");
}

function readRequest(given: unknown, { namespace, workflow }: StartRow): StartRequest {
  const { scope, print, expiresAt } = fieldsOf(given, "request", "scope print expiresAt");
  const parts = textOf(scope, "scope", SCOPE_CHARS_MAX).split("\u001f");
  if (parts.length !== 4 || parts[1] !== "start" || parts[2] !== workflow) {
    throw new Wrong("the request is of another run");
  }
  return {
    scope: [namespace, ...parts.slice(1)].join("\u001f"),
    print: lineOf(print, "print"),
    expiresAt: instantOf(expiresAt, "expiresAt"),
  };
}

/** An entry of a run. Throws Wrong. */
export function readEntry(given: unknown, { id, startedAt }: StartRow): Entry {
  const entry = fieldsOf(given, "the entry", "seq at kind call attempt print data");
  const kind = kindOfName(String(entry["kind"]));
  if (kind === undefined) throw new Wrong("the entry is of no known kind");
  const call = lineOf(entry["call"], "call");
  if ((call === "") !== WITHOUT_CALL.has(kind))
    throw new Wrong("the entry's call does not fit its kind");
  const { payload, decoded } = payloadOf(entry["data"], "data", id);
  if (!isCoded(payload)) checkData(kind, payload === "" ? undefined : decoded, id);
  else if (NO_PAYLOADS.has(kind)) throw new Wrong("the entry's data cannot be sealed");
  return {
    seq: wholeOf(entry["seq"], "seq", 1, SEQ_MAX),
    at: instantOf(entry["at"], "at", startedAt),
    kind,
    call,
    attempt: wholeOf(entry["attempt"], "attempt", 1, limits.ATTEMPTS_MAX),
    print: lineOf(entry["print"], "print"),
    data: payload,
  };
}

// What the engine reads of the data of an entry.
function checkData(kind: EntryKind, data: unknown, run: string): void {
  switch (kind) {
    case ENTRY_KINDS.stepFailed:
    case ENTRY_KINDS.startRefused:
      return void errorOf(data, "the error");
    case ENTRY_KINDS.streamWritten:
      return data === undefined ? undefined : void errorOf(data, "the error");
    case ENTRY_KINDS.attemptFailed: {
      const { error, dueAt } = fieldsOf(data, "the attempt", "error dueAt");
      errorOf(error, "the error");
      return void instantOf(dueAt, "dueAt");
    }
    case ENTRY_KINDS.childEnded:
    case ENTRY_KINDS.updateEnded:
      return checkOutcome(data, run);
    case ENTRY_KINDS.childStarted:
      return checkChild(data);
    case ENTRY_KINDS.runStarted:
    case ENTRY_KINDS.startRequested:
      return void runIdOf(data, "the started run");
    case ENTRY_KINDS.eventReceived:
      return checkEvent(data);
    case ENTRY_KINDS.patchTaken:
    case ENTRY_KINDS.cancelRequested:
      return void textOf(data ?? "", "data", NOTE_CHARS);
    case ENTRY_KINDS.approvalDecided:
    case ENTRY_KINDS.decisionUnused:
      return checkDecision(data);
    case ENTRY_KINDS.callSkipped:
      return void textOf(fieldsOf(data, "the note", "by", "value")["by"], "by", NOTE_CHARS);
    default:
      checkNote(kind, data);
  }
}

const NOTE_CHARS = 100_000;

function checkNote(kind: EntryKind, data: unknown): void {
  if (kind === ENTRY_KINDS.undoPlanned) {
    const { completed, open } = fieldsOf(data, "the plan", "completed open");
    for (const list of [completed, open]) listOf(list, "the plan", (one) => lineOf(one, "a call"));
  } else if (kind === ENTRY_KINDS.generationBegan) {
    const note = fieldsOf(data, "the note", "generation", "events after approvals");
    wholeOf(note["generation"], "generation", 2, SEQ_MAX);
    if (note["after"] !== undefined) wholeOf(note["after"], "after", 0, SEQ_MAX);
    checkTaken(note["events"]);
    checkLeft(note["approvals"]);
  } else if (kind === ENTRY_KINDS.stateSaved) {
    const note = fieldsOf(data, "the state", "next", "value events");
    if (note["next"] !== null) wholeOf(note["next"], "next", 0, SEQ_MAX);
    checkTaken(note["events"]);
  } else if (kind === ENTRY_KINDS.forked) {
    const { from, call, seed, at } = fieldsOf(data, "the note", "from call seed at");
    runIdOf(from, "from");
    runIdOf(seed, "seed");
    lineOf(call, "call");
    instantOf(at, "at");
  } else if (kind === ENTRY_KINDS.moved) {
    const note = fieldsOf(data, "the note", "at events", "calls");
    instantOf(note["at"], "at");
    wholeOf(note["events"], "events", 0, SEQ_MAX);
    listOf(note["calls"] ?? [], "calls", (one) => lineOf(one, "a call"));
  }
}

function checkChild(data: unknown): void {
  if (typeof data === "string") return void runIdOf(data, "the child");
  const { run, onParentEnd } = fieldsOf(data, "the child", "run onParentEnd");
  runIdOf(run, "the child");
  oneOf(onParentEnd, "onParentEnd", ["cancel", "abandon", "wait"]);
}

function checkTaken(given: unknown): void {
  listOf(given ?? [], "events", (one) => {
    const [key, number] = listOf(one, "an event", (part) => part);
    textOf(key, "a key", NOTE_CHARS);
    wholeOf(number, "a number", -1, SEQ_MAX);
  });
}

function checkLeft(given: unknown): void {
  listOf(given ?? [], "approvals", (one) => {
    const [call, print] = listOf(one, "an approval", (part) => part);
    lineOf(call, "a call");
    textOf(print, "a print", NOTE_CHARS);
  });
}

function checkOutcome(data: unknown, run: string): void {
  const outcome = fieldsOf(data, "the outcome", "status", "output error") as Fields &
    Partial<ChildOutcome>;
  const status = oneOf(outcome.status, "status", CLOSED);
  if (outcome.error !== undefined) errorOf(outcome.error, "the error");
  if (outcome.output !== undefined) payloadOf(outcome.output, "output", run);
  if (status === "completed" && outcome.error !== undefined)
    throw new Wrong("it completed with an error");
  if (status === "failed" && outcome.error === undefined)
    throw new Wrong("it failed without an error");
}

function checkEvent(data: unknown): void {
  const { number, event } = fieldsOf(data, "the event's note", "number event");
  wholeOf(number, "number", -1, SEQ_MAX);
  const { id, source, type, time } = fieldsOf(
    event,
    "the event",
    "id source type time",
    "subject data",
  );
  for (const one of [id, source, type]) lineOf(one, "an attribute of the event");
  wholeOf(time, "time", -INSTANT_MAX, INSTANT_MAX);
}

const INSTANT_MAX = 8.64e15;

function checkDecision(data: unknown): void {
  const { decision, by, comment } = fieldsOf(data, "the decision", "decision by", "comment value");
  oneOf(decision, "decision", ["approve", "reject"]);
  textOf(by, "by", NOTE_CHARS);
  if (comment !== undefined) textOf(comment, "comment", NOTE_CHARS);
}

/** A generation without its entries. Throws Wrong. */
export function readGeneration(given: unknown, { id }: StartRow): Generation {
  const one = fieldsOf(given, "the generation", "generation input endedAt");
  return {
    generation: wholeOf(one["generation"], "generation", 1, SEQ_MAX),
    input: payloadOf(one["input"], "input", id).payload,
    endedAt: instantOf(one["endedAt"], "endedAt"),
    journal: [],
  };
}

/** An unread message of a run. Throws Wrong. */
export function readMessage(given: unknown, { id }: StartRow): InboxRow {
  const message = fieldsOf(given, "the message", "seq kind name from data");
  const kind = oneOf(message["kind"], "kind", MESSAGES);
  const { payload, decoded } = payloadOf(message["data"], "data", id);
  if (!isCoded(payload)) {
    if (kind === "child" || kind === "start") checkOutcome(decoded, id);
    else if (kind === "event") checkEvent(decoded);
    else if (kind === "approval") checkDecision(decoded);
    else if (kind === "cancel") textOf(decoded ?? "", "data", NOTE_CHARS);
  }
  return {
    to: id,
    seq: wholeOf(message["seq"], "seq", -SEQ_MAX, SEQ_MAX),
    kind,
    name: kind === "signal" ? nameOf(message["name"], "name") : lineOf(message["name"], "name"),
    from: runIdOf(message["from"], "from", true),
    data: payload,
  };
}

/** Checks what the records of a run say together. Throws Wrong. */
export function checkArchive(archive: RunArchive): void {
  const { seq, journal, generations, open } = archive;
  checkOrder(journal, seq);
  for (const [at, one] of generations.entries()) {
    if (one.generation !== at + 1) throw new Wrong("its generations are not in order");
    checkOrder(one.journal, Number.MAX_SAFE_INTEGER);
  }
  const began = journal.some(({ kind }) => kind === ENTRY_KINDS.generationBegan);
  if (began !== generations.length > 0) throw new Wrong("its generations do not fit its journal");
  checkStreams(archive.streams);
  let last = Number.NEGATIVE_INFINITY;
  for (const message of open?.inbox ?? []) {
    if (message.seq <= last) throw new Wrong("its messages are not in order");
    last = message.seq;
  }
  const sealed = journal.some(({ data }) => isCoded(data));
  if (open !== null && !sealed) checkFolding(archive, open);
}

function checkOrder(journal: readonly Entry[], seq: number): void {
  const ended = new Set<string>();
  let last = 0;
  let lastAt = 0;
  for (const entry of journal) {
    if (entry.seq <= last) throw new Wrong(`entry ${entry.seq} does not follow entry ${last}`);
    if (entry.at < lastAt) throw new Wrong(`entry ${entry.seq} is earlier than the one before`);
    last = entry.seq;
    lastAt = entry.at;
    if (!TERMINAL.has(entry.kind)) continue;
    if (ended.has(entry.call)) throw new Wrong(`a call ends twice, at entry ${entry.seq}`);
    ended.add(entry.call);
  }
  if (last > seq) throw new Wrong(`entry ${last} is beyond the last one, ${seq}`);
}

// The engine must be able to take the run up, and to look at every entry.
function checkFolding({ start, journal: entries }: RunArchive, { phase, inbox }: OpenState): void {
  try {
    const inboxSeq = inbox.at(-1)?.seq ?? 0;
    const journal = Journal.of(entries);
    allUnasked(reopenRun({ start, journal, journalText: "", inbox, inboxSeq, waits: [], phase }));
  } catch {
    throw new Wrong("its journal cannot be taken up");
  }
}
