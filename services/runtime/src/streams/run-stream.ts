import type { Plan } from "@claw/core/engine";
import { fingerprint, type Payload } from "@claw/core/protocol";
import type { CallOptions, RunStream } from "@claw/sdk";
import type { RuntimeLimits } from "../runtime-options.ts";
import { encodeChunk } from "./encode-chunk.ts";

/** Asks for a durable call of a stream under a segment that was taken before. */
export type AskStream = (segment: string, plan: Plan, print: string) => Promise<void>;

/** A stream of a run as its workflow code writes it. `segment` takes the identity of a call. */
export function runStream(
  name: string,
  limits: RuntimeLimits,
  segment: (prefix: string, options: CallOptions | undefined) => string,
  ask: AskStream,
): RunStream {
  const bounds = { chunksMax: limits.streamChunksMax, bytesMax: limits.streamBytesMax };
  const planOf = (value: Payload | null): Plan => ({ kind: "stream", stream: name, value, bounds });
  return {
    write: (value, options) => {
      const place = segment("stream:", options);
      const chunk = encodeChunk(name, value, limits.streamChunkBytesMax);
      return ask(place, planOf(chunk), fingerprint(chunk));
    },
    close: (options) => ask(segment("close:", options), planOf(null), ""),
  };
}
