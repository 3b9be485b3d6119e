import { ClawError, limits, type StreamHead } from "../protocol/index.ts";
import type { RunState } from "./run-state.ts";

/** What a run knows of its streams; made with the first chunk, or when the store knows of one. */
export interface Streams {
  readonly heads: Map<string, StreamHead>;
  /** Number of the last chunk of all of them. */
  last: number;
  /** Chunks and bytes of all of them. */
  chunks: number;
  bytes: number;
}

/** What all streams of a run together may hold. */
export interface StreamBounds {
  readonly chunksMax: number;
  readonly bytesMax: number;
}

/** The streams of a run, begun if there are none. */
export function streamsOf(run: RunState): Streams {
  run.streams ??= { heads: new Map(), last: 0, chunks: 0, bytes: 0 };
  return run.streams;
}

/** Takes up what the store knows of the streams of a run. */
export function takeHeads(run: RunState, heads: readonly StreamHead[]): void {
  const streams = streamsOf(run);
  for (const head of heads) {
    streams.heads.set(head.name, head);
    streams.last = Math.max(streams.last, head.last);
    streams.chunks += head.chunks;
    streams.bytes += head.bytes;
  }
}

/** Why a stream takes no more chunks, with what waits to be written counted in; null when it does. */
export function whyFull(
  run: RunState,
  stream: string,
  more: { readonly chunks: number; readonly bytes: number },
  bounds: StreamBounds,
): ClawError | null {
  const { streams } = run;
  const { id } = run.start;
  const head = streams?.heads.get(stream);
  if (head?.closed === true) {
    return new ClawError("CLAW-2052", `The stream "${stream}" of ${id} is closed`);
  }
  if (head === undefined && (streams?.heads.size ?? 0) >= limits.STREAMS_MAX) {
    return new ClawError("CLAW-2051", `Run ${id} has ${limits.STREAMS_MAX} streams already`);
  }
  if ((streams?.chunks ?? 0) + more.chunks > bounds.chunksMax) {
    return new ClawError("CLAW-2051", `The streams of ${id} have ${bounds.chunksMax} chunks`);
  }
  if ((streams?.bytes ?? 0) + more.bytes > bounds.bytesMax) {
    return new ClawError("CLAW-2051", `The streams of ${id} are over ${bounds.bytesMax} bytes`);
  }
  return null;
}
