import type { Batch, CommitItem, NewRun, Transition } from "@claw/core/ports";
import {
  type AsideTask,
  encodeEventNote,
  keyOwner,
  limits,
  refusedOutcome,
  type RunId,
  taskIdOf,
} from "@claw/core/protocol";
import { type EventShapes, keysOf } from "./event-shapes.ts";
import { Foreseen } from "./foresee-locks.ts";
import type { Journals, OpenJournal, Settling } from "./journals.ts";

/** Entries of one transition with more characters go to rows of their run at once. */
const TAIL_ENTRIES_CHARS_MAX = 16 * 1024;
/** Bytes of one row of a blob. */
const CHUNK_BYTES = 1024 * 1024;
const NOTE_HEAD = '{"number":0';
/** Stands for a number of milliseconds; greater than any that is said. */
const MS_MARK = 987_654_321;

/** Columns for the arrays of `claw.commit`; see sql/commit.ts. */
type Columns = unknown[][];

/** A batch as the parameters of one statement. */
export interface BatchPlan {
  readonly parameters: readonly unknown[];
  /** For each item of the batch: its place among the items of the statement, or -1 when it is in the arrays. */
  readonly places: readonly number[];
}

/** How a batch is sent. */
export interface Manner {
  /** Every item stands alone, so that only a bad one is refused. */
  readonly careful: boolean;
  /** Other nodes may be at work: locks are taken, and notes left for them. */
  readonly beside: boolean;
}

/** Plans a batch. */
export function planBatch(
  batch: Batch,
  journals: Journals,
  shapes: EventShapes,
  { careful, beside }: Manner,
): BatchPlan {
  const counts = careful ? null : mentions(batch.items);
  const sets = new Sets(journals);
  const items: unknown[] = [];
  const places: number[] = [];
  const moving: Settling[] = careful || journals.isGrown ? journals.settleAll() : [];
  const settled = careful || journals.isGrown;
  shapes.reached(batch.nowMs);
  const told = batch.items.some(tellsSubscribers);
  const foreseen = new Foreseen();
  for (const item of batch.items) {
    if (item.type === "transition") {
      const alone = counts?.get(item.run) === 1 && isSimple(item) && !(told && item.park !== null);
      if (alone && sets.take(item, moving)) {
        places.push(-1);
        continue;
      }
      // Its own entries go to rows, so those before it must stand there.
      const moved = journals.settle(item.run);
      if (moved !== null) moving.push(moved);
    }
    places.push(items.length);
    items.push(itemOf(item, shapes, foreseen.published));
    if (beside) foreseen.add(item);
  }
  const blobs = blobColumns(batch, places);
  const { incarnation, number, nowMs, namespace = null } = batch;
  const journalColumns = [
    moving.map(({ run }) => run),
    moving.map(({ first }) => first),
    moving.map(({ seq }) => seq),
    moving.map(({ text }) => text),
  ];
  return {
    parameters: [
      incarnation,
      number,
      nowMs,
      namespace,
      limits.INBOX_ROWS_MAX,
      journals.body,
      settled,
      ...sets.starts,
      sets.open,
      ...lockColumns(foreseen, beside, shapes),
      ...journalColumns,
      ...sets.parks,
      ...sets.ends,
      sets.rows,
      jsonOf(items),
      careful,
      ...blobs,
    ],
    places,
  };
}

function lockColumns(foreseen: Foreseen, beside: boolean, shapes: EventShapes): readonly unknown[] {
  const { touched, own, operated, published, awaited, publishes, keys, keyed } = foreseen;
  const version = beside && publishes ? shapes.version : -1;
  return [
    beside,
    [...touched],
    [...own],
    [...operated],
    beside ? published : [],
    awaited,
    version,
    keys,
    keyed,
  ];
}

// Payloads are text that a database takes; the words of an author's error need not be. Neither NUL nor half of a
// surrogate pair can stand in its text, and one of them would keep the whole statement from being read.
function jsonOf(items: readonly unknown[]): string {
  const text = JSON.stringify(items);
  if (!/\\u(?:0000|d[89a-f])/i.test(text)) return text;
  return JSON.stringify(items, (_, value: unknown) =>
    typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\ufffd") : value,
  );
}

// How often runs are touched in a batch: what is touched twice keeps its order among the items.
function mentions(items: readonly CommitItem[]): Map<RunId, number> {
  const counts = new Map<RunId, number>();
  const count = (run: RunId): void => void counts.set(run, (counts.get(run) ?? 0) + 1);
  for (const item of items) {
    if (item.type === "transition") {
      count(item.run);
      for (const { to } of item.messages) count(to);
      for (const { row } of item.starts) count(row.id);
    } else if (item.type === "delivery") count(item.message.to);
    else if (item.type === "take") item.runs.forEach(count);
    else if (item.type === "start") count(item.start.row.id);
    else if ("run" in item) count(item.run);
  }
  return counts;
}

