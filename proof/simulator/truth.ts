import type { BatchAnswer, Batch, NewRun, Transition } from "@claw/core/ports";
import {
  decodeEntries,
  type Ending,
  type Entry,
  ENTRY_KINDS,
  type ErrorRecord,
  type InboxRow,
  type StartRow,
} from "@claw/core/protocol";
import type { MemoryDisk } from "@claw/store-memory";
import type { Ledger } from "./ledger.ts";
import type { ExpectedCall } from "./model.ts";
import type { Block } from "./statement.ts";
import { isUndo } from "./undo-model.ts";

/** What is known to be durable of one run. */
export interface KnownRun {
  readonly start: StartRow;
  text: string;
  entries: Entry[];
  /** Entries that answered a call, by call. */
  readonly answers: Map<string, Entry>;
  /** Failed attempts by call. */
  readonly failures: Map<string, number>;
  readonly taken: Set<number>;
  /** Children that it has asked to stop. */
  readonly stopped: Set<string>;
  /** Generations but for the first: the number of the entry that each began with, and its input. */
  readonly generations: { readonly begins: number; readonly input: string }[];
  /** Calls of ended generations, as they were foreseen. */
  readonly past: Map<string, ExpectedCall>;
  /** How many ended generations could be foreseen. */
  foreseen: number;
  ending: Pick<Ending, "status" | "output" | "error"> | null;
  /** Entries that it got from another run, 0 for a run that is no fork. */
  forkedAt: number;
  /** The code that wrote its last entries. */
  code: Block | null;
  /** True once more than one code has written entries. */
  mixed: boolean;
}

const MESSAGE_KINDS: ReadonlySet<string> = new Set([
  ENTRY_KINDS.signalReceived,
  ENTRY_KINDS.eventReceived,
  ENTRY_KINDS.childEnded,
]);

/** Entries beside which the call has another one, or none. */
const NOTES: ReadonlySet<string> = new Set([
  ENTRY_KINDS.childStarted,
  ENTRY_KINDS.childUnused,
  ENTRY_KINDS.decisionUnused,
  ENTRY_KINDS.startRequested,
  ENTRY_KINDS.generationBegan,
]);

/** The number of the entry before those of the generation that a run is in after `length` entries; 0 in its first. */
export function generationAt({ generations }: KnownRun, length: number): Generation {
  const at = generations.findLastIndex(({ begins }) => begins <= length);
  return { generation: at + 2, begins: generations[at]?.begins ?? 0 };
}

/** A generation of a run. */
export interface Generation {
  /** From 1. */
  readonly generation: number;
  /** Number of its first entry; 0 for the first generation. */
  readonly begins: number;
}

/**
 * The durable state as the store's answers tell it, kept beside the disk: each answer is checked
 * against what was known before, and the disk against all of it when a node opens.
 */
export class Truth {
  readonly runs = new Map<string, KnownRun>();
  /** Batches that reached the disk when another incarnation had it; their answers may come later still. */
  readonly stale = new Set<Batch>();
  /** Runs that retention has removed. */
  readonly swept = new Set<string>();
  readonly #ledger: Ledger;
  readonly #disk: MemoryDisk;
  readonly #sound = new Map<string, unknown>();
  /** What a run puts back at the end of a generation, sent or durable, by run and generation. */
  readonly #putBack = new Map<string, readonly InboxRow[]>();

  constructor(disk: MemoryDisk, ledger: Ledger) {
    this.#disk = disk;
    this.#ledger = ledger;
  }

