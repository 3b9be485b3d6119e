import {
  type ArchivedStreams,
  type ChunkBlock,
  isCoded,
  limits,
  type StartRow,
  type StreamHead,
} from "@claw/core/protocol";
import { fieldsOf, instantOf, lineOf, nameOf, payloadOf, wholeOf, Wrong } from "./check-text.ts";

const SEQ_MAX = 2 ** 40;

/** A stream of a run. Throws Wrong. */
export function readStream(given: unknown): StreamHead {
  const head = fieldsOf(given, "the stream", "name chunks bytes last closed");
  if (typeof head["closed"] !== "boolean") throw new Wrong("closed is no boolean");
  return {
    name: nameOf(head["name"], "name"),
    chunks: wholeOf(head["chunks"], "chunks", 0, SEQ_MAX),
    bytes: wholeOf(head["bytes"], "bytes", 0, SEQ_MAX),
    last: wholeOf(head["last"], "last", 0, SEQ_MAX),
    closed: head["closed"],
  };
}

/** What was written to a stream of a run at once. Throws Wrong. */
export function readChunks(given: unknown, { id }: StartRow): ChunkBlock {
  const block = fieldsOf(given, "chunks", "stream seq count call attempt first at data");
  const { payload, decoded } = payloadOf(block["data"], "data", id);
  const count = wholeOf(block["count"], "count", 1, SEQ_MAX);
  const fits = isCoded(payload) || (Array.isArray(decoded) && decoded.length === count);
  if (!fits) throw new Wrong(`data is no list of ${count} values`);
  return {
    stream: nameOf(block["stream"], "stream"),
    seq: wholeOf(block["seq"], "seq", 1, SEQ_MAX),
    count,
    call: lineOf(block["call"], "call"),
    attempt: wholeOf(block["attempt"], "attempt", 1, limits.ATTEMPTS_MAX),
    first: wholeOf(block["first"], "first", 1, SEQ_MAX),
    at: instantOf(block["at"], "at"),
    data: payload,
  };
}

/** Checks that chunks are numbered over all streams, and that each stream counts its own. Throws Wrong. */
export function checkStreams({ heads, blocks }: ArchivedStreams): void {
  const left = new Map(heads.map((head) => [head.name, head.chunks]));
  if (left.size < heads.length) throw new Wrong("a stream is there twice");
  let next = 1;
  for (const { stream, seq, count } of blocks) {
    if (seq < next) throw new Wrong("its chunks are not in order");
    next = seq + count;
    left.set(stream, (left.get(stream) ?? -1) - count);
  }
  for (const [name, rest] of left) {
    if (rest !== 0) throw new Wrong(`the stream ${name} has other chunks than it counts`);
  }
}
