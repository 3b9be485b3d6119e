import { setTimeout } from "node:timers/promises";
import type { Batch, BatchAnswer, CommitItem, ItemAnswer, Log } from "@claw/core/ports";
import type { InboxRow, RefusedStart, RunId, StartRow } from "@claw/core/protocol";
import type { EventShapes } from "./event-shapes.ts";
import type { Journals } from "./journals.ts";
import type { Link } from "./link.ts";
import { type BatchPlan, planBatch } from "./plan-batch.ts";
import { isCollision, isDataError } from "./postgres-error.ts";
import { inSchema } from "./schema.ts";

/** What `claw.commit` answers. */
interface Committed {
  readonly parked: readonly RunId[];
  readonly owes: boolean;
  readonly items: readonly {
    readonly a: ItemAnswer;
    readonly d?: readonly InboxRow[];
    readonly s?: readonly RunId[];
    readonly w?: readonly RunId[];
    readonly r?: readonly RefusedStart[];
  }[];
}

const APPLIED: ItemAnswer = Object.freeze({ status: "applied", parked: false });
const PARKED: ItemAnswer = Object.freeze({ status: "applied", parked: true });
/** Parameters of `claw.commit`. */
const PARAMETERS = 45;

/** How often a batch is sent that loses to other transactions. */
const ATTEMPTS_MAX = 6;
/** Doubled with each attempt; a part of it, by chance, so that the same two do not meet again. */
const PAUSE_MS = 5;

/** Writes batches over one connection. */
export class BatchWriter {
  readonly #link: Link;
  readonly #text: string;
  readonly #name: string;
  readonly #shapes: EventShapes;
  readonly #journals: Journals;
  readonly #log: Log;

  constructor(link: Link, schema: string, shapes: EventShapes, journals: Journals, log: Log) {
    this.#log = log;
    this.#link = link;
    this.#shapes = shapes;
    this.#journals = journals;
    const marks = Array.from({ length: PARAMETERS }, (_, at) => `$${at + 1}`).join(", ");
    this.#text = inSchema(`SELECT claw.commit(${marks}) AS answer`, schema);
    this.#name = `claw commit ${schema}`;
  }

  /** One statement; a second one when an item is bad. Errors: those of the server as they are. */
  async commit(batch: Batch): Promise<BatchAnswer> {
    const bad = await this.#shapes.learn(batch.items);
    if (bad.size > 0) return this.#without(bad, batch);
    try {
      return await this.#send(batch, false);
    } catch (error) {
      this.#journals.drop();
      if (!isDataError(error)) throw error;
      // One item is bad. The others are written without it; nothing of this number was.
      return await this.#send(batch, true);
    }
  }

  // Items whose subscriptions cannot be indexed are refused alone.
  async #without(bad: ReadonlyMap<CommitItem, string>, batch: Batch): Promise<BatchAnswer> {
    const left = batch.items.filter((item) => !bad.has(item));
    const blobs = (batch.blobs ?? []).flatMap((blob) => {
      const item = left.indexOf(batch.items[blob.item] as CommitItem);
      return item < 0 ? [] : { ...blob, item };
    });
    const answer = await this.commit({ ...batch, items: left, blobs });
    const given = answer.items.values();
    const items = batch.items.map((item): ItemAnswer => {
      const detail = bad.get(item);
      if (detail !== undefined) return { status: "refused", why: "poison", detail };
      return given.next().value as ItemAnswer;
    });
    return { ...answer, items };
  }

  async #send(batch: Batch, careful: boolean): Promise<BatchAnswer> {
    const plan = planBatch(batch, this.#journals, this.#shapes, careful);
    const rows = await this.#query(plan, batch);
    const answer = this.#answerOf(
      batch,
      plan,
      rows[0]?.answer ?? { parked: [], owes: false, items: [] },
    );
    this.#journals.keep();
    return answer;
  }

  // Who loses to another transaction has written nothing: the same batch goes again, with the same number.
  async #query({ parameters }: BatchPlan, { number }: Batch): Promise<{ answer: Committed }[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#link.query<{ answer: Committed }>(this.#text, parameters, this.#name);
      } catch (error) {
        if (!isCollision(error) || attempt >= ATTEMPTS_MAX) throw error;
        const fields = { batch: number, attempt, of: ATTEMPTS_MAX, error: String(error) };
        this.#log({ level: "warn", message: "commit sent again", fields });
        await setTimeout(PAUSE_MS * 2 ** attempt * Math.random());
      }
    }
  }

  #answerOf(batch: Batch, { places }: BatchPlan, { parked, owes, items }: Committed): BatchAnswer {
    const rested = new Set(parked);
    const answers: ItemAnswer[] = [];
    const delivered: InboxRow[] = [];
    const started: StartRow[] = [];
    const woken: RunId[] = [];
    for (const [at, item] of batch.items.entries()) {
      const place = places[at] ?? -1;
      if (place < 0) {
        answers.push(this.#setAnswer(item, rested));
        continue;
      }
      const one = items[place];
      if (one === undefined) throw new Error(`claw.commit answered nothing for item ${at}`);
      answers.push(
        one.r !== undefined && one.a.status === "applied" ? { ...one.a, refused: one.r } : one.a,
      );
      woken.push(...(one.w ?? []));
      delivered.push(...(one.d ?? []));
      started.push(...startedBy(item, one.s ?? []));
      this.#learn(item, one.a);
    }
    for (const row of started) this.#journals.set(row.id, { seq: 0, settled: 0, text: "" });
    const answer = { items: answers, delivered, started, woken };
    return owes ? { ...answer, owes: true } : answer;
  }

  #setAnswer(item: CommitItem, rested: ReadonlySet<RunId>): ItemAnswer {
    if (item.type !== "transition" || item.park === null) return APPLIED;
    if (item.start === null && !rested.has(item.run)) return APPLIED;
    this.#journals.set(item.run, null);
    return PARKED;
  }

  // What is known of a run in memory after an item that stood alone.
  #learn(item: CommitItem, answer: ItemAnswer): void {
    if (item.type === "pause") this.#journals.set(item.run, null);
    if (item.type !== "transition") return;
    const { run, seq, entries, finish, hold, rare } = item;
    const isGone = finish !== null || hold !== null || (rare ?? null) !== null;
    if (answer.status !== "applied" || answer.parked || isGone) this.#journals.set(run, null);
    else if (entries !== "") this.#journals.set(run, { seq, settled: seq, text: "" });
    else if (item.start !== null) this.#journals.set(run, { seq: 0, settled: 0, text: "" });
  }
}

// The rows of runs that an item created for this node, by their ids.
function startedBy(item: CommitItem, ids: readonly RunId[]): StartRow[] {
  if (ids.length === 0) return [];
  const starts =
    item.type === "publication"
      ? item.starts
      : item.type === "transition"
        ? [...item.starts, ...item.events.flatMap((event) => event.starts)]
        : [];
  const rows = new Map(starts.map(({ row }) => [row.id, row]));
  return ids.flatMap((id) => rows.get(id) ?? []);
}