// An event may reach any run that subscribed: whoever parks in the same batch keeps its place in the order.
function tellsSubscribers(item: CommitItem): boolean {
  return item.type === "publication" || (item.type === "transition" && item.events.length > 0);
}

function isSimple(item: Transition): boolean {
  return (
    item.dedup === null &&
    item.hold === null &&
    item.phase === null &&
    (item.rare === null || item.rare === undefined) &&
    item.entries.length <= TAIL_ENTRIES_CHARS_MAX &&
    item.acks.length === 0 &&
    item.waits.length === 0 &&
    item.unwaits.length === 0 &&
    item.starts.length === 0 &&
    item.messages.length === 0 &&
    item.events.length === 0 &&
    item.start?.keyed === undefined &&
    item.start?.trace === undefined &&
    item.finish?.start.keyed === undefined &&
    (item.finish === null || (item.finish.journal !== null && !item.finish.hadWaits))
  );
}

/** The arrays of a batch. */
class Sets {
  readonly starts: Columns = Array.from({ length: 12 }, () => []);
  readonly parks: Columns = Array.from({ length: 5 }, () => []);
  readonly ends: Columns = Array.from({ length: 8 }, () => []);
  readonly open: RunId[] = [];
  readonly rows: RunId[] = [];
  readonly #journals: Journals;

  constructor(journals: Journals) {
    this.#journals = journals;
  }

  /** Takes a simple transition; false when it is none after all. */
  take(item: Transition, moving: Settling[]): boolean {
    if (item.start !== null) return this.#start(item, moving);
    const journal = this.#journals.get(item.run);
    if (journal === null || (item.entries !== "" && item.firstSeq !== journal.seq + 1))
      return false;
    if (item.park !== null && item.park.due === null && item.park.waits <= 0) return false;
    if (item.finish !== null) {
      this.#end(item, journal);
      return true;
    }
    this.open.push(item.run);
    if (item.entries !== "") this.#journals.append(item.run, journal, item.seq, item.entries);
    if (item.park !== null) this.#park(item, item.park, moving);
    return true;
  }

  #start(
    { run, start, park, seq, entries, finish, firstSeq }: Transition,
    moving: Settling[],
  ): boolean {
    if (start === null || finish !== null) return false;
    if (entries !== "" && firstSeq !== 1) return false;
    if (park !== null && (park.inboxSeen !== 0 || (park.due === null && park.waits <= 0)))
      return false;
    const { id, namespace, workflow, version, startedAt, parentRun, parentCall, cause, input } =
      start;
    const row = [id, namespace, workflow, version, startedAt, parentRun, parentCall, cause, input];
    const rests = park !== null;
    add(this.starts, [...row, rests ? seq : 0, park === null ? 0 : park.due, park?.waits ?? 0]);
    if (rests) {
      if (entries !== "") moving.push({ run, first: 1, seq, text: entries });
      return true;
    }
    const fresh = { seq: 0, settled: 0, text: "" };
    if (entries === "") this.#journals.set(run, fresh);
    else this.#journals.append(run, fresh, seq, entries);
    return true;
  }

  #park({ run, seq }: Transition, park: NonNullable<Transition["park"]>, moving: Settling[]): void {
    const moved = this.#journals.settle(run);
    if (moved !== null) moving.push(moved);
    const last = this.#journals.get(run)?.seq ?? seq;
    add(this.parks, [run, last, park.due, park.waits, park.inboxSeen]);
  }

  #end({ run, seq, finish }: Transition, journal: OpenJournal): void {
    if (finish === null) return;
    const { status, endedAt, output, error, abandoned } = finish.ending;
    add(this.ends, [
      run,
      status,
      endedAt,
      seq,
      error === null ? null : JSON.stringify(error),
      abandoned.length === 0 ? null : JSON.stringify(abandoned),
      output,
      finish.journal,
    ]);
    if (journal.settled > 0) this.rows.push(run);
    this.#journals.set(run, null);
  }
}

function add(columns: Columns, values: readonly unknown[]): void {
  for (const [at, value] of values.entries()) columns[at]?.push(value);
}

