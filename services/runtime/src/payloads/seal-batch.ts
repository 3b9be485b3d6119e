import type {
  Batch,
  CommitItem,
  DecisionItem,
  Finish,
  NewBlob,
  NewRun,
  PastGeneration,
  PublishedEvent,
  RareParts,
  Renewal,
  StreamChanges,
  Transition,
} from "@claw/core/ports";
import {
  type Ending,
  type Entry,
  ENTRY_KINDS,
  entryParts,
  joinParts,
  type KeyChange,
  type Message,
  type MessageKind,
  type Payload,
  type RunId,
  type StartRow,
} from "@claw/core/protocol";
import {
  chunkPlace,
  entryPlace,
  errorPlace,
  inputPlace,
  messagePlace,
  outputPlace,
  statePlace,
} from "./places.ts";
import { sealError } from "./seal-error.ts";
import { concernsEnqueue, concernsProgress, sealEnqueue, sealProgress } from "./seal-tasks.ts";
import type { SealedBlob, Sealer } from "./sealer.ts";

/** Kinds of entry whose data are ids and names of calls, which the engine reads, and no payloads: never sealed. */
export const NO_PAYLOADS: ReadonlySet<string> = new Set([
  ENTRY_KINDS.eventEmitted,
  ENTRY_KINDS.childStarted,
  ENTRY_KINDS.runStarted,
  ENTRY_KINDS.startRequested,
  ENTRY_KINDS.stateSet,
  ENTRY_KINDS.patchTaken,
  ENTRY_KINDS.attributesSet,
  ENTRY_KINDS.undoPlanned,
  ENTRY_KINDS.forked,
  ENTRY_KINDS.moved,
  ENTRY_KINDS.generationBegan,
  ENTRY_KINDS.streamWritten,
]);

// The entries that hold what is put back.
const TAKEN_AS: Partial<Record<MessageKind, Entry["kind"]>> = {
  signal: ENTRY_KINDS.signalReceived,
  approval: ENTRY_KINDS.approvalDecided,
};

// How the data of an entry begin that are sealed already.
const SEALED = "\u001f~";

/** True when something of the batch is not stored as it is. */
export function concernsBatch(sealer: Sealer, { items }: Batch): boolean {
  for (const item of items) {
    if (item.type === "transition" && concernsTransition(sealer, item)) return true;
    if (item.type === "enqueue" && concernsEnqueue(sealer, item)) return true;
    if (item.type === "tasks" && concernsProgress(sealer, item)) return true;
    if (item.type === "delivery" && sealer.concerns(item.message.data)) return true;
    if (item.type === "decision" && sealer.concerns(item.data)) return true;
    if (item.type === "publication" && item.starts.some((one) => concernsRun(sealer, one))) {
      return true;
    }
    if (item.type === "start" && concernsRun(sealer, item.start)) return true;
  }
  return false;
}

function concernsTransition(sealer: Sealer, item: Transition): boolean {
  const { start, entries, finish, starts, messages, events } = item;
  // A run that goes on from another's journal begins with its entries, and its blobs are the other's.
  if (start !== null && (sealer.concerns(start.input) || entries.includes(SEALED))) return true;
  if (sealer.concerns(entries)) return true;
  if (finish !== null) {
    const { ending, journal } = finish;
    if (sealer.hasCodecs || sealer.concerns(ending.output)) return true;
    if (sealer.concerns(finish.start.input) || sealer.concerns(journal ?? "")) return true;
  }
  const { renewal, keyState, streams, past } = item.rare ?? {};
  if (renewal && sealer.concerns(renewal.input)) return true;
  for (const { data } of renewal?.inbox ?? []) {
    if (data.startsWith(SEALED) || sealer.concerns(data)) return true;
  }
  if (keyState && sealer.concerns(keyState.state)) return true;
  for (const { data } of streams?.blocks ?? []) if (sealer.concerns(data)) return true;
  if (sealer.hasCodecs && past && past.length > 0) return true;
  for (const { data } of messages) if (sealer.concerns(data)) return true;
  for (const one of starts) if (concernsRun(sealer, one)) return true;
  return events.some((event) => event.starts.some((one) => concernsRun(sealer, one)));
}

function concernsRun(sealer: Sealer, { row }: NewRun): boolean {
  return sealer.concerns(row.input);
}

/** Seals the payloads of batches, and remembers what the caller gave, because the store gives it back. */
export class BatchSealer {
  readonly #sealer: Sealer;
  /** Sealed inputs of rows: a run's row is written when it begins and when it ends. */
  readonly inputs = new WeakMap<StartRow, Payload>();
  /** Payloads of the current batch by their sealed form. */
  readonly plain = new Map<Payload, Payload>();

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** An item with its payloads sealed. */
  async seal(item: CommitItem, at: number): Promise<{ item: CommitItem; blobs: NewBlob[] }> {
    const blobs: SealedBlob[] = [];
    const sealed = await this.#item(item, blobs);
    return { item: sealed, blobs: blobs.map((blob) => ({ ...blob, item: at })) };
  }

