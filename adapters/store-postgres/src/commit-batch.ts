import { setTimeout } from "node:timers/promises";
import type { Batch, BatchAnswer, CommitItem, ItemAnswer, Log } from "@claw/core/ports";
import type { InboxRow, RefusedStart, RunId, StartRow } from "@claw/core/protocol";
import type { EventShapes } from "./event-shapes.ts";
import type { Journals } from "./journals.ts";
import type { Link } from "./link.ts";
import { type BatchPlan, planBatch } from "./plan-batch.ts";
import {
  type ForeignRuns,
  foreignRuns,
  isCollision,
  isDataError,
  isStale,
} from "./postgres-error.ts";
import { inSchema } from "./schema.ts";

/** A message that came into an inbox, with who holds the run. */
type Told = InboxRow & { readonly o?: number };

/** What `claw.commit` answers. */
interface Committed {
  readonly parked: readonly RunId[];
  readonly owes: boolean;
  readonly mail: readonly number[];
  readonly items: readonly {
    readonly a: ItemAnswer;
    readonly d?: readonly Told[];
    readonly s?: readonly RunId[];
    readonly w?: readonly RunId[];
    readonly r?: readonly RefusedStart[];
  }[];
}

const APPLIED: ItemAnswer = Object.freeze({ status: "applied", parked: false });
const PARKED: ItemAnswer = Object.freeze({ status: "applied", parked: true });
/** Parameters of `claw.commit`. */
const PARAMETERS = 54;
/** A batch is sent again at most so often when it met others at work. */
const RESENDS_MAX = 12;
/** First pause before it is sent again, doubled each time, milliseconds. */
const RESEND_FIRST_MS = 1;
const RESEND_MAX_MS = 100;

/** Told which nodes have got post with a batch, or that there is something for any of them. */
export type Mailed = (whose: readonly number[] | "all") => void;

/** Writes batches over one connection. */
export class BatchWriter {
  readonly #link: Link;
  readonly #text: string;
  readonly #name: string;
  readonly #shapes: EventShapes;
  readonly #journals: Journals;
  /** Null for a process that is alone. */
  readonly #mailed: Mailed | null;
  readonly #log: Log;

  constructor(
    link: Link,
    schema: string,
    shapes: EventShapes,
    journals: Journals,
    mailed: Mailed | null,
    log: Log,
  ) {
    this.#link = link;
    this.#mailed = mailed;
    this.#log = log;
    this.#shapes = shapes;
    this.#journals = journals;
    const marks = Array.from({ length: PARAMETERS }, (_, at) => `$${at + 1}`).join(", ");
    this.#text = inSchema(`SELECT claw.commit(${marks}) AS answer`, schema);
    this.#name = `claw commit ${schema}`;
  }

  /** One statement; more when an item is bad, or when it met other nodes at work. Errors: those of the server as they are. */
  async commit(batch: Batch): Promise<BatchAnswer> {
    let careful = false;
    for (let resends = 0; ; ) {
      try {
        const bad = await this.#shapes.learn(batch.items);
        if (bad.size > 0) return await this.#without(bad, batch);
        return await this.#send(batch, careful);
      } catch (error) {
        this.#journals.drop();
        const foreign = foreignRuns(error);
        if (foreign !== null) return this.#without(this.#elsewhere(batch, foreign), batch);
        if (isDataError(error) && !careful) {
          // One item is bad. The others are written without it; nothing of this number was.
          careful = true;
          continue;
        }
        const again = isCollision(error) || isStale(error);
        if (!again || resends++ >= RESENDS_MAX) throw error;
        await this.#prepareAgain(error, batch.number, resends);
      }
    }
  }

  // Who loses to another transaction has written nothing: the same batch goes again, with the same number.
  async #prepareAgain(error: unknown, batch: number, resends: number): Promise<void> {
    if (isStale(error)) return this.#shapes.load();
    const fields = { batch, attempt: resends, of: RESENDS_MAX, error: String(error) };
    this.#log({ level: "warn", message: "commit sent again", fields });
    const longestMs = Math.min(RESEND_MAX_MS, RESEND_FIRST_MS * 2 ** resends);
    // Whoever was chosen as the victim lets the others pass; at random, so that two do not meet again.
    await setTimeout(longestMs * Math.random());
  }

  // What is written of a run that is not this node's is refused alone.
  #elsewhere(batch: Batch, { held, rests }: ForeignRuns): Map<CommitItem, ItemAnswer> {
    const others = new Set(held);
    const unowned = new Set(rests);
    const refused = new Map<CommitItem, ItemAnswer>();
    for (const run of [...held, ...rests]) this.#journals.forget(run);
    for (const item of batch.items) {
      if (!("run" in item)) continue;
      const isOwnAlone = item.type === "transition" && unowned.has(item.run);
      if (!isOwnAlone && !others.has(item.run)) continue;
      refused.set(item, { status: "refused", why: "elsewhere", detail: item.run });
    }
    return refused;
  }

  // The batch without items whose answer is known.
  async #without(bad: ReadonlyMap<CommitItem, ItemAnswer>, batch: Batch): Promise<BatchAnswer> {
    const left = batch.items.filter((item) => !bad.has(item));
    const blobs = (batch.blobs ?? []).flatMap((blob) => {
      const item = left.indexOf(batch.items[blob.item] as CommitItem);
      return item < 0 ? [] : { ...blob, item };
    });
    const answer = await this.commit({ ...batch, items: left, blobs });
    const given = answer.items.values();
    const items = batch.items.map((item): ItemAnswer => {
      return bad.get(item) ?? (given.next().value as ItemAnswer);
    });
    return { ...answer, items };
  }

  async #send(batch: Batch, careful: boolean): Promise<BatchAnswer> {
    const beside = this.#mailed !== null;
    const plan = planBatch(batch, this.#journals, this.#shapes, { careful, beside });
    const rows = await this.#link.query<{ answer: Committed }>(
      this.#text,
      plan.parameters,
      this.#name,
    );
    const committed = rows[0]?.answer ?? { parked: [], owes: false, mail: [], items: [] };
    const answer = this.#answerOf(batch, plan, committed);
    this.#journals.keep();
    if (committed.mail.length > 0) this.#mailed?.(committed.mail);
    if (batch.items.some(leavesTasks)) this.#mailed?.("all");
    return answer;
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
      for (const row of one.d ?? []) this.#deliver(row, batch.incarnation, delivered);
      started.push(...startedBy(item, one.s ?? []));
      this.#learn(item, one.a);
    }
    for (const row of started) this.#journals.set(row.id, { seq: 0, settled: 0, text: "" });
    const answer = { items: answers, delivered, started, woken };
    // Another node is spreading: there is nothing to do here.
    const stoodBack = batch.items.some(
      (item, at) => item.type === "spread" && items[places[at] ?? -1]?.d === undefined,
    );
    return owes && !stoodBack ? { ...answer, owes: true } : answer;
  }

  // What others hold is told to them.
  #deliver(row: Told, own: number, delivered: InboxRow[]): void {
    if (row.o === undefined) delivered.push(row);
    else if (row.o === own) {
      const { o: _, ...plain } = row;
      delivered.push(plain);
    }
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

// Tasks that whoever has a slot may take.
function leavesTasks(item: CommitItem): boolean {
  return item.type === "enqueue" && item.held !== true && item.blocks.length > 0;
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
