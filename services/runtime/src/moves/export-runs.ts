import type { StoreLook } from "@claw/core/ports";
import {
  ARCHIVE_VERSION,
  ClawError,
  fingerprint,
  limits,
  type Payload,
  type RunArchive,
  type RunId,
  type RunStatus,
  utf8Bytes,
  writeCoded,
} from "@claw/core/protocol";
import type { Sealer } from "../payloads/sealer.ts";
import { EXPORT_FORMAT, LineWriter } from "./export-lines.ts";
import { type ExportHeader, recordsOf } from "./export-records.ts";
import { familiesOf } from "./families.ts";
import { blobsOf, changeCoded, codedOf } from "./payloads.ts";

/** Which runs to export: those named, else those that the query names. */
export interface ExportSelection {
  /** Errors: CLAW-3001 for an unknown one. */
  readonly runs?: readonly RunId[];
  /** Name of it, in any version. Default: all. */
  readonly workflow?: string;
  /** Default: all. */
  readonly status?: RunStatus;
  /** Started at or after, milliseconds since 1970. */
  readonly since?: number;
}

/** How far an export or an import has come. */
export interface MoveProgress {
  /** How many were written or read so far. */
  readonly runs: number;
  /** How many there are; null while that is not known. */
  readonly of: number | null;
  /** How many bytes of the file so far. */
  readonly bytes: number;
}

/** What an export is made of. */
export interface ExportSource {
  /** The state of the store that is exported. */
  readonly look: StoreLook;
  /** Whose runs; those of others are left out. */
  readonly namespace: string;
  /** Kind and schema version of the store, for people. */
  readonly store: string;
  /** When the file is written, milliseconds since 1970. */
  readonly nowMs: number;
  /** Opens every payload: what was encrypted is written in the clear. Default: null, payloads stay as they are stored. */
  readonly sealer?: Sealer | null;
  /** Told from time to time. Default: nobody. */
  readonly onProgress?: (progress: MoveProgress) => void;
}

const PAGE_RUNS = 500;
/** Bytes of a large payload on one line. */
const PART_BYTES = 192 * 1024;
/** Characters that are handed over at once. */
const CHUNK_CHARS = 64 * 1024;

/**
 * Writes runs as text, a chunk of lines at a time; never more than one run's journal and one part of a large payload are in
 * memory (with `sealer`: one large payload). With an open run come the runs that it cannot do without.
 * Errors: CLAW-3001, CLAW-4002, CLAW-4011.
 */
export async function* exportRuns(
  source: ExportSource,
  selection: ExportSelection = {},
): AsyncGenerator<string> {
  const { look, namespace, store, nowMs, sealer = null, onProgress } = source;
  // Oldest first: so parents come before children, and runs of a key in the order in which they came.
  const chosen = (await chosenRuns(look, namespace, selection)).sort();
  const ids = await inQueueOrder(look, await familiesOf(look, chosen));
  const requests = await look.requests(new Set(ids));
  const header: ExportHeader = {
    claw: "export",
    format: EXPORT_FORMAT,
    archive: ARCHIVE_VERSION,
    store,
    namespace,
    exportedAt: nowMs,
    runs: ids.length,
    payloads: sealer === null ? "stored" : "plain",
  };
  const writer = new LineWriter();
  let chunk = writer.line(header);
  let bytes = 0;
  for (const [at, id] of ids.entries()) {
    const archive = await look.archive(id);
    if (archive === null) throw new ClawError("CLAW-3001", `There is no run ${id}`);
    const whole = { ...archive, request: requests.get(id) ?? null };
    for await (const lines of runLines(look, whole, writer, sealer)) {
      chunk += lines;
      if (chunk.length < CHUNK_CHARS) continue;
      bytes += chunk.length;
      yield chunk;
      chunk = "";
      onProgress?.({ runs: at, of: ids.length, bytes });
    }
  }
  const end = { runs: ids.length, sha256: writer.endFile() };
  yield chunk + writer.line({ end });
}

