import type { Claw } from "@claw/runtime";
import { CLIENT_ERRORS } from "../client-errors.ts";
import type { Host } from "../host.ts";
import type { Desk } from "./desk.ts";

const READERS_MAX = 16;
const END_MS = 60_000;

type Kind = "streams" | "events";

/** Somebody who follows a run over the lives of nodes, with a cursor. */
interface Reader {
  readonly kind: Kind;
  readonly run: string;
  readonly namespace: string;
  /** Numbers that it got, in order. */
  readonly got: number[];
  /** The node that it reads at; null for none. */
  at: Host | null;
  isDone: boolean;
}

/** Everybody who follows what runs write: each of them gets everything once, in order, when it is durable. */
export class Readers {
  readonly #desk: Desk;
  readonly #readers: Reader[] = [];

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Somebody begins to follow a run, and those who lost their node come back. */
  act(host: Host): void {
    this.#comeBack(host);
    if (this.#readers.length >= READERS_MAX) return;
    const { dice, world } = this.#desk;
    const own = [...world.disk.runs.values(), ...world.disk.closed.values()].filter(
      ({ namespace }) => namespace === host.namespace,
    );
    if (own.length === 0) return;
    const { id: run, namespace } = dice.pick(own);
    const kind = dice.pick(["streams", "streams", "events"] as const);
    const reader: Reader = { kind, run, namespace, got: [], at: null, isDone: false };
    this.#readers.push(reader);
    world.ledger.count(`client follow ${kind}`);
    this.#read(reader, host);
  }

  /** All runs of the node's namespace have ended: so does what was followed, and nothing was missed. */
  async finish(host: Host): Promise<void> {
    const { scheduler, ledger, truth } = this.#desk.world;
    // Of a run that retention has removed there is nothing to read.
    const own = this.#readers.filter(
      ({ namespace, run }) =>
        namespace === host.namespace && truth.runs.has(run) && !truth.swept.has(run),
    );
    this.#comeBack(host);
    await scheduler.run(scheduler.now + END_MS, () => own.every(({ isDone }) => isDone));
    for (const reader of own) {
      const all = this.#durable(reader);
      const same =
        all.length === reader.got.length && all.every((seq, at) => reader.got[at] === seq);
      ledger.check(
        "a reader gets everything once and in order",
        reader.isDone && same,
        () => `${reader.kind} of ${reader.run}: ${reader.got.join()} of ${all.join()}`,
      );
    }
  }

  /** The store went back in time: cursors of what is gone are worth nothing. */
  forget(): void {
    this.#readers.length = 0;
  }

  #comeBack(host: Host): void {
    for (const reader of this.#readers) {
      const isGone = this.#desk.world.crowd === null || reader.at === null || reader.at.dead;
      const lost = isGone && reader.at !== host && reader.namespace === host.namespace;
      if (!lost || reader.isDone) continue;
      if (reader.got.length > 0) this.#desk.world.ledger.count("client back with its cursor");
      this.#read(reader, host);
    }
  }

  #read(reader: Reader, host: Host): void {
    const { claw } = host;
    if (claw === null) return;
    const { ledger } = this.#desk.world;
    reader.at = host;
    // Of a node that is dead nothing comes any more.
    const isHere = (): boolean => reader.at === host && !host.dead;
    this.#follow(reader, claw, isHere).catch((error: unknown) => {
      if (!isHere()) return;
      reader.at = null;
      const code = String((error as { code?: unknown }).code);
      ledger.check(
        "clients get declared errors",
        CLIENT_ERRORS.has(code),
        () => `follow ${reader.kind} of ${reader.run}: ${String(error)}`,
      );
    });
  }

  async #follow(reader: Reader, claw: Claw, isHere: () => boolean): Promise<void> {
    const { ledger } = this.#desk.world;
    const { kind, run, got } = reader;
    const handle = claw.run(run);
    const from = got.at(-1) ?? 0;
    const feed = kind === "streams" ? handle.streams({ from }) : handle.events({ from });
    for await (const { seq } of feed) {
      if (!isHere()) return;
      // What was read of a run that retention has removed since was durable by then.
      ledger.check(
        "a reader sees only what is durable",
        this.#isGone(run) || this.#durable(reader).includes(seq),
        () => `${kind} of ${run}: ${seq}`,
      );
      got.push(seq);
    }
    if (isHere()) reader.isDone = true;
  }

  #isGone(run: string): boolean {
    const { disk } = this.#desk.world;
    return !disk.runs.has(run) && !disk.closed.has(run);
  }

  #durable({ kind, run }: Reader): number[] {
    const { world } = this.#desk;
    if (kind === "streams") return world.streams.written(run).map(({ seq }) => seq);
    const { seq } = world.disk.closed.get(run) ?? { seq: 0 };
    const rows = world.disk.journal.of(run);
    return Array.from({ length: Math.max(seq, rows.at(-1)?.lastSeq ?? 0) }, (_, at) => at + 1);
  }
}
