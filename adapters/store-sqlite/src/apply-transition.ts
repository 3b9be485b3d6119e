import type {
  Finish,
  ItemAnswer,
  NewRun,
  PublishedEvent,
  Start,
  Transition,
} from "@claw/core/ports";
import {
  encodeEventNote,
  type InboxRow,
  type RefusedStart,
  refusedOutcome,
  type RunId,
  type StartRow,
} from "@claw/core/protocol";
import type { Approvals } from "./approvals.ts";
import type { AttributeSetter } from "./attributes.ts";
import { APPLIED, type BatchWork, Contradiction, PARKED } from "./batch-work.ts";
import type { Closer } from "./close-run.ts";
import type { Creator } from "./create-run.ts";
import type { Inbox } from "./deliver-message.ts";
import type { EventLog } from "./event-log.ts";
import type { Journals } from "./journals.ts";
import type { Keys } from "./keys.ts";
import type { openPastWriter, Renewer } from "./renew-run.ts";
import type { Requests } from "./remember-request.ts";
import type { Rester } from "./rest-run.ts";
import type { Spreads } from "./spread.ts";
import type { Subscriptions } from "./subscribe.ts";
import type { Streams } from "./streams.ts";
import type { Traces } from "./traces.ts";
import type { TaskWriter } from "./write-tasks.ts";

/** The verbs that write, on one open database. */
export interface Tables {
  readonly creator: Creator;
  readonly rester: Rester;
  readonly close: Closer;
  readonly journals: Journals;
  readonly keys: Keys;
  readonly inbox: Inbox;
  readonly requests: Requests;
  readonly log: EventLog;
  readonly subscriptions: Subscriptions;
  readonly spreads: Spreads;
  readonly setAttributes: AttributeSetter;
  readonly renew: Renewer;
  readonly streams: Streams;
  readonly writePast: ReturnType<typeof openPastWriter>;
  readonly traces: Traces;
  readonly tasks: TaskWriter;
  readonly approvals: Approvals;
}

/**
 * Writes one transition. The order matters: subscriptions before messages and events, so that a
 * run can be told what it emits itself; the parking last, so that it sees every message.
 */
export function applyTransition(
  tables: Tables,
  transition: Transition,
  work: BatchWork,
): ItemAnswer {
  const { run, dedup, finish } = transition;
  if (transition.rare?.keyState && transition.start === null && !tables.keys.has(run)) {
    return { status: "refused", why: "state", detail: run };
  }
  if (dedup !== null) {
    const first = tables.requests.remember(dedup, run, work.nowMs);
    if (first !== null) return first;
  }
  const deliveredBefore = work.delivered.length;
  if (transition.start !== null) tables.traces.put(transition.start);
  if (finish === null) advance(tables, transition, work);
  else end(tables, transition, finish);
  if (transition.rare?.past) tables.writePast(run, transition.rare.past);
  if (transition.rare?.renewal) tables.renew(run, transition.rare.renewal);
  if (transition.rare?.attributes) tables.setAttributes(run, transition.rare.attributes);
  if (transition.rare?.streams) tables.streams.write(run, transition.rare.streams);
  if (finish === null && transition.rare) tables.approvals.change(transition);
  if (transition.rare?.keyState) tables.keys.setState(run, transition.rare.keyState.state);
  for (const start of transition.starts) startOther(tables, transition, start, work);
  for (const message of transition.messages) tables.inbox.push(message, work.delivered);
  for (const event of transition.events) publishEvent(tables, event, work);
  if (finish !== null && finish.start.keyed !== undefined) tables.keys.leave(run, work);
  return finish === null ? putToRest(tables, transition, work, deliveredBefore) : APPLIED;
}

/** Logs an event, tells those who wait for it and creates what it triggers; false when it is known. */
export function publishEvent(tables: Tables, published: PublishedEvent, work: BatchWork): boolean {
  const { namespace, event } = published;
  const seq = tables.log.append(namespace, event);
  if (seq === null) return false;
  const keys = tables.log.index(namespace, event, seq);
  if (keys.length > 0) {
    const note = encodeEventNote(seq, event);
    for (const key of keys) tables.spreads.answer(key, seq, note, work.delivered);
  }
  for (const start of published.starts) createRun(tables, start, work);
  return true;
}

function advance(tables: Tables, transition: Transition, work: BatchWork): void {
  const { run, start, namespace, firstSeq, entries, park, hold } = transition;
  const { journals } = tables;
  if (start !== null) createOwn(tables, transition, start, work);
  if (start !== null && (park !== null || hold !== null)) {
    if (entries !== "") journals.write(run, firstSeq, entries);
  } else {
    if (start !== null) journals.begin(run);
    write(journals, transition);
  }
  if (transition.phase !== null) tables.rester.mark(run, transition.phase);
  for (const number of transition.acks) tables.inbox.take(run, number);
  for (const call of transition.unwaits) tables.subscriptions.remove(run, call);
  for (const wait of transition.waits) {
    tables.subscriptions.add(run, namespace, wait, work.delivered);
  }
}

