import type { StoreLook, Transition } from "@claw/core/ports";
import {
  type ArchivedKey,
  ClawError,
  encodeEntry,
  encodeGap,
  type Entry,
  ENTRY_KINDS,
  isCoded,
  limits,
  type MoveNote,
  type Payload,
  readCoded,
  type RunArchive,
  type RunId,
  type RunKey,
} from "@claw/core/protocol";
import type { Node } from "../node.ts";
import { resumeRun } from "../operate.ts";
import type { SealedBlob } from "../payloads/sealer.ts";
import type { ExportHeader } from "./export-records.ts";
import type { MoveProgress } from "./export-runs.ts";
import { awaitedBy } from "./families.ts";
import { changeCoded, codedOf } from "./payloads.ts";
import { type ExportPiece, readExport } from "./read-export.ts";
import { sameRun } from "./same-run.ts";

/** Reads a file from its beginning, each time that it is called. */
export type ExportBytes = () => AsyncIterable<Uint8Array>;

/** Options of an import. */
export interface ImportOptions {
  /** Takes runs of another namespace over into that of this runtime. Default false: CLAW-4064. */
  readonly intoOtherNamespace?: boolean;
  /**
   * Lets open runs go on that this import, or an earlier one of the same file, put into the store. Default false: they
   * are held as paused until somebody resumes them, so that a run never goes on in two stores by mistake.
   */
  readonly resume?: boolean;
  /** Told from time to time. Default: nobody. */
  readonly onProgress?: (progress: MoveProgress) => void;
}

/** What became of an import. */
export interface ImportReport {
  /** The one that the runs belong to now. */
  readonly namespace: string;
  /** Runs in the file. */
  readonly runs: number;
  /** Runs that are in the store now and were not before. */
  readonly imported: number;
  /** Runs that were there already; nothing was written. */
  readonly known: number;
  /** Open runs that are held as paused until they are resumed. */
  readonly held: number;
  /** Open runs that were let go on. */
  readonly resumed: number;
  /** Names of codecs besides compressions that values of the file need to be read. */
  readonly codecs: readonly string[];
  /** Runs whose idempotency key is another run's here: it stays with that one. */
  readonly keysTaken: readonly RunId[];
}

const HELD = "came from another store";
const READABLE: ReadonlySet<string> = new Set(["gzip", "zstd"]);

/**
 * Takes runs of a file into the store: nothing unless the whole file is sound, then each run whole or not at all. What is there
 * already stays as it is, so that doing it again does nothing.
 * Errors: CLAW-4061, CLAW-4062, CLAW-4063, CLAW-4064, CLAW-4065, CLAW-3005.
 */
export async function importRuns(
  node: Node,
  bytes: ExportBytes,
  options: ImportOptions = {},
): Promise<ImportReport> {
  node.mustBeAvailable();
  const plan = await planImport(node, bytes, options);
  const carrier = new Carrier(node, plan, options);
  try {
    for await (const piece of readExport(bytes())) await carrier.take(piece);
  } catch (error) {
    await carrier.giveUp();
    throw error;
  }
  const resumed = options.resume === true ? await letGoOn(node, plan.open) : 0;
  const { header, known, codecs } = plan;
  return {
    namespace: node.namespace,
    runs: header.runs,
    imported: header.runs - known.size,
    known: known.size,
    held: carrier.held - resumed < 0 ? 0 : carrier.held - resumed,
    resumed,
    codecs: [...codecs].sort(),
    keysTaken: carrier.keysTaken,
  };
}

/** What the first reading of a file says. */
interface Plan {
  readonly header: ExportHeader;
  /** Runs that are in the store already. */
  readonly known: ReadonlySet<RunId>;
  /** Open runs, parents before their children. */
  readonly open: readonly RunId[];
  readonly codecs: ReadonlySet<string>;
  /** The greatest number of an event in the store. */
  readonly lastEvent: number;
}

