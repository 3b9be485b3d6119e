import {
  ARCHIVE_VERSION,
  type ChunkBlock,
  ClawError,
  type Entry,
  type Generation,
  type InboxRow,
  type RunArchive,
  type RunId,
  type StreamHead,
} from "@claw/core/protocol";
import {
  checkArchive,
  readEntry,
  readGeneration,
  readMessage,
  readRunLine,
} from "./check-archive.ts";
import { readChunks, readStream } from "./check-streams.ts";
import { fieldsOf, instantOf, lineOf, nameOf, oneOf, wholeOf, Wrong } from "./check-text.ts";
import { damaged, EXPORT_FORMAT, LineReader, type ReadRecord } from "./export-lines.ts";
import type { ExportHeader } from "./export-records.ts";
import { blobsOf } from "./payloads.ts";

/** What an export is read as, in the order of its lines. */
export type ExportPiece =
  | { readonly type: "header"; readonly header: ExportHeader }
  /** All records of a run but its large payloads, which follow. */
  | { readonly type: "run"; readonly archive: RunArchive }
  | {
      readonly type: "blob";
      readonly run: RunId;
      readonly id: string;
      /** From 0. */
      readonly n: number;
      readonly bytes: Uint8Array;
      readonly isLast: boolean;
    }
  /** What was read of the run is what was written. */
  | { readonly type: "whole"; readonly run: RunId; readonly bytesRead: number };

const RUNS_MAX = 2 ** 40;
/** The order of records in a run; entries and generations take turns. */
const PLACES: Readonly<Record<string, number>> = {
  entry: 0,
  generation: 0,
  stream: 1,
  chunks: 2,
  message: 3,
};
const PART_BYTES_MAX = 1024 * 1024;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Reads an export and checks everything that it says. Whoever acts on a run waits for its `whole`; whoever acts on
 * nothing unless the file is whole reads it to its end first.
 * Errors: CLAW-4061 names the line and what is wrong there, CLAW-4062.
 */
