import { createHash, type Hash } from "node:crypto";
import { ClawError } from "@claw/core/protocol";

/**
 * Lines of an export: one JSON object each. A record whose text is longer than a line may be is split: lines
 * `{"part": text}` and a last `{"last": text}`, whose texts joined are the record.
 */

/** Version of the lines and of the records on them. */
export const EXPORT_FORMAT = 1;
/** Characters of a record that stand on one line; of longer ones, characters of a part. */
const LINE_CHARS_MAX = 512 * 1024;
/** Bytes of one line as it is read: a part with every character escaped, and some room. */
const LINE_BYTES_MAX = 6 * LINE_CHARS_MAX + 1024;
/** Characters of one record: an entry with the largest payload that a row can hold, escaped. */
const RECORD_CHARS_MAX = 256 * 1024 * 1024;

/** The error of an export that cannot be read; `line` from 1. */
export function damaged(line: number, why: string): ClawError {
  return new ClawError("CLAW-4061", `Line ${line}: ${why}`, { details: { line } });
}

/** Makes the lines of an export and digests of them. */
export class LineWriter {
  readonly #file = createHash("sha256");
  #run: Hash | null = null;
  #runLines = 0;

  /** The text of a record, with the end of its line. */
  line(record: object): string {
    return this.raw(JSON.stringify(record));
  }

  /** The same for a record that is text already. */
  raw(text: string): string {
    if (text.length <= LINE_CHARS_MAX) return this.#take(text);
    let lines = "";
    for (let at = 0; at < text.length; at += LINE_CHARS_MAX) {
      const piece = text.slice(at, at + LINE_CHARS_MAX);
      const isLast = at + LINE_CHARS_MAX >= text.length;
      lines += this.#take(JSON.stringify(isLast ? { last: piece } : { part: piece }));
    }
    return lines;
  }

  beginRun(): void {
    this.#run = createHash("sha256");
    this.#runLines = 0;
  }

  /** How many lines the run has, and their digest. */
  endRun(): { readonly lines: number; readonly digest: string } {
    const digest = this.#run?.digest("hex") ?? "";
    this.#run = null;
    return { lines: this.#runLines, digest };
  }

  /** Digest of all lines so far. */
  endFile(): string {
    return this.#file.copy().digest("hex");
  }

  #take(text: string): string {
    const line = `${text}\n`;
    this.#file.update(line);
    this.#run?.update(line);
    this.#runLines++;
    return line;
  }
}

/** A record with the number of the line on which it ends. */
export interface ReadRecord {
  readonly line: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Reads lines and digests them as `LineWriter` does. */
export class LineReader {
  readonly #bytes: AsyncIterable<Uint8Array>;
  readonly #file = createHash("sha256");
  #run = createHash("sha256");
  #runLines = 0;
  #restarts = false;
  line = 0;
  bytesRead = 0;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#bytes = bytes;
  }

  /** The records, in order. Errors: CLAW-4061. */
  async *records(): AsyncGenerator<ReadRecord> {
    let text = "";
    let isSplit = false;
    for await (const bytes of this.#lines()) {
      this.line++;
      const value = this.#parse(bytes);
      const keys = Object.keys(value);
      const piece = value["part"] ?? value["last"];
      const isPart = keys.length === 1 && typeof piece === "string";
      if (!isPart) {
        if (isSplit) throw damaged(this.line, "a record that was split is not ended");
        yield { line: this.line, value };
      } else {
        isSplit = true;
        text += piece;
        if (text.length > RECORD_CHARS_MAX) throw damaged(this.line, "a record is too long");
        if (keys[0] === "last") {
          yield { line: this.line, value: parseObject(text, this.line) };
          text = "";
          isSplit = false;
        }
      }
      this.#digest(bytes);
    }
    if (isSplit) throw damaged(this.line, "the file ends inside of a record");
  }

  /** The lines after the current one are those of the next run. */
  nextRun(): void {
    this.#restarts = true;
  }

  /** Lines of the run before the current one, and their digest. */
  get runSoFar(): { readonly lines: number; readonly digest: string } {
    return { lines: this.#runLines, digest: this.#run.copy().digest("hex") };
  }

  /** Digest of all lines before the current one. */
  get fileSoFar(): string {
    return this.#file.copy().digest("hex");
  }

  #digest(bytes: Uint8Array): void {
    this.#file.update(bytes);
    this.#file.update("\n");
    if (this.#restarts) {
      this.#run = createHash("sha256");
      this.#runLines = 0;
      this.#restarts = false;
      return;
    }
    this.#run.update(bytes);
    this.#run.update("\n");
    this.#runLines++;
  }

  #parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
    let text: string;
    try {
      text = UTF8.decode(bytes);
    } catch {
      throw damaged(this.line, "it is not UTF-8");
    }
    return parseObject(text, this.line);
  }

  async *#lines(): AsyncGenerator<Uint8Array> {
    let pieces: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this.#bytes) {
      this.bytesRead += chunk.length;
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        pieces.push(chunk.subarray(from, at));
        yield Buffer.concat(pieces);
        pieces = [];
        length = 0;
        from = at + 1;
      }
      // A copy: the reader of the file may use its buffer again.
      const rest = Uint8Array.from(chunk.subarray(from));
      length += rest.length;
      if (length > LINE_BYTES_MAX) throw damaged(this.line + 1, "it is too long");
      if (rest.length > 0) pieces.push(rest);
    }
    if (length > 0) throw damaged(this.line + 1, "the file ends inside of it");
  }
}

const NEWLINE = 0x0a;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parseObject(text: string, line: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch {
    throw damaged(line, "it is not JSON");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw damaged(line, "it is no object");
}