async function planImport(node: Node, bytes: ExportBytes, options: ImportOptions): Promise<Plan> {
  const look = await node.store.look();
  try {
    const known = new Set<RunId>();
    const open: RunId[] = [];
    const codecs = new Set<string>();
    const needed = new Map<RunId, RunId>();
    const there = new Set<RunId>();
    let header: ExportHeader | null = null;
    for await (const piece of readExport(bytes())) {
      if (piece.type === "header") {
        header = piece.header;
        checkNamespace(header, node.namespace, options);
      } else if (piece.type === "run") {
        const archive = inNamespace(piece.archive, node.namespace);
        const { id, parentRun } = archive.start;
        there.add(id);
        if (await isKnown(look, archive)) known.add(id);
        collectCodecs(archive, codecs);
        if (archive.open === null) continue;
        open.push(id);
        if (known.has(id)) continue;
        if (parentRun !== "") needed.set(parentRun, id);
        for (const child of awaitedBy(archive)) needed.set(child, id);
        await checkKey(look, archive, piece.archive);
      }
    }
    for (const [id, by] of needed) {
      if (there.has(id) || (await look.archive(id)) !== null) continue;
      const detail = `${by} cannot do without ${id}, which is neither in the file nor in the store`;
      throw new ClawError("CLAW-4065", detail, { details: { run: by, missing: id } });
    }
    if (header === null) throw new ClawError("CLAW-4061", "The file is empty");
    return { header, known, open, codecs, lastEvent: look.lastEvent };
  } finally {
    await look.close();
  }
}

function checkNamespace(
  header: ExportHeader,
  namespace: string,
  { intoOtherNamespace = false }: ImportOptions,
): void {
  if (header.namespace === namespace || intoOtherNamespace) return;
  const detail = `The export is of the namespace "${header.namespace}", this is "${namespace}"`;
  throw new ClawError("CLAW-4064", detail, { details: { namespace: header.namespace } });
}

function inNamespace(archive: RunArchive, namespace: string): RunArchive {
  const { start, request } = archive;
  if (start.namespace === namespace) return archive;
  const scope = request?.scope.split("\u001f").with(0, namespace).join("\u001f") ?? "";
  return {
    ...archive,
    start: { ...start, namespace },
    request: request === null ? null : { ...request, scope },
  };
}

// True for a run that is there, and is the same. Errors: CLAW-4063.
async function isKnown(look: StoreLook, archive: RunArchive): Promise<boolean> {
  const { id } = archive.start;
  const there = await look.archive(id);
  if (there === null) return false;
  const why = sameRun(archive, there);
  if (why === null) return true;
  const detail = `${id} is in the store as another run: ${why}`;
  throw new ClawError("CLAW-4063", detail, { details: { run: id } });
}

// The state of a key is that of all its runs: here it must be the same, or there must be nothing of the key.
async function checkKey(look: StoreLook, archive: RunArchive, read: RunArchive): Promise<void> {
  const { start, open } = archive;
  const key = open?.key ?? null;
  if (key === null) return;
  const here = await look.key({ ...start, key: key.key });
  const refuse = (why: string): never => {
    const detail = `${start.id} is of the key ${JSON.stringify(key.key)}, ${why}`;
    throw new ClawError("CLAW-4067", detail, { details: { run: start.id, key: key.key } });
  };
  if (here !== null && here.state !== key.state) refuse("which has another state here");
  if (!isCoded(key.state)) return;
  if ((readCoded(key.state)?.blob ?? null) !== null) refuse("whose state is too large to be moved");
  const isMoved = read.start.namespace !== start.namespace;
  if (isMoved) refuse("whose state is encoded for its own namespace");
}

function collectCodecs(archive: RunArchive, codecs: Set<string>): void {
  for (const [payload] of codedOf(archive)) {
    for (const name of readCoded(payload)?.codecs ?? []) if (!READABLE.has(name)) codecs.add(name);
  }
}

