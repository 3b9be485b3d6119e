import type { Finish, ItemAnswer, NewRun, PublishedEvent, Transition } from "@claw/core/ports";
import { encodeEventNote, type InboxRow, type RunId } from "@claw/core/protocol";
import type { Approvals } from "./approvals.ts";
import type { AttributeSetter } from "./attributes.ts";
import { APPLIED, type BatchWork, PARKED } from "./batch-work.ts";
import type { Closer } from "./close-run.ts";
import type { Creator } from "./create-run.ts";
import type { Inbox } from "./deliver-message.ts";
import type { EventLog } from "./event-log.ts";
import type { Journals } from "./journals.ts";
import type { Renewer } from "./renew-run.ts";
import type { Requests } from "./remember-request.ts";
import type { Rester } from "./rest-run.ts";
import type { Subscriptions } from "./subscribe.ts";
import type { Streams } from "./streams.ts";
import type { TaskWriter } from "./write-tasks.ts";

/** The verbs that write, on one open database. */
export interface Tables {
  readonly creator: Creator;
  readonly rester: Rester;
  readonly close: Closer;
  readonly journals: Journals;
  readonly inbox: Inbox;
  readonly requests: Requests;
  readonly log: EventLog;
  readonly subscriptions: Subscriptions;
  readonly setAttributes: AttributeSetter;
  readonly renew: Renewer;
  readonly streams: Streams;
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
  if (dedup !== null) {
    const first = tables.requests.remember(dedup, run, work.nowMs);
    if (first !== null) return first;
  }
  const deliveredBefore = work.delivered.length;
  if (finish === null) advance(tables, transition, work);
  else end(tables, transition, finish);
  if (transition.rare?.renewal) tables.renew(run, transition.rare.renewal);
  if (transition.rare?.attributes) tables.setAttributes(run, transition.rare.attributes);
  if (transition.rare?.streams) tables.streams.write(run, transition.rare.streams);
  if (finish === null && transition.rare) tables.approvals.change(transition);
  for (const start of transition.starts) createRun(tables, start, work);
  for (const message of transition.messages) tables.inbox.push(message, work.delivered);
  for (const event of transition.events) publishEvent(tables, event, work);
  return finish === null ? putToRest(tables, transition, work, deliveredBefore) : APPLIED;
}

/** Logs an event, tells those who wait for it and creates what it triggers; false when it is known. */
export function publishEvent(tables: Tables, published: PublishedEvent, work: BatchWork): boolean {
  const { namespace, event } = published;
  const seq = tables.log.append(namespace, event, work.nowMs);
  if (seq === null) return false;
  const keys = tables.log.index(namespace, event, seq);
  if (keys.length > 0) {
    const note = encodeEventNote(seq, event);
    for (const key of keys) tables.subscriptions.answer(key, note, work.delivered);
  }
  for (const start of published.starts) createRun(tables, start, work);
  return true;
}

function advance(tables: Tables, transition: Transition, work: BatchWork): void {
  const { run, start, namespace, firstSeq, entries, park, hold } = transition;
  const { journals } = tables;
  if (start !== null) tables.creator.start(start, transition);
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

function createRun(tables: Tables, start: NewRun, work: BatchWork): void {
  if (!tables.creator.create(start) || start.due !== 0) return;
  tables.journals.begin(start.row.id);
  work.started.push(start.row);
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
    rester.hold(run, journals.seqOf(run), hold.kind, hold.reason);
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