  /** A batch was answered. */
  answered(batch: Batch, answer: BatchAnswer): void {
    this.#ledger.check(
      "a fenced incarnation never writes",
      !this.stale.has(batch),
      () => `batch ${batch.number} of ${batch.incarnation} while ${this.#disk.incarnation} owns`,
    );
    if (answer.owes === true) this.#ledger.count("event spread over commits");
    for (const row of answer.started) this.#begin(row);
    for (const [at, item] of batch.items.entries()) {
      const applied = answer.items[at]?.status === "applied";
      if (item.type === "start" && applied) this.#begin(item.start.row);
      if (item.type === "publication" && applied) this.#beginAll(item.starts);
      if (item.type !== "transition") continue;
      if (applied) this.#apply(item);
    }
  }

  /** A batch is about to be sent: the signals that it takes are still in their inboxes. */
  committing(batch: Batch): void {
    for (const item of batch.items) {
      if (item.type !== "transition") continue;
      this.#checkPutBack(item);
      if (item.acks.length === 0) continue;
      const rows = this.#disk.inbox.of(item.run).filter(({ kind }) => kind === "signal");
      const taken = rows.filter(({ seq }) => item.acks.includes(seq));
      if (taken.length > 0) this.#checkOrder(item, rows, taken);
    }
  }

  // Of signals with one name none overtakes another: neither those left behind nor those taken with it.
  #checkOrder(item: Transition, rows: readonly InboxRow[], taken: readonly InboxRow[]): void {
    const left = rows.filter((row) => !taken.includes(row));
    const overtaken = left.find(({ name, seq }) =>
      taken.some((row) => row.name === name && row.seq > seq),
    );
    const values = new Map<string, string[]>();
    for (const { call, kind, data } of decodeEntries(item.entries, item.firstSeq, 0)) {
      if (kind !== ENTRY_KINDS.signalReceived) continue;
      const name = /signal:(\w+)[^/]*$/.exec(call)?.[1] ?? "";
      values.set(name, [...(values.get(name) ?? []), data]);
    }
    const inOrder = [...values].every(([name, data]) => {
      const sent = taken.filter((row) => row.name === name).map((row) => row.data);
      return data.every((one, at) => one === sent[at]);
    });
    this.#ledger.check(
      "signals of a name are taken in the order of arrival",
      overtaken === undefined && inOrder,
      () => `${item.run} took ${item.acks.join()}, left ${String(overtaken?.seq)}`,
    );
  }

  // A number that is given again is free: its message was taken, or there never was one.
  #checkPutBack({ run: id, acks, rare, messages }: Transition): void {
    const run = this.runs.get(id);
    if (!rare?.renewal || run === undefined) return;
    const back = rare.renewal.inbox ?? [];
    const last = back.at(-1)?.seq ?? Number.NEGATIVE_INFINITY;
    // What it sends to itself comes last; a run that has taken nothing here has nothing else to do it with.
    const again = run.taken.size === 0 ? [] : messages.filter(({ to }) => to === id);
    const unread = this.#disk.inbox.of(id).filter(({ seq }) => !acks.includes(seq));
    const overtaken = unread.find(
      ({ seq, kind, name }) =>
        seq <= last || again.some((one) => one.kind === kind && one.name === name),
    );
    this.#ledger.check(
      "what was taken and not seen is put back before what is unread",
      overtaken === undefined,
      () => `${id} puts back ${back.map(({ seq }) => seq).join()} behind ${overtaken?.seq}`,
    );
    this.#putBack.set(placeOf(run), back);
  }

  #begin(row: StartRow): KnownRun {
    const known = this.runs.get(row.id);
    if (known !== undefined) return known;
    // Of what was learned from the disk, the key stands in another table.
    const member = this.#disk.keyedRuns.get(row.id);
    const fresh: KnownRun = {
      start: member === undefined ? row : { ...row, keyed: member },
      text: "",
      entries: [],
      answers: new Map(),
      failures: new Map(),
      taken: new Set(),
      stopped: new Set(),
      generations: [],
      past: new Map(),
      foreseen: 0,
      ending: null,
      forkedAt: 0,
      code: null,
      mixed: false,
    };
    this.runs.set(row.id, fresh);
    return fresh;
  }

  // An event that was known, and a key that takes no more, start nothing.
  #beginAll(starts: readonly NewRun[]): void {
    for (const { row } of starts) if (this.#onDisk(row.id)) this.#begin(row);
  }

  #apply(item: Transition): void {
    const ledger = this.#ledger;
    if (item.start !== null) this.#begin(item.start);
    this.#beginAll(item.starts);
    for (const { starts } of item.events) this.#beginAll(starts);
    const run = this.runs.get(item.run);
    ledger.check("transitions belong to a known run", run !== undefined, () => item.run);
    if (run === undefined) return;
    ledger.check("a closed run never changes", run.ending === null, () => item.run);
    if (item.entries !== "") this.append(run, item.entries, item.firstSeq);
    if (run.entries[0]?.kind === ENTRY_KINDS.forked) run.forkedAt ||= run.entries.length;
    ledger.check(
      "row and journal agree",
      item.seq === run.entries.length,
      () => `${item.run} says ${item.seq}, its journal has ${run.entries.length}`,
    );
    this.#take(run, item);
    const renewal = item.rare?.renewal ?? null;
    if (renewal !== null) this.#renew(run, renewal.input, renewal.journal);
    const { finish } = item;
    if (finish === null) return;
    ledger.check(
      "the packed journal is the journal",
      finish.journal === null || finish.journal === run.text,
      () => item.run,
    );
    run.ending = finish.ending;
  }

  // A later generation has a journal of its own, whose numbers go on.
  #renew(run: KnownRun, input: string, text: string): void {
    this.#goOn(run, input);
    this.append(run, text, 1);
  }

  // What it puts back lies in the inbox again.
  #goOn(run: KnownRun, input: string): void {
    for (const { seq } of this.#putBack.get(placeOf(run)) ?? []) run.taken.delete(seq);
    run.generations.push({ begins: run.entries.length + 1, input });
    run.text = "";
  }

  #take(run: KnownRun, item: Transition): void {
    let answered = 0;
    // What a fork begins with was taken by another run.
    const fresh = item.start === null ? countOf(item.entries) : 0;
    for (const entry of run.entries.slice(run.entries.length - fresh)) {
      if (MESSAGE_KINDS.has(entry.kind)) answered++;
    }
    this.#ledger.check(
      "a message taken is removed in the same transition",
      answered <= item.acks.length,
      () => `${item.run}: ${answered} answers, ${item.acks.length} acknowledgements`,
    );
    for (const ack of item.acks) {
      const fresh = !run.taken.has(ack);
      this.#ledger.check("a message is taken once", fresh, () => `${item.run} message ${ack}`);
      run.taken.add(ack);
    }
  }

  /** Adds entries that became durable, checking each against those before. */
  append(run: KnownRun, text: string, firstSeq: number): void {
    const ledger = this.#ledger;
    const { id, startedAt } = run.start;
    for (const entry of decodeEntries(text, firstSeq, startedAt)) {
      ledger.check(
        "the journal has no gap",
        entry.seq === run.entries.length + 1,
        () => `${id} got entry ${entry.seq} after ${run.entries.length}`,
      );
      const last = run.entries.at(-1)?.at ?? startedAt;
      ledger.check(
        "time in a journal never goes back",
        entry.at >= last,
        () => `${id} ${entry.seq}`,
      );
      run.entries.push(entry);
      this.#index(run, entry);
    }
    run.text += text;
  }

  #index(run: KnownRun, entry: Entry): void {
    const { call, kind, attempt } = entry;
    const name = (): string => `${run.start.id} ${call} (${kind})`;
    if (kind === ENTRY_KINDS.attemptFailed) {
      const before = run.failures.get(call) ?? 0;
      this.#ledger.check(
        "attempts are counted without gap or repetition",
        attempt === before + 1,
        () => `${name()}: attempt ${attempt} after ${before}`,
      );
      run.failures.set(call, attempt);
      return;
    }
    if (NOTES.has(kind)) return;
    // Cancellations and plans of undoing belong to no call: of each kind there is one in a generation. A request to
    // cancel that its generation has not seen is sent again to the next one, which records it as well.
    let id = call;
    if (kind === ENTRY_KINDS.updateEnded) id = `${call} ${kind}`;
    if (call === "") {
      const begun = run.entries.filter((one) => one.kind === ENTRY_KINDS.generationBegan);
      id = ` ${kind} ${begun.length}`;
    }
    const isNew = !run.answers.has(id);
    this.#ledger.check("one terminal entry per call", isNew, name);
    if (isUndo(call)) this.#ledger.check("an undo has one terminal entry", isNew, name);
    run.answers.set(id, entry);
  }

  #onDisk(id: string): boolean {
    return this.#disk.runs.has(id) || this.#disk.closed.has(id);
  }

  /** A sweep was made: what is gone had ended. */
  afterSweep(): void {
    for (const [id, { ending }] of this.runs) {
      if (this.#onDisk(id) || this.swept.has(id)) continue;
      this.swept.add(id);
      this.#ledger.check("retention takes only what has ended", ending !== null, () => id);
    }
  }

  /** The store went back in time: of what is not there any more nothing is known. */
  forget(): void {
    const before = new Map(this.runs);
    this.runs.clear();
    this.swept.clear();
    this.#sound.clear();
    this.audit();
    for (const [id, run] of this.runs) {
      run.code = before.get(id)?.code ?? null;
      run.mixed = before.get(id)?.mixed ?? false;
    }
  }

  /** Compares everything known with the disk, and learns what was written without an answer. */
  audit(): void {
    const { runs, closed, journal } = this.#disk;
    for (const row of runs.values()) {
      const text = journal
        .of(row.id)
        .map((one) => one.entries)
        .join("");
      const run = this.#begin(row);
      this.#ledger.check("a closed run stays closed", run.ending === null, () => row.id);
      this.#compareAll(run, text, row.input);
      const resting = row.held !== "" || row.due !== null || row.waits > 0;
      this.#ledger.check("no run is stranded", resting, () => row.id);
      // Whoever rests has taken all but the signals, and decisions, that nobody has asked for.
      const owed = row.due !== 0 && row.due !== 1 && row.held === "";
      const waiting =
        owed &&
        this.#disk.inbox.of(row.id).some(({ kind }) => kind !== "signal" && kind !== "approval");
      this.#ledger.check("no message waits for a run at rest", !waiting, () => row.id);
    }
    for (const row of closed.values()) {
      if (this.#sound.get(row.id) === row) continue;
      const run = this.#begin(row);
      const rows = journal.of(row.id).map((one) => one.entries);
      this.#compareAll(run, row.journal ?? rows.join(""), row.input);
      run.ending = {
        status: row.status,
        output: row.output,
        error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
      };
      this.#sound.set(row.id, row);
    }
    for (const id of this.runs.keys()) {
      if (this.swept.has(id)) continue;
      this.#ledger.check("no run is lost", this.#onDisk(id), () => id);
    }
  }

  // Generations may have ended in transitions whose answer was lost.
  #compareAll(run: KnownRun, text: string, input: string): void {
    const ended = this.#disk.generations.of(run.start.id);
    for (let at = run.generations.length; at < ended.length; at++) {
      this.#compare(run, ended[at]?.journal ?? "");
      this.#goOn(run, ended[at + 1]?.input ?? input);
    }
    this.#compare(run, text);
  }

  #compare(run: KnownRun, text: string): void {
    const kept = text.startsWith(run.text);
    this.#ledger.check("a journal only grows", kept, () => run.start.id);
    if (kept && text.length > run.text.length) {
      const isFirst = run.text === "";
      this.append(run, text.slice(run.text.length), isFirst ? 1 : run.entries.length + 1);
    }
  }
}

function placeOf({ start, generations }: KnownRun): string {
  return `${start.id} ${generations.length}`;
}

function countOf(entries: string): number {
  let count = 0;
  for (let at = entries.indexOf("\u001e"); at >= 0; at = entries.indexOf("\u001e", at + 1)) count++;
  return count;
}
