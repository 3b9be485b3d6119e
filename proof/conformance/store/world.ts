import type { TestContext } from "node:test";
import type {
  Batch,
  BatchAnswer,
  CommitItem,
  Delivery,
  Finish,
  Publication,
  Store,
  StoreInfo,
  StoredRun,
  Transition,
  Wait,
} from "@claw/core/ports";
import {
  encodeEntry,
  type Entry,
  type Match,
  matchKey,
  type Message,
  newRunId,
  type RunId,
  shapeOf,
  type StartRow,
  type StoredEvent,
} from "@claw/core/protocol";
import type { PlaceMaker, StorePlace } from "./place.ts";

/** When the worlds of these tests begin. */
export const BEGIN_MS = 1_800_000_000_000;

/** One store with a clock and ids of its own, so that each test stands alone. */
export class StoreWorld {
  readonly place: StorePlace;
  nowMs = BEGIN_MS;
  store: Store;
  info: StoreInfo | null = null;
  #batches = 0;
  #runs = 0;

  constructor(place: StorePlace) {
    this.place = place;
    this.store = place.store();
  }

  async open(): Promise<this> {
    this.info = await this.store.open();
    this.#batches = 0;
    return this;
  }

  /** Closes the store and opens another one on the same place. */
  async restart(): Promise<void> {
    await this.store.close();
    this.store = this.place.store();
    await this.open();
  }

  batch(items: readonly CommitItem[], incarnation = this.info?.incarnation ?? 0): Batch {
    return { incarnation, number: ++this.#batches, nowMs: this.nowMs, items };
  }

  async commit(...items: readonly CommitItem[]): Promise<BatchAnswer> {
    return await this.store.commit(this.batch(items));
  }

  /** A fresh id; later ones are greater. */
  id(): RunId {
    this.#runs++;
    return newRunId(this.nowMs + this.#runs, 7, [this.#runs, 2, 3]);
  }

  /** The start row of a new run. */
  row(fields: Partial<StartRow> = {}): StartRow {
    return {
      id: this.id(),
      namespace: "default",
      workflow: "order",
      version: 1,
      input: "1",
      startedAt: this.nowMs,
      parentRun: "",
      parentCall: "",
      cause: "",
      ...fields,
    };
  }

  /** Starts a run in a commit of its own and gives its row. */
  async start(fields: Partial<Transition> = {}, row: StartRow = this.row()): Promise<StartRow> {
    await this.commit(first(row, fields));
    return row;
  }

  /** Starts a run that rests until a message comes. */
  async startResting(fields: Partial<Transition> = {}): Promise<StartRow> {
    return this.start({ park: { due: null, waits: 1, inboxSeen: 0 }, ...fields });
  }

  async load(id: RunId): Promise<StoredRun | undefined> {
    return (await this.store.load([id]))[0];
  }

  async due(limit = 100): Promise<readonly RunId[]> {
    return this.store.due(this.nowMs, limit, false);
  }

  /** A publication of an event of type `paid`. */
  publication(id: string, data: unknown, fields: Partial<Publication> = {}): Publication {
    return { ...published(this.nowMs, id, data), type: "publication", ...fields };
  }
}

/** Opens a world that is gone with its test. */
export async function openWorld(t: TestContext, makePlace: PlaceMaker): Promise<StoreWorld> {
  const place = makePlace();
  const world = new StoreWorld(place);
  t.after(async () => {
    await world.store.close();
    await place.remove();
  });
  return world.open();
}

/** An event of type `paid` with the runs that it starts. */
export function published(
  nowMs: number,
  id: string,
  data: unknown,
): { namespace: string; event: StoredEvent; starts: [] } {
  const event = { id, source: "/shop", type: "paid", time: nowMs, data: JSON.stringify(data) };
  return { namespace: "default", event, starts: [] };
}

/** A transition that writes nothing but what `fields` say. */
export function transition(row: StartRow, fields: Partial<Transition> = {}): Transition {
  return {
    type: "transition",
    run: row.id,
    namespace: row.namespace,
    startedAt: row.startedAt,
    start: null,
    dedup: null,
    entries: "",
    firstSeq: 1,
    seq: 0,
    acks: [],
    waits: [],
    unwaits: [],
    starts: [],
    messages: [],
    events: [],
    phase: null,
    park: null,
    hold: null,
    finish: null,
    ...fields,
  };
}

/** The first transition of a run. */
export function first(row: StartRow, fields: Partial<Transition> = {}): Transition {
  return transition(row, { start: row, ...fields });
}

/** One entry of a step's result. */
export function entry(row: StartRow, seq: number, fields: Partial<Entry> = {}): Entry {
  return {
    seq,
    at: row.startedAt + seq,
    kind: "s",
    call: `step-${seq}`,
    attempt: 1,
    print: "p",
    data: String(seq),
    ...fields,
  };
}

/** Transition fields that record `entries`, which begin at sequence `firstSeq`. */
export function recording(
  row: StartRow,
  entries: readonly Entry[],
): { entries: string; firstSeq: number; seq: number } {
  const text = entries.map((one) => encodeEntry(one, row.startedAt)).join("");
  return { entries: text, firstSeq: entries[0]?.seq ?? 1, seq: entries.at(-1)?.seq ?? 0 };
}

/** Transition fields that record the step result number `seq`. */
export function step(row: StartRow, seq: number): ReturnType<typeof recording> {
  return recording(row, [entry(row, seq)]);
}

/** The end of a run, completed unless `fields` say otherwise. */
export function finish(row: StartRow, fields: Partial<Finish> = {}): Finish {
  return {
    start: row,
    ending: {
      status: "completed",
      endedAt: row.startedAt + 1_000,
      output: '"done"',
      error: null,
      abandoned: [],
    },
    journal: "",
    hadJournal: true,
    hadWaits: true,
    hadInbox: true,
    ...fields,
  };
}

/** A client's message. */
export function delivery(to: RunId, fields: Partial<Delivery> = {}): Delivery {
  return { type: "delivery", message: message(to), dedup: null, ...fields };
}

/** A signal named `go`, unless `fields` say otherwise. */
export function message(to: RunId, fields: Partial<Message> = {}): Message {
  return { to, kind: "signal", name: "go", from: "", data: "1", ...fields };
}

/** A subscription to events of type `paid` whose data has the given values. */
export function wait(call: string, match: Match, fields: Partial<Wait> = {}): Wait {
  const shape = shapeOf(match);
  const key = matchKey("default", "paid", match);
  return { call, key, type: "paid", shape, since: BEGIN_MS, after: 0, ...fields };
}