/** Lets the runs of an import go on that nobody has resumed yet; answers how many. */
async function letGoOn(node: Node, runs: readonly RunId[]): Promise<number> {
  let resumed = 0;
  for (const id of runs) {
    const found = await node.store.find(id);
    if (found?.status !== "paused" || !found.reason.startsWith(HELD)) continue;
    await resumeRun(node, id);
    resumed++;
  }
  return resumed;
}

/** Carries runs into the store, one after the other. */
class Carrier {
  readonly #node: Node;
  readonly #plan: Plan;
  readonly #options: ImportOptions;
  /** The run that is read, if it is to be imported. */
  #archive: RunArchive | null = null;
  /** Its large values that are sealed here: what they become, by what they were. */
  #sealed = new Map<Payload, Payload>();
  #plain: Uint8Array[] = [];
  #done = 0;
  held = 0;
  readonly keysTaken: RunId[] = [];
  /** Keys that have runs of this import, or had some before. */
  readonly #keys = new Set<string>();

  constructor(node: Node, plan: Plan, options: ImportOptions) {
    this.#node = node;
    this.#plan = plan;
    this.#options = options;
  }

  async take(piece: ExportPiece): Promise<void> {
    if (piece.type === "run") {
      const { id } = piece.archive.start;
      const isNew = !this.#plan.known.has(id);
      this.#archive = isNew ? inNamespace(piece.archive, this.#node.namespace) : null;
      this.#sealed = new Map();
    } else if (piece.type === "blob") {
      if (this.#archive !== null) await this.#carry(this.#archive, piece);
    } else if (piece.type === "whole") {
      if (this.#archive !== null) await this.#write(this.#archive);
      this.#archive = null;
      const of = this.#plan.header.runs;
      this.#options.onProgress?.({ runs: ++this.#done, of, bytes: piece.bytesRead });
    }
  }

  /** Large values of a run that did not come whole belong to nobody. */
  async giveUp(): Promise<void> {
    if (this.#archive === null || !this.#node.available) return;
    await this.#node.store.blobs.remove([this.#archive.start.id]);
  }

  async #carry(archive: RunArchive, part: ExportPiece & { type: "blob" }): Promise<void> {
    const { run, id, n, bytes, isLast } = part;
    const { store, sealer } = this.#node;
    const own = sealer.hasCodecs ? plainOf(archive, id) : null;
    if (own === null) return store.blobs.stage({ run, id, n, bytes });
    // This store encodes what it holds: the value is sealed as if it were new.
    this.#plain.push(bytes);
    if (!isLast) return;
    const [payload, place] = own;
    const text = Buffer.concat(this.#plain).toString();
    this.#plain = [];
    const blobs: SealedBlob[] = [];
    this.#sealed.set(payload, await sealer.seal(text, place, blobs));
    for (const blob of blobs) await store.blobs.stage({ ...blob, n: 0 });
  }

  // The first run of a key that nobody has here brings its state along.
  async #withState(archive: RunArchive, item: Transition): Promise<Transition> {
    const { start, open } = archive;
    const key = open?.key ?? null;
    if (key === null) return item;
    const { namespace, workflow } = start;
    const name = { namespace, workflow, key: key.key };
    const known = [namespace, workflow, key.key].join("\u001f");
    if (this.#keys.has(known)) return item;
    this.#keys.add(known);
    const here = await this.#node.store.key(name, 1);
    if (key.state === "" || (here !== null && (here.head !== "" || here.state !== ""))) return item;
    return { ...item, rare: { ...item.rare, keyState: { ...name, state: key.state } } };
  }

  async #write(read: RunArchive): Promise<void> {
    const node = this.#node;
    const sealed = this.#sealed;
    const archive =
      sealed.size === 0
        ? read
        : await changeCoded(read, async (payload) => sealed.get(payload) ?? payload);
    node.mustBeAvailable();
    const moved = transitionOf(archive, this.#plan.lastEvent, node.clock.now());
    const item = await this.#withState(archive, moved);
    let answer = await node.request(item);
    if (answer.status === "duplicate") {
      this.keysTaken.push(archive.start.id);
      answer = await node.request({ ...item, dedup: null });
    }
    if (answer.status === "applied") {
      if (archive.open !== null) this.held++;
      return;
    }
    const detail = answer.status === "refused" ? answer.detail : "";
    throw new ClawError("CLAW-4063", `${archive.start.id} was refused: ${detail}`);
  }
}

function queueOf({ key, waitingMax, onHeldHead }: ArchivedKey): RunKey {
  return { key, waitingMax, onHeldHead };
}

// The payload that refers to a large value which no codec made.
function plainOf(
  archive: RunArchive,
  id: string,
): ReturnType<typeof codedOf> extends Generator<infer Place> ? Place | null : never {
  for (const one of codedOf(archive)) {
    const coded = readCoded(one[0]);
    if (coded?.blob?.id === id && coded.codecs.length === 0) return one;
  }
  return null;
}

const NOTHING = {
  acks: [],
  waits: [],
  unwaits: [],
  starts: [],
  events: [],
  hold: null,
  park: null,
  finish: null,
} as const;

function transitionOf(archive: RunArchive, lastEvent: number, nowMs: number): Transition {
  const { start, request, open, ending, generations, attributes, streams } = archive;
  const { id, namespace, startedAt } = start;
  const moved = open === null ? archive : withMove(archive, open.inbox, lastEvent, nowMs);
  const entries = textOf(moved.journal, moved.seq, startedAt);
  const past = generations.map(({ journal, ...one }) => ({
    ...one,
    journal: textOf(journal, journal.at(-1)?.seq ?? 0, startedAt),
  }));
  const isPacked = entries.length <= limits.PACKED_JOURNAL_CHARS_MAX;
  return {
    ...NOTHING,
    type: "transition",
    run: id,
    namespace,
    startedAt,
    start: open?.key ? { ...start, keyed: queueOf(open.key) } : start,
    dedup: request !== null && request.expiresAt > nowMs ? request : null,
    entries,
    firstSeq: 1,
    seq: moved.seq,
    messages: open?.inbox ?? [],
    phase: open?.phase === "compensating" ? "compensating" : null,
    hold: open === null ? null : { kind: "paused", reason: reasonOf(open) },
    finish: ending && {
      start,
      ending,
      journal: isPacked ? entries : null,
      hadJournal: false,
      hadWaits: false,
      hadInbox: false,
    },
    rare: {
      ...(past.length === 0 ? {} : { past }),
      ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
      ...(streams.heads.length === 0 ? {} : { streams }),
    },
  };
}

// What an operator paused is paused here as well, and only by its own reason.
function reasonOf({ held, heldReason }: NonNullable<RunArchive["open"]>): string {
  if (held === "queued") return HELD;
  if (held === "paused") return heldReason.startsWith(HELD) ? HELD : heldReason;
  return held === "" ? HELD : `${HELD}, where it was held as ${held}: ${heldReason}`;
}

function withMove(
  archive: RunArchive,
  inbox: NonNullable<RunArchive["open"]>["inbox"],
  lastEvent: number,
  nowMs: number,
): Pick<RunArchive, "journal" | "seq"> {
  const { journal, start, seq } = archive;
  const calls = inbox.filter(({ kind }) => kind === "event").map(({ name }) => name);
  const note: MoveNote = { at: nowMs, events: lastEvent, ...(calls.length === 0 ? {} : { calls }) };
  const entry: Entry = {
    seq: seq + 1,
    at: Math.max(nowMs, journal.at(-1)?.at ?? start.startedAt),
    kind: ENTRY_KINDS.moved,
    call: "",
    attempt: 1,
    print: "",
    data: JSON.stringify(note),
  };
  return { journal: [...journal, entry], seq: entry.seq };
}

function textOf(journal: readonly Entry[], seq: number, startedAt: number): string {
  let text = "";
  let next = 1;
  for (const entry of journal) {
    if (entry.seq > next) text += encodeGap(entry.seq - next);
    text += encodeEntry(entry, startedAt);
    next = entry.seq + 1;
  }
  return next > seq ? text : text + encodeGap(seq - next + 1);
}
