import type { StreamChanges } from "@claw/core/ports";
import {
  type ChunkBlock,
  ClawError,
  decodePayload,
  isCoded,
  type RunId,
  standInFor,
} from "@claw/core/protocol";
import type { Chunk } from "../claw.ts";
import type { Node } from "../node.ts";
import type { FeedSource } from "./feed.ts";

/** Blocks that are read at once: each holds up to one largest chunk. */
const BLOCKS_READ = 16;

/** The chunks of a run: those of one stream, or of all. */
export function chunkSource(
  node: Node,
  run: RunId,
  stream: string | undefined,
): FeedSource<Chunk<never>> {
  const isWanted = (name: string): boolean => stream === undefined || name === stream;
  return {
    run,
    what: "chunk",
    read: async (after) => {
      const named = stream === undefined ? {} : { stream };
      const page = await node.store.streams.read({ run, after, limit: BLOCKS_READ, ...named });
      if (page === null) throw new ClawError("CLAW-3001", `There is no run ${run}`);
      const head = page.heads.find(({ name }) => name === stream);
      return {
        items: page.blocks.flatMap(chunksOf).filter(({ seq }) => seq > after),
        more: page.blocks.length === BLOCKS_READ,
        ended: page.ended || head?.closed === true,
        last: Math.max(0, ...page.heads.map(({ last }) => last)),
      };
    },
    itemsOf: ({ rare }) =>
      (rare?.streams?.blocks ?? []).filter((block) => isWanted(block.stream)).flatMap(chunksOf),
    charsOf: ({ rare }) => {
      let chars = 0;
      for (const { data } of rare?.streams?.blocks ?? []) chars += data.length;
      return chars;
    },
    endsWith: ({ finish, rare }) => finish !== null || closes(rare?.streams, stream),
  };
}

function closes(changes: StreamChanges | null | undefined, stream: string | undefined): boolean {
  return changes?.heads.some(({ name, closed }) => closed && name === stream) ?? false;
}

function chunksOf({ stream, seq, call, attempt, first, at, data }: ChunkBlock): Chunk<never>[] {
  if (isCoded(data)) {
    throw new ClawError("CLAW-4011", `Chunk ${seq} is ${standInFor(data)} and cannot be opened`);
  }
  const values = decodePayload(data) as never[];
  return values.map((value, n) => ({ seq: seq + n, stream, call, attempt, first, at, value }));
}