// Runs of one key take the places that they have among others in the order of their numbers.
async function inQueueOrder(look: StoreLook, ids: readonly RunId[]): Promise<readonly RunId[]> {
  const queues = new Map<string, { at: number; seq: number; id: RunId }[]>();
  for (const [at, id] of ids.entries()) {
    const archive = await look.archive(id);
    const key = archive?.open?.key ?? null;
    if (archive === null || key === null) continue;
    const name = `${archive.start.workflow}\u001f${key.key}`;
    queues.set(name, [...(queues.get(name) ?? []), { at, seq: key.seq, id }]);
  }
  const ordered = [...ids];
  for (const queue of queues.values()) {
    const places = queue.map(({ at }) => at);
    const bySeq = queue.toSorted((a, b) => a.seq - b.seq);
    for (const [n, at] of places.entries()) ordered[at] = bySeq[n]?.id ?? "";
  }
  return ordered;
}

async function chosenRuns(
  look: StoreLook,
  namespace: string,
  { runs, ...filter }: ExportSelection,
): Promise<RunId[]> {
  if (runs !== undefined) {
    for (const id of runs) {
      const found = await look.archive(id);
      if (found?.start.namespace === namespace) continue;
      throw new ClawError("CLAW-3001", `There is no run ${id}`);
    }
    return [...runs];
  }
  const chosen: RunId[] = [];
  const query = { ...filter, namespace, limit: PAGE_RUNS };
  let page = await look.list(query);
  for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
    for (const { id } of page) chosen.push(id);
    page = await look.list({ ...query, before: last.id });
  }
  return chosen;
}

async function* runLines(
  look: StoreLook,
  stored: RunArchive,
  writer: LineWriter,
  sealer: Sealer | null,
): AsyncGenerator<string> {
  const { id } = stored.start;
  const opened = new Map<string, Payload>();
  const archive = sealer === null ? stored : await openAll(stored, sealer, opened);
  writer.beginRun();
  for (const record of recordsOf(archive)) yield writer.line(record);
  for (const [blob, bytes] of blobsOf(archive)) {
    const from = opened.get(blob);
    const isOpened = from !== undefined && sealer !== null;
    const parts = isOpened
      ? [Buffer.from(await reopen(stored, from, sealer))]
      : look.blob(id, blob);
    yield* blobLines(id, blob, bytes, parts, writer);
  }
  const { lines, digest } = writer.endRun();
  yield writer.line({ end: { run: id, lines, sha256: digest } });
}

// Small values stand in their records; of a large one only what it was is kept until its lines are written.
function openAll(
  archive: RunArchive,
  sealer: Sealer,
  opened: Map<string, Payload>,
): Promise<RunArchive> {
  const run = archive.start.id;
  return changeCoded(archive, async (payload, place) => {
    const text = await sealer.open(payload, place);
    const bytes = utf8Bytes(text);
    if (bytes <= limits.INLINE_BYTES_MAX) return text;
    const id = fingerprint(`${place.part} ${payload}`);
    opened.set(id, payload);
    return writeCoded({ codecs: [], base64: "", blob: { run, id, bytes } });
  });
}

async function reopen(stored: RunArchive, payload: Payload, sealer: Sealer): Promise<Payload> {
  for (const [one, place] of codedOf(stored)) if (one === payload) return sealer.open(one, place);
  throw new ClawError("CLAW-4011", "A value was there and is not any more");
}

async function* blobLines(
  run: RunId,
  id: string,
  bytes: number,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  writer: LineWriter,
): AsyncGenerator<string> {
  let n = 0;
  let written = 0;
  for await (const part of parts) {
    for (let at = 0; at < part.length; at += PART_BYTES) {
      const piece = Buffer.from(part.subarray(at, at + PART_BYTES));
      yield writer.line({ blob: { id, n: n++, base64: piece.toString("base64") } });
      written += piece.length;
    }
  }
  if (written === bytes) return;
  throw new ClawError("CLAW-4011", `The blob ${id} of ${run} has ${written} bytes of ${bytes}`);
}