export async function* readExport(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ExportPiece> {
  const lines = new LineReader(bytes);
  const state = new ExportState(lines);
  for await (const record of lines.records()) {
    try {
      yield* state.take(record);
    } catch (error) {
      throw error instanceof Wrong ? damaged(record.line, error.message) : error;
    }
  }
  if (!state.isWhole) throw damaged(lines.line + 1, "the file ends before its last line");
}

/** A run whose records are being read. */
interface OpenRun {
  readonly base: Omit<RunArchive, "journal" | "generations" | "streams">;
  readonly journal: Entry[];
  readonly generations: (Omit<Generation, "journal"> & { journal: Entry[] })[];
  readonly heads: StreamHead[];
  readonly blocks: ChunkBlock[];
  readonly inbox: InboxRow[];
  /** How far in the order of PLACES its records have come. */
  place: number;
  /** Sizes of large payloads that have not been read, by id; null until all other records were. */
  blobs: Map<string, number> | null;
  /** The large payload that is being read. */
  blob: { readonly id: string; n: number; left: number } | null;
}

class ExportState {
  readonly #lines: LineReader;
  readonly #ids = new Set<RunId>();
  #header: ExportHeader | null = null;
  #run: OpenRun | null = null;
  isWhole = false;

  constructor(lines: LineReader) {
    this.#lines = lines;
  }

  *take({ value }: ReadRecord): Generator<ExportPiece> {
    if (this.isWhole) throw new Wrong("there is something after the last line");
    if (this.#header === null) {
      this.#header = readHeader(value);
      this.#lines.nextRun();
      yield { type: "header", header: this.#header };
      return;
    }
    const [[name, content] = ["", null], second] = Object.entries(value);
    if (second !== undefined) throw new Wrong("it is no record of an export");
    if (name === "run") this.#begin(content, this.#header);
    else if (name === "end") yield* this.#end(content, this.#header);
    else if (name === "blob") yield* this.#blob(content, this.#openRun());
    else this.#record(name, content, this.#openRun());
  }

  #openRun(): OpenRun {
    if (this.#run === null) throw new Wrong("it belongs to no run");
    return this.#run;
  }

  #begin(content: unknown, { namespace }: ExportHeader): void {
    if (this.#run !== null) throw new Wrong("the run before is not ended");
    const base = readRunLine(content, namespace);
    const { id } = base.start;
    if (this.#ids.has(id)) throw new Wrong(`the run ${id} is there twice`);
    this.#ids.add(id);
    const lists = { journal: [], generations: [], heads: [], blocks: [], inbox: [] };
    this.#run = { base, ...lists, place: 0, blobs: null, blob: null };
  }

  #record(name: string, content: unknown, run: OpenRun): void {
    const { start } = run.base;
    if (run.blobs !== null) throw new Wrong("it is not at its place");
    const place = PLACES[name] ?? 0;
    if (place < run.place) throw new Wrong("it is not at its place");
    run.place = place;
    if (name === "entry") {
      (run.generations.at(-1) ?? run).journal.push(readEntry(content, start));
    } else if (name === "generation") {
      run.generations.push({ ...readGeneration(content, start), journal: [] });
    } else if (name === "stream") {
      run.heads.push(readStream(content));
    } else if (name === "chunks") {
      run.blocks.push(readChunks(content, start));
    } else if (name === "message") {
      if (run.base.open === null) throw new Wrong("a run that has ended has no messages");
      run.inbox.push(readMessage(content, start));
    } else {
      throw new Wrong("it is no record of an export");
    }
  }

  *#settle(run: OpenRun): Generator<ExportPiece> {
    if (run.blobs !== null) return;
    const { base, journal, generations, inbox, heads, blocks } = run;
    const open = base.open && { ...base.open, inbox };
    const archive: RunArchive = { ...base, open, journal, generations, streams: { heads, blocks } };
    checkArchive(archive);
    run.blobs = new Map(blobsOf(archive));
    yield { type: "run", archive };
  }

  *#blob(content: unknown, run: OpenRun): Generator<ExportPiece> {
    yield* this.#settle(run);
    const { id, n, base64 } = fieldsOf(content, "the part", "id n base64");
    if (typeof base64 !== "string" || !BASE64.test(base64)) throw new Wrong("it is no base64");
    const bytes = Buffer.from(base64, "base64");
    if (bytes.length === 0 || bytes.length > PART_BYTES_MAX)
      throw new Wrong("a part has no such size");
    const size = run.blobs?.get(String(id));
    run.blob ??= size === undefined ? null : { id: String(id), n: 0, left: size };
    const { blob } = run;
    if (blob === null || blob.id !== id || blob.n !== n || blob.left < bytes.length) {
      throw new Wrong("the part does not fit what the run refers to");
    }
    blob.n++;
    blob.left -= bytes.length;
    const isLast = blob.left === 0;
    if (isLast) {
      run.blobs?.delete(blob.id);
      run.blob = null;
    }
    const place = { run: run.base.start.id, id: blob.id, n: blob.n - 1 };
    yield { type: "blob", ...place, bytes, isLast };
  }

  *#end(content: unknown, header: ExportHeader): Generator<ExportPiece> {
    if (this.#run === null) {
      const { runs, sha256 } = fieldsOf(content, "the end", "runs sha256");
      if (runs !== this.#ids.size || runs !== header.runs) throw new Wrong("runs are missing");
      if (sha256 !== this.#lines.fileSoFar)
        throw new Wrong("the file was changed: its digest differs");
      this.isWhole = true;
      return;
    }
    const run = this.#run;
    yield* this.#settle(run);
    const { run: id, lines, sha256 } = fieldsOf(content, "the end", "run lines sha256");
    const read = this.#lines.runSoFar;
    if (id !== run.base.start.id || lines !== read.lines || sha256 !== read.digest) {
      throw new Wrong("the run was changed: its digest differs");
    }
    if (run.blobs !== null && run.blobs.size > 0) throw new Wrong("a large value is missing");
    this.#lines.nextRun();
    this.#run = null;
    yield { type: "whole", run: id, bytesRead: this.#lines.bytesRead };
  }
}

function readHeader(value: Readonly<Record<string, unknown>>): ExportHeader {
  if (value["claw"] !== "export") throw new Wrong("this is no export of runs");
  const format = wholeOf(value["format"], "format", 1, RUNS_MAX);
  const archive = wholeOf(value["archive"], "archive", 1, RUNS_MAX);
  if (format > EXPORT_FORMAT || archive > ARCHIVE_VERSION) {
    const known = `this one knows ${EXPORT_FORMAT}.${ARCHIVE_VERSION}`;
    throw new ClawError("CLAW-4062", `The export is of version ${format}.${archive}, ${known}`);
  }
  const names = "claw format archive store namespace exportedAt runs payloads";
  const header = fieldsOf(value, "the header", names);
  return {
    claw: "export",
    format,
    archive,
    store: lineOf(header["store"], "store"),
    namespace: nameOf(header["namespace"], "namespace"),
    exportedAt: instantOf(header["exportedAt"], "exportedAt"),
    runs: wholeOf(header["runs"], "runs", 0, RUNS_MAX),
    payloads: oneOf(header["payloads"], "payloads", ["stored", "plain"]),
  };
}
