import {
  ClawError,
  decodePayload,
  isCoded,
  type RunId,
  standInFor,
  type StreamHead,
} from "@claw/core/protocol";
import type { ChunkView } from "@claw/gateway/wire";
import { openReader, type Reader } from "../compose.ts";
import type { Config } from "../config.ts";
import { ownerFor } from "../control.ts";
import { findRunId } from "../find-run.ts";
import { followOwner } from "../follow.ts";
import { hint, printItems, printText } from "../terminal.ts";
import { cursorArgument } from "../values.ts";

/** Options of `claw stream`. */
export interface StreamFlags {
  readonly from: string;
  readonly follow?: boolean;
}

const BLOCKS_READ = 64;

/** Prints what a run wrote to a stream, or to all of them; follows it on demand. */
export async function stream(
  config: Config,
  text: string,
  name: string | undefined,
  flags: StreamFlags,
): Promise<void> {
  const from = cursorArgument(flags.from);
  const reader = await openReader(config);
  try {
    const run = await findRunId(reader, text);
    const owner = flags.follow === true ? await ownerFor(config) : null;
    const heads = await headsOf(reader, run, from, owner === null ? name : undefined);
    const chunks =
      owner === null
        ? storedChunks(reader, run, name, from)
        : followOwner<ChunkView>(owner, pathOf(run, name, from), config);
    await print(config, chunks, name !== undefined);
    if (owner === null && flags.follow === true && !heads.ended) {
      hint("no process runs workflows on this store: nothing more comes");
    }
  } finally {
    reader.close();
  }
}

function pathOf(run: RunId, name: string | undefined, from: number): string {
  const named = name === undefined ? "" : `&name=${encodeURIComponent(name)}`;
  return `/v1/runs/${run}/stream?from=${from}${named}`;
}

// Errors: CLAW-3001, CLAW-3051, and CLAW-3052 unless `name` is undefined.
async function headsOf(
  reader: Reader,
  run: RunId,
  from: number,
  name: string | undefined,
): Promise<{ readonly ended: boolean }> {
  const page = await reader.streams.read({ run, after: 0, limit: 0 });
  if (page === null) throw new ClawError("CLAW-3001", `There is no run ${run}`);
  const last = Math.max(0, ...page.heads.map((head: StreamHead) => head.last));
  if (from > last) {
    throw new ClawError(
      "CLAW-3051",
      `The cursor ${from} is beyond the last chunk ${last} of ${run}`,
    );
  }
  const streams = page.heads.map((head: StreamHead) => head.name);
  if (name !== undefined && !streams.includes(name)) {
    const known = streams.length === 0 ? "no streams" : `only ${streams.join(", ")}`;
    throw new ClawError("CLAW-3052", `Run ${run} has no stream "${name}", ${known}`, {
      details: { streams },
    });
  }
  return page;
}

async function* storedChunks(
  reader: Reader,
  run: RunId,
  name: string | undefined,
  from: number,
): AsyncGenerator<ChunkView> {
  const named = name === undefined ? {} : { stream: name };
  for (let after = from; ; ) {
    const page = await reader.streams.read({ run, after, limit: BLOCKS_READ, ...named });
    for (const block of page?.blocks ?? []) {
      const { stream: own, call, attempt, first, data } = block;
      const at = new Date(block.at).toISOString();
      // Verbs that read have no keys.
      const values = isCoded(data)
        ? Array.from({ length: block.count }, () => standInFor(data))
        : (decodePayload(data) as unknown[]);
      for (const [n, value] of values.entries()) {
        const seq = block.seq + n;
        if (seq > after) yield { seq, stream: own, call, attempt, first, at, value };
      }
      after = block.seq + block.count - 1;
    }
    if ((page?.blocks.length ?? 0) < BLOCKS_READ) return;
  }
}

async function print(
  config: Config,
  chunks: AsyncIterable<ChunkView>,
  isOne: boolean,
): Promise<void> {
  if (config.format === "json") {
    const all: ChunkView[] = [];
    for await (const chunk of chunks) all.push(chunk);
    return printItems(all, "json");
  }
  const firsts = new Map<string, number>();
  let isOpenLine = false;
  for await (const chunk of chunks) {
    if (config.format === "jsonl") printItems([chunk], "jsonl");
    else if (!isOne) printText(`${chunk.seq}  ${chunk.stream}  ${shown(chunk.value)}`);
    else {
      const known = firsts.get(chunk.call);
      firsts.set(chunk.call, chunk.first);
      if (known !== undefined && known !== chunk.first) {
        if (isOpenLine) process.stdout.write("\n");
        hint(`${chunk.call} began again (attempt ${chunk.attempt})`);
      }
      isOpenLine = typeof chunk.value === "string";
      process.stdout.write(isOpenLine ? shown(chunk.value) : `${shown(chunk.value)}\n`);
    }
  }
  if (isOpenLine) process.stdout.write("\n");
}

// What a run wrote must not steer the terminal.
function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.replace(/[^\P{Cc}\n\t]/gu, "");
}
