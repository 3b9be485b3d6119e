import { type Entry, type EntryKind, GAP, gapAt, RECORD, UNIT } from "./journal.ts";
import { isCoded } from "./payload.ts";

/**
 * The entries of a journal. Its text is looked through once, which shows that it is whole; an entry is decoded
 * when it is read, each time anew, so that a long journal costs little memory while it is replayed.
 */
export class Journal implements Iterable<Entry> {
  /** Number of entries. */
  readonly length: number;
  readonly #text: string;
  readonly #startedAt: number;
  /** Where each entry begins in the text. */
  readonly #starts: readonly number[];
  readonly #seqs: Seqs;
  /** The entries themselves, if they are not what the text says. */
  readonly #decoded: readonly Entry[] | null;

  private constructor(
    text: string,
    startedAt: number,
    starts: readonly number[],
    seqs: Seqs,
    decoded: readonly Entry[] | null,
  ) {
    this.#text = text;
    this.#startedAt = startedAt;
    this.#starts = starts;
    this.#seqs = seqs;
    this.#decoded = decoded;
    this.length = decoded === null ? starts.length : decoded.length;
  }

  /** A journal of these entries. */
  static of(entries: readonly Entry[]): Journal {
    return new Journal("", 0, [], 0, entries);
  }

  /** The journal of a text, its first entry with sequence `firstSeq`. Throws on text of another form. */
  static read(text: string, firstSeq: number, startedAt: number): Journal {
    const starts: number[] = [];
    let seqs: number[] | null = null;
    let from = 0;
    let seq = firstSeq;
    let callEnd = text.indexOf(UNIT);
    while (from < text.length) {
      const to = text.indexOf(RECORD, from);
      if (to > 0 && text[from] === GAP) {
        seqs ??= starts.map((_, at) => firstSeq + at);
        seq += gapAt(text, from, to);
        from = to + 1;
        continue;
      }
      // Found one by one: splitting costs a list for each entry.
      const atEnd = text.indexOf(UNIT, callEnd + 1);
      const attemptEnd = text.indexOf(UNIT, atEnd + 1);
      const printEnd = text.indexOf(UNIT, attemptEnd + 1);
      const nextCallEnd = text.indexOf(UNIT, printEnd + 1);
      const ordered = from < callEnd && callEnd < atEnd && atEnd < attemptEnd;
      const whole = attemptEnd < printEnd && printEnd < to;
      if (!ordered || !whole || (nextCallEnd >= 0 && nextCallEnd < to)) {
        throw new Error(`journal text is damaged at character ${from}`);
      }
      starts.push(from);
      seqs?.push(seq);
      seq++;
      from = to + 1;
      callEnd = nextCallEnd;
    }
    return new Journal(text, startedAt, starts, seqs ?? firstSeq, null);
  }

  /** One letter: the kind of an entry, by its place from 0. */
  kindAt(place: number): EntryKind {
    if (this.#decoded !== null) return (this.#decoded[place] as Entry).kind;
    return this.#text[this.#starts[place] as number] as EntryKind;
  }

  /** True when data of an entry must be decoded first (`isCoded`). */
  hasCoded(): boolean {
    if (this.#decoded !== null) return this.#decoded.some(({ data }) => isCoded(data));
    // A print can begin like that too, so that is no more than a hint.
    if (!this.#text.includes(`${UNIT}~`)) return false;
    for (const { data } of this) if (isCoded(data)) return true;
    return false;
  }

  /** True when an entry belongs to this call. */
  belongsTo(place: number, call: string): boolean {
    if (this.#decoded !== null) return (this.#decoded[place] as Entry).call === call;
    const from = (this.#starts[place] as number) + 1;
    return this.#text[from + call.length] === UNIT && this.#text.startsWith(call, from);
  }

  /** An entry by its place from 0. `call` saves a copy when it is known already. */
  entryAt(place: number, call?: string): Entry {
    if (this.#decoded !== null) return this.#decoded[place] as Entry;
    const text = this.#text;
    const from = this.#starts[place] as number;
    const callEnd = call === undefined ? text.indexOf(UNIT, from) : from + 1 + call.length;
    const atEnd = text.indexOf(UNIT, callEnd + 1);
    const attemptEnd = text.indexOf(UNIT, atEnd + 1);
    const printEnd = text.indexOf(UNIT, attemptEnd + 1);
    const seqs = this.#seqs;
    return {
      seq: typeof seqs === "number" ? seqs + place : (seqs[place] as number),
      at: this.#startedAt + Number.parseInt(text.slice(callEnd + 1, atEnd), 36),
      kind: text[from] as EntryKind,
      call: call ?? text.slice(from + 1, callEnd),
      attempt: attemptEnd === atEnd + 1 ? 1 : Number(text.slice(atEnd + 1, attemptEnd)),
      print: text.slice(attemptEnd + 1, printEnd),
      data: text.slice(printEnd + 1, text.indexOf(RECORD, printEnd)),
    };
  }

  /** All entries, in their order. */
  *[Symbol.iterator](): Generator<Entry, undefined> {
    for (let place = 0; place < this.length; place++) yield this.entryAt(place);
  }
}

/** Sequence of each entry; of the first alone when there are no gaps. */
type Seqs = readonly number[] | number;

/** Entries of a text, the first with sequence `firstSeq`. Throws on text of another form. */
export function decodeEntries(text: string, firstSeq: number, startedAt: number): Entry[] {
  const journal = Journal.read(text, firstSeq, startedAt);
  const entries: Entry[] = [];
  for (let place = 0; place < journal.length; place++) entries.push(journal.entryAt(place));
  return entries;
}