// A run of a key comes from another store, held: it joins the queue as if it were new.
function createOwn(tables: Tables, first: Transition, start: StartRow, work: BatchWork): void {
  if (start.keyed === undefined || first.hold === null) return tables.creator.start(start, first);
  const { keyed, ...row } = start;
  const entered = tables.keys.enter(start, keyed, work);
  if (typeof entered !== "string") {
    throw new Contradiction(`${row.id} cannot join the queue of its key: ${entered.why}`);
  }
  tables.creator.start(row, first);
  tables.keys.entered(row.id, work);
}

function end(tables: Tables, transition: Transition, finish: Finish): void {
  const { run, start, firstSeq, seq, entries } = transition;
  const { journals } = tables;
  if (finish.hadWaits) {
    tables.subscriptions.removeAll(run);
    tables.approvals.removeAll(run);
  }
  if (finish.journal !== null) journals.remove(run, finish.hadJournal);
  else if (start !== null) journals.write(run, firstSeq, entries);
  else {
    write(journals, transition);
    journals.settle(run);
  }
  tables.close(finish, seq, start !== null);
}

function write(journals: Journals, { run, firstSeq, seq, entries, rare }: Transition): void {
  if (rare?.replaces === true) journals.replace(run, firstSeq, seq, entries);
  else if (entries !== "") journals.append(run, firstSeq, seq, entries);
}

/** Creates the run of a key that a client starts. */
export function applyStart(tables: Tables, item: Start, work: BatchWork): ItemAnswer {
  const { start, dedup } = item;
  if (dedup !== null) {
    const first = tables.requests.remember(dedup, start.row.id, work.nowMs);
    if (first !== null) return first;
  }
  const refused = createRun(tables, start, work);
  if (typeof refused === "boolean") return APPLIED;
  if (dedup !== null) tables.requests.forget(dedup);
  work.refused.length = 0;
  return { status: "refused", why: "start", detail: refused.why, start: refused };
}

// What a run starts itself: whoever waits for it is told that it was not created.
function startOther(tables: Tables, from: Transition, start: NewRun, work: BatchWork): void {
  const outcome = createRun(tables, start, work);
  if (outcome === false) return;
  const { id, parentRun, parentCall } = start.row;
  const call = from.rare?.answers?.[id];
  if (outcome === true && call === undefined) return;
  const data =
    outcome === true
      ? { status: "completed", output: JSON.stringify(id) }
      : refusedOutcome(outcome);
  const message =
    call === undefined
      ? ({ to: parentRun, kind: "child", name: parentCall } as const)
      : ({ to: from.run, kind: "start", name: call } as const);
  if (message.to === "") return;
  tables.inbox.push({ ...message, from: id, data: JSON.stringify(data) }, work.delivered);
}

// False for a run whose id is known.
function createRun(tables: Tables, start: NewRun, work: BatchWork): boolean | RefusedStart {
  const { row, due } = start;
  if (row.keyed !== undefined) return createKeyed(tables, start, work);
  if (!tables.creator.create(start)) return false;
  tables.traces.put(row);
  if (due !== 0) return true;
  tables.journals.begin(row.id);
  work.started.push(row);
  return true;
}

function createKeyed(
  { creator, keys, traces }: Tables,
  { row }: NewRun,
  work: BatchWork,
): boolean | RefusedStart {
  if (row.keyed === undefined || creator.isKnown(row.id)) return false;
  const entered = keys.enter(row, row.keyed, work);
  if (typeof entered !== "string") {
    work.refused.push(entered);
    return entered;
  }
  creator.createQueued(row, entered === "head");
  traces.put(row);
  if (entered === "waiting") keys.entered(row.id, work);
  return true;
}

function putToRest(
  tables: Tables,
  transition: Transition,
  work: BatchWork,
  deliveredBefore: number,
): ItemAnswer {
  const { run, start, park, hold } = transition;
  const { rester, journals } = tables;
  if (start !== null) {
    // A new run was inserted at rest; only what this transition itself sent can have woken it.
    if (park === null || hold !== null) return APPLIED;
    if (park.inboxSeen === 0 && !toldSince(work.delivered, deliveredBefore, run)) return PARKED;
    rester.keepActive(run);
    return rester.park(run, null, park) ? PARKED : APPLIED;
  }
  if (hold !== null) {
    rester.hold(run, journals.seqOf(run), hold.kind, hold.reason, work);
  } else if (park === null || !rester.park(run, journals.seqOf(run), park)) {
    return APPLIED;
  }
  journals.settle(run);
  return hold === null ? PARKED : APPLIED;
}

function toldSince(delivered: readonly InboxRow[], from: number, run: RunId): boolean {
  for (let at = from; at < delivered.length; at++) if (delivered[at]?.to === run) return true;
  return false;
}
