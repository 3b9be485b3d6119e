import { type ClawError, type Payload, type StreamHead, utf8Bytes } from "../../protocol/index.ts";
import { rareOf } from "../draft.ts";
import { draftOf, type RunState } from "../run-state.ts";
import { type StreamBounds, streamsOf, whyFull } from "../streams.ts";

/** Chunks of one writer for one stream, encoded. */
export interface NewChunks {
  readonly stream: string;
  readonly values: readonly Payload[];
  /** Bytes of the values. */
  readonly bytes: number;
  readonly call: string;
  readonly attempt: number;
  /** Number of the first chunk that this start of the body wrote; 0 when these are its first. */
  readonly first: number;
}

/** Writes chunks with the next transition; answers the number of the first that their writer wrote. */
export function writeChunks(run: RunState, chunks: NewChunks, nowMs: number): number {
  const { stream, values, bytes, call, attempt } = chunks;
  const streams = streamsOf(run);
  const before = streams.heads.get(stream);
  const seq = streams.last + 1;
  const first = chunks.first === 0 ? seq : chunks.first;
  streams.last += values.length;
  streams.chunks += values.length;
  streams.bytes += bytes;
  const at = Math.max(nowMs, run.lastAt);
  const data = `[${values.join(",")}]`;
  const changes = changesOf(run);
  changes.blocks.push({ stream, seq, count: values.length, call, attempt, first, at, data });
  putHead(run, {
    name: stream,
    chunks: (before?.chunks ?? 0) + values.length,
    bytes: (before?.bytes ?? 0) + bytes,
    last: streams.last,
    closed: false,
  });
  return first;
}

/** A chunk of workflow code; what forbids it is its answer. A chunk of undefined is null. */
export function writeFromCode(
  run: RunState,
  call: { readonly id: string },
  plan: { readonly stream: string; readonly value: Payload | null; readonly bounds: StreamBounds },
  nowMs: number,
): ClawError | null {
  const { stream, value, bounds } = plan;
  const bytes = value === null ? 0 : utf8Bytes(value);
  const refusal = whyFull(run, stream, { chunks: value === null ? 0 : 1, bytes }, bounds);
  if (refusal !== null) {
    // Closed is closed: to close it again changes nothing.
    return value === null && refusal.code === "CLAW-2052" ? null : refusal;
  }
  if (value === null) closeStream(run, stream);
  else {
    const values = [value === "" ? "null" : value];
    writeChunks(run, { stream, values, bytes, call: call.id, attempt: 1, first: 0 }, nowMs);
  }
  return null;
}

function closeStream(run: RunState, name: string): void {
  const before = streamsOf(run).heads.get(name) ?? { name, chunks: 0, bytes: 0, last: 0 };
  putHead(run, { ...before, closed: true });
}

function putHead(run: RunState, head: StreamHead): void {
  streamsOf(run).heads.set(head.name, head);
  const { heads } = changesOf(run);
  const at = heads.findIndex(({ name }) => name === head.name);
  if (at < 0) heads.push(head);
  else heads[at] = head;
}

function changesOf(run: RunState): NonNullable<ReturnType<typeof rareOf>["streams"]> {
  const rare = rareOf(draftOf(run));
  rare.streams ??= { blocks: [], heads: [] };
  return rare.streams;
}
