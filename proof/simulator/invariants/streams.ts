import { type ChunkBlock, decodePayload, type Entry, ENTRY_KINDS } from "@claw/core/protocol";
import type { StepContext } from "@claw/sdk";
import type { Host } from "../host.ts";
import type { Effect } from "../witness.ts";
import type { World } from "../world.ts";

/** One body in so many speaks. */
const SPEAKERS = 5;
const WORD_MS = 30;
const STREAM = "tokens";

/** A word of a body. */
interface Word {
  readonly serial: number;
  readonly n: number;
}

/** A chunk on the disk. */
export interface Written extends Omit<ChunkBlock, "data" | "count"> {
  readonly value: unknown;
}

/** What runs write to their streams, held against what their bodies and journals say. */
export class StreamCheck {
  readonly #world: World;
  /** Words that a body has said, by its effect. */
  readonly #said = new Map<number, number>();
  /** What was read from the disk before: what lies there never changes. */
  readonly #read = new WeakMap<ChunkBlock, readonly Written[]>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Lets the body of an effect speak while it is at work; the answer lets it say its last word. */
  speak(host: Host, effect: Effect, step: Pick<StepContext, "stream">): () => void {
    if (effect.serial % SPEAKERS !== 0) return () => {};
    const stream = step.stream(STREAM);
    const say = (): void => {
      if (effect.ended) return;
      const n = this.#said.get(effect.serial) ?? 0;
      const word: Word = { serial: effect.serial, n };
      stream.write(word);
      this.#said.set(effect.serial, n + 1);
    };
    say();
    this.#world.scheduler.later(host, WORD_MS, say);
    return say;
  }

  /** The end of a body became durable: so did all that it said, unless nobody waited for it any more. */
  recorded(run: string, { kind, data }: Entry): void {
    if (kind !== ENTRY_KINDS.stepCompleted || data === "") return;
    const effect = this.#world.witness.effects[Number(data.slice(2, -1))];
    const said = effect === undefined ? undefined : this.#said.get(effect.serial);
    if (effect === undefined || said === undefined) return;
    if (this.#world.witness.undoable.get(run)?.has(effect.call) === true) return;
    const written = this.written(run).filter(({ value }) => serialOf(value) === effect.serial);
    this.#world.ledger.check(
      "what a body said is durable with its end",
      written.length === said,
      () => `${run} ${effect.call}: ${written.length} of ${said} words`,
    );
  }

  /** Chunks of a run on the disk. */
  written(run: string): Written[] {
    return this.#world.disk.chunks.of(run).flatMap((chunk) => {
      const known = this.#read.get(chunk) ?? valuesOf(chunk);
      this.#read.set(chunk, known);
      return known;
    });
  }

  /** Everything has ended: what is on the disk is looked at as a whole. */
  audit(): void {
    for (const [run] of this.#world.disk.chunks.entries()) {
      const written = this.written(run);
      this.#numbers(run, written);
      this.#calls(run, written);
      this.#starts(run, written);
    }
  }

  #numbers(run: string, written: readonly Written[]): void {
    this.#world.ledger.check(
      "chunks are numbered without gap or repetition",
      written.every(({ seq }, at) => seq === at + 1),
      () => `${run}: ${written.map(({ seq }) => seq).join()}`,
    );
  }

  // What code wrote stands in its journal: one entry, one chunk.
  #calls(run: string, written: readonly Written[]): void {
    const { truth, ledger } = this.#world;
    const entries = truth.runs.get(run)?.entries ?? [];
    const recorded = entries
      .filter(({ kind, data }) => kind === ENTRY_KINDS.streamWritten && data === "")
      .map(({ call }) => call);
    // A fork begins with empty streams, whatever its journal says of those of the other run.
    if (entries[0]?.kind === ENTRY_KINDS.forked)
      recorded.splice(0, recorded.length - written.filter(isOfCode).length);
    const own = written.filter(isOfCode);
    const same = own.every(({ call, value }, at) => recorded[at] === call && value === call);
    ledger.check(
      "a chunk of code is written once, in the order of the journal",
      same && own.length === recorded.length,
      () => `${run}: ${own.map(({ call }) => call).join()} for ${recorded.join()}`,
    );
  }

  // Readers tell two starts of a body by the first chunk that each wrote.
  #starts(run: string, written: readonly Written[]): void {
    const serials = new Map<string, number>();
    const words = new Map<number, number>();
    for (const { stream, call, first, value } of written) {
      if (stream !== STREAM) continue;
      const { serial, n } = value as Word;
      const known = serials.get(`${call} ${first}`) ?? serial;
      serials.set(`${call} ${first}`, known);
      const next = words.get(serial) ?? 0;
      words.set(serial, n + 1);
      this.#world.ledger.check(
        "a chunk tells the start of the body that wrote it",
        known === serial && n === next,
        () => `${run} ${call} ${first}: word ${n} of ${serial} after word ${next - 1} of ${known}`,
      );
    }
  }
}

function valuesOf({ data, count: _count, ...block }: ChunkBlock): Written[] {
  const values = decodePayload(data) as unknown[];
  return values.map((value, n) => ({ ...block, seq: block.seq + n, value }));
}

function serialOf(value: unknown): number | undefined {
  return (value as Partial<Word> | null)?.serial;
}

function isOfCode({ stream }: Written): boolean {
  return stream !== STREAM;
}