// What is absent is null for SQL, so that the text is short.
function itemOf(item: CommitItem, shapes: EventShapes, published: string[]): unknown {
  if (item.type === "transition") return transitionOf(item, shapes, published);
  if (item.type === "publication") {
    return { ...publicationOf(item, shapes, published), type: "publication" };
  }
  if (item.type === "delivery" || item.type === "start") {
    return { ...item, dedup: item.dedup ?? undefined };
  }
  if (item.type === "redrive") return { ...item, task: taskIdOf(item.id) };
  if (item.type === "tasks") return { ...item, aside: item.aside.map(asideOf) };
  if (item.type !== "enqueue") return item;
  const lastTask = taskIdOf(item.lastId);
  const dedup = item.dedup ?? undefined;
  return { ...item, dedup, lastTask, aside: item.aside.map(asideOf) };
}

function asideOf(row: AsideTask): unknown {
  return { ...row, error: row.error === null ? null : JSON.stringify(row.error) };
}

function publicationOf(
  {
    namespace,
    event,
    starts,
  }: { namespace: string; event: Transition["events"][0]["event"]; starts: unknown },
  shapes: EventShapes,
  published: string[],
): unknown & object {
  const keys = keysOf(namespace, event, shapes);
  published.push(...keys);
  const { loggedAt } = shapes;
  return {
    namespace,
    event,
    starts,
    keys,
    loggedAt,
    note: encodeEventNote(0, event).slice(NOTE_HEAD.length),
  };
}

function transitionOf(item: Transition, shapes: EventShapes, published: string[]): unknown {
  const { start, dedup, entries, phase, park, hold, finish, rare, startedAt: _, ...rest } = item;
  return {
    ...rest,
    ...(start === null ? {} : { start }),
    ...(dedup === null ? {} : { dedup }),
    ...(entries === "" ? {} : { entries }),
    ...(phase === null ? {} : { phase }),
    ...(park === null ? {} : { park }),
    ...(hold === null ? {} : { hold }),
    ...(finish === null ? {} : { finish: finishOf(finish) }),
    ...(rare === null || rare === undefined ? {} : { rare: rareOf(rare) }),
    starts: item.starts.map(startOf),
    events: item.events.map((event) => publicationOf(event, shapes, published)),
  };
}

// The text of a refusal is the protocol's; the milliseconds in it are known to the database alone.
function startOf(start: NewRun): unknown {
  const { id, workflow, keyed } = start.row;
  if (keyed === undefined) return start;
  const refusal = (why: "mailbox" | "deadlock"): string => {
    const refused = { run: id, workflow, key: keyed.key, why, retryAfterMs: MS_MARK };
    return JSON.stringify(refusedOutcome(refused));
  };
  const refusals = {
    mark: String(MS_MARK),
    mailbox: refusal("mailbox"),
    deadlock: refusal("deadlock"),
  };
  return { ...start, refusals };
}

function finishOf({
  start,
  ending,
  journal,
  hadWaits,
}: NonNullable<Transition["finish"]>): unknown {
  const { error, abandoned } = ending;
  return {
    start,
    ending,
    ...(error === null ? {} : { error: JSON.stringify(error) }),
    ...(abandoned.length === 0 ? {} : { abandoned: JSON.stringify(abandoned) }),
    ...(journal === null ? {} : { journal }),
    ...(hadWaits ? { hadWaits } : {}),
  };
}

function rareOf(rare: NonNullable<Transition["rare"]>): unknown {
  const { attributes, replaces, approvals, unapprovals, renewal, streams } = rare;
  const { keyState, answers, past } = rare;
  return {
    ...(replaces === true ? { replaces } : {}),
    ...(renewal ? { renewal } : {}),
    ...(streams ? { streams } : {}),
    ...(answers ? { answers } : {}),
    ...(past ? { past } : {}),
    ...(keyState ? { keyState: { ...keyState, owner: keyOwner(keyState) } } : {}),
    approvals: approvals ?? [],
    unapprovals: unapprovals ?? [],
    ...(attributes
      ? {
          attributesMax: limits.ATTRIBUTES_MAX,
          attributes: Object.entries(attributes).map(([name, value]) =>
            value === null ? [name, null] : [name, JSON.stringify(value), String(value)],
          ),
        }
      : {}),
  };
}

function blobColumns({ blobs = [] }: Batch, places: readonly number[]): Columns {
  const columns: Columns = Array.from({ length: 5 }, () => []);
  // Of two with one id the second counts.
  const last = new Map(blobs.map((blob) => [`${blob.run} ${blob.id}`, blob]));
  for (const { item, run, id, bytes } of last.values()) {
    for (let n = 0; n === 0 || n * CHUNK_BYTES < bytes.length; n++) {
      const part = Buffer.from(bytes.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES));
      add(columns, [places[item] ?? -1, run, id, n, part]);
    }
  }
  return columns;
}
