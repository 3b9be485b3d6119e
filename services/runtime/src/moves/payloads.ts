import type { PayloadPlace } from "@claw/core/ports";
import {
  type Entry,
  type ErrorRecord,
  isCoded,
  type Payload,
  readCoded,
  type RunArchive,
  type RunId,
} from "@claw/core/protocol";
import {
  chunkPlace,
  entryPlace,
  errorPlace,
  inputPlace,
  messagePlace,
  outputPlace,
  statePlace,
} from "../payloads/places.ts";

/** What takes the place of a payload. */
type Change = (payload: Payload, place: PayloadPlace) => Promise<Payload>;

/** An archive with all its coded payloads changed, one after the other; plain ones stay. */
export async function changeCoded(archive: RunArchive, change: Change): Promise<RunArchive> {
  const { start, journal, generations, open, ending, streams } = archive;
  const run = start.id;
  const coded: Change = async (payload, place) =>
    isCoded(payload) ? change(payload, place) : payload;
  const entries = async (list: readonly Entry[]): Promise<readonly Entry[]> => {
    if (!list.some(({ data }) => isCoded(data))) return list;
    return inOrder(list, async (entry) => {
      return { ...entry, data: await coded(entry.data, entryPlace(run, entry)) };
    });
  };
  return {
    ...archive,
    start: { ...start, input: await coded(start.input, inputPlace(run)) },
    journal: await entries(journal),
    generations: await inOrder(generations, async (one) => ({
      ...one,
      input: await coded(one.input, inputPlace(run)),
      journal: await entries(one.journal),
    })),
    open: open && {
      ...open,
      inbox: await inOrder(open.inbox, async (message) => ({
        ...message,
        data: await coded(message.data, messagePlace(message)),
      })),
      key: open.key && {
        ...open.key,
        state: await coded(open.key.state, statePlace({ ...start, key: open.key.key })),
      },
    },
    streams: {
      ...streams,
      blocks: await inOrder(streams.blocks, async (block) => ({
        ...block,
        data: await coded(block.data, chunkPlace(run, block.seq)),
      })),
    },
    ending: ending && {
      ...ending,
      output: await coded(ending.output, outputPlace(run)),
      error: ending.error && (await changeError(run, ending.error, change)),
    },
  };
}

// All of a coded error but its name and code stands in its message.
async function changeError(run: RunId, error: ErrorRecord, change: Change): Promise<ErrorRecord> {
  if (!isCoded(error.message)) return error;
  const text = await change(error.message, errorPlace(run));
  if (isCoded(text)) return { ...error, message: text };
  return { ...error, ...(JSON.parse(text) as ErrorRecord) };
}

/** All coded payloads of an archive's run with their places, in order; the state of its key is not the run's. */
export function* codedOf(archive: RunArchive): Generator<[Payload, PayloadPlace]> {
  const { start, journal, generations, open, ending, streams } = archive;
  const run = start.id;
  function* entries(list: readonly Entry[]): Generator<[Payload, PayloadPlace]> {
    for (const entry of list) if (isCoded(entry.data)) yield [entry.data, entryPlace(run, entry)];
  }
  if (isCoded(start.input)) yield [start.input, inputPlace(run)];
  yield* entries(journal);
  for (const one of generations) {
    if (isCoded(one.input)) yield [one.input, inputPlace(run)];
    yield* entries(one.journal);
  }
  for (const row of open?.inbox ?? []) if (isCoded(row.data)) yield [row.data, messagePlace(row)];
  for (const { data, seq } of streams.blocks) if (isCoded(data)) yield [data, chunkPlace(run, seq)];
  if (ending !== null && isCoded(ending.output)) yield [ending.output, outputPlace(run)];
  const message = ending?.error?.message ?? "";
  if (isCoded(message)) yield [message, errorPlace(run)];
}

/** Sizes of the large payloads that an archive refers to, by id. */
export function blobsOf(archive: RunArchive): ReadonlyMap<string, number> {
  const blobs = new Map<string, number>();
  for (const [payload] of codedOf(archive)) {
    const blob = readCoded(payload)?.blob ?? null;
    if (blob !== null) blobs.set(blob.id, blob.bytes);
  }
  return blobs;
}

async function inOrder<T>(list: readonly T[], change: (one: T) => Promise<T>): Promise<T[]> {
  const changed: T[] = [];
  for (const one of list) changed.push(await change(one));
  return changed;
}