  async #item(item: CommitItem, blobs: SealedBlob[]): Promise<CommitItem> {
    if (item.type === "delivery") {
      return { ...item, message: await this.#message(item.message, blobs) };
    }
    if (item.type === "publication") return { ...item, ...(await this.#event(item, blobs)) };
    if (item.type === "decision") return this.#decision(item, blobs);
    if (item.type === "enqueue") return sealEnqueue(this.#sealer, item, blobs);
    if (item.type === "tasks") return sealProgress(this.#sealer, item, blobs);
    if (item.type === "start") return { ...item, start: await this.#newRun(item.start, blobs) };
    if (item.type !== "transition") return item;
    const { run, start, entries, finish } = item;
    return {
      ...item,
      start: start === null ? null : await this.#row(start, blobs),
      entries: await this.#entries(run, entries, blobs),
      starts: await each(item.starts, (one) => this.#newRun(one, blobs)),
      messages: await each(item.messages, (one) => this.#message(one, blobs)),
      events: await each(item.events, (one) => this.#event(one, blobs)),
      finish: finish === null ? null : await this.#finish(finish, blobs),
      rare: await this.#rare(run, item.rare ?? null, blobs),
    };
  }

  // The journal of a next generation has no payload: it begins with a note of the engine's.
  async #rare(run: RunId, rare: RareParts | null, blobs: SealedBlob[]): Promise<RareParts | null> {
    if (rare === null) return rare;
    const { renewal = null, streams = null, keyState = null, past = null } = rare;
    return {
      ...rare,
      renewal: renewal === null ? null : await this.#renewal(run, renewal, blobs),
      streams: streams === null ? null : await this.#streams(run, streams, blobs),
      keyState: keyState === null ? null : await this.#keyState(keyState, blobs),
      past: past === null ? null : await this.#past(run, past, blobs),
    };
  }

  async #renewal(run: RunId, renewal: Renewal, blobs: SealedBlob[]): Promise<Renewal> {
    const input = await this.#sealer.seal(renewal.input, inputPlace(run), blobs);
    if (renewal.inbox === undefined) return { ...renewal, input };
    // What a journal gave back is sealed for its entry, and stands in a message from now on.
    const inbox = await each(renewal.inbox, async (row) => {
      const kind = TAKEN_AS[row.kind] ?? ENTRY_KINDS.cancelRequested;
      const place = entryPlace(run, { kind, call: row.call, attempt: 1 });
      const data = await this.#sealer.open(row.data, place);
      return { ...row, data: await this.#sealer.seal(data, messagePlace(row), blobs) };
    });
    return { ...renewal, input, inbox };
  }

  async #keyState(change: KeyChange, blobs: SealedBlob[]): Promise<KeyChange> {
    return { ...change, state: await this.#sealer.seal(change.state, statePlace(change), blobs) };
  }

  async #streams(run: RunId, changes: StreamChanges, blobs: SealedBlob[]): Promise<StreamChanges> {
    const blocks = await each(changes.blocks, async (block) => {
      const data = await this.#sealer.seal(block.data, chunkPlace(run, block.seq), blobs);
      return { ...block, data };
    });
    return { ...changes, blocks };
  }

  #past(
    run: RunId,
    past: readonly PastGeneration[],
    blobs: SealedBlob[],
  ): Promise<readonly PastGeneration[]> {
    return each(past, async (one) => ({
      ...one,
      input: await this.#sealer.seal(one.input, inputPlace(run), blobs),
      journal: await this.#entries(run, one.journal, blobs),
    }));
  }

  // The store makes a message of it.
  async #decision(item: DecisionItem, blobs: SealedBlob[]): Promise<DecisionItem> {
    const { run: to, call: name, data } = item;
    const message = await this.#message({ to, kind: "approval", name, from: "", data }, blobs);
    return { ...item, data: message.data };
  }

  async #finish(finish: Finish, blobs: SealedBlob[]): Promise<Finish> {
    const { start, ending, journal } = finish;
    return {
      ...finish,
      start: await this.#row(start, blobs),
      ending: await this.#ending(start.id, ending, blobs),
      journal: journal === null ? null : await this.#entries(start.id, journal, blobs),
    };
  }

  async #ending(run: RunId, ending: Ending, blobs: SealedBlob[]): Promise<Ending> {
    const { output, error } = ending;
    return {
      ...ending,
      output: await this.#sealer.seal(output, outputPlace(run), blobs),
      error: error === null ? null : await sealError(this.#sealer, error, errorPlace(run), blobs),
    };
  }

  async #entries(run: RunId, text: string, blobs: SealedBlob[]): Promise<string> {
    if (text === "") return text;
    const parts = await each(entryParts(text), async (part) => {
      const { data, kind, call } = part;
      if (data === null || data === "" || NO_PAYLOADS.has(kind)) return part;
      const attempt = part.attempt === "" ? 1 : Number(part.attempt);
      const place = entryPlace(run, { kind: kind as Entry["kind"], call, attempt });
      return { ...part, data: await this.#sealer.seal(data, place, blobs) };
    });
    return joinParts(parts);
  }

  async #newRun(one: NewRun, blobs: SealedBlob[]): Promise<NewRun> {
    return { ...one, row: await this.#row(one.row, blobs) };
  }

  async #row(row: StartRow, blobs: SealedBlob[]): Promise<StartRow> {
    const known = this.inputs.get(row);
    const input = known ?? (await this.#sealer.seal(row.input, inputPlace(row.id), blobs));
    this.inputs.set(row, input);
    if (input !== row.input) this.plain.set(input, row.input);
    return input === row.input ? row : { ...row, input };
  }

  async #message(message: Message, blobs: SealedBlob[]): Promise<Message> {
    const data = await this.#sealer.seal(message.data, messagePlace(message), blobs);
    if (data !== message.data) this.plain.set(data, message.data);
    return { ...message, data };
  }

  async #event<E extends PublishedEvent>(event: E, blobs: SealedBlob[]): Promise<E> {
    return { ...event, starts: await each(event.starts, (one) => this.#newRun(one, blobs)) };
  }
}

async function each<T>(list: readonly T[], change: (one: T) => Promise<T>): Promise<readonly T[]> {
  if (list.length === 0) return list;
  const changed: T[] = [];
  for (const one of list) changed.push(await change(one));
  return changed;
}
