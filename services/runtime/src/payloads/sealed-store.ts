import type {
  Batch,
  BatchAnswer,
  ChunkPage,
  CommitItem,
  NewBlob,
  SharedStore,
  Store,
  StoredRun,
} from "@claw/core/ports";
import {
  type ChunkBlock,
  type Entry,
  ENTRY_KINDS,
  type ErrorRecord,
  type Generation,
  type InboxRow,
  isClawError,
  isCoded,
  Journal,
  type KeyRecord,
  type Payload,
  readCoded,
  type RunId,
  type RunRecord,
  type RunRow,
  type RunSummary,
  standInFor,
} from "@claw/core/protocol";
import {
  chunkPlace,
  entryPlace,
  errorPlace,
  inputPlace,
  messagePlace,
  outputPlace,
  statePlace,
} from "./places.ts";
import { BatchSealer, concernsBatch } from "./seal-batch.ts";
import { openError } from "./seal-error.ts";
import { sealedErrands } from "./seal-errands.ts";
import type { Sealer } from "./sealer.ts";

// What engine and operators read of a journal is opened with it; the values of steps, if they are
// blobs, in their turn: a journal of many large values must not stand in memory.
const LEFT_IN_BLOBS: ReadonlySet<string> = new Set([ENTRY_KINDS.stepCompleted]);

/**
 * A store as the runtime sees it: payloads are sealed on their way in and opened on their way out. What
 * cannot be opened stays in its stored form (`isCoded`), for the reader to decide. A batch or answer without
 * anything to seal or to open passes as it is, at once.
 */
export function sealedStore(store: Store, sealer: Sealer): Store {
  const batches = new BatchSealer(sealer);
  return {
    ...store,
    commit: (batch) =>
      concernsBatch(sealer, batch) ? commitSealed(store, batches, batch) : store.commit(batch),
    ...(store.shared === undefined ? {} : { shared: sealedShared(store.shared, sealer, batches) }),
    load: (ids) => now(store.load(ids), (runs) => openRuns(runs, sealer, batches)),
    key: (name, limit) => now(store.key(name, limit), (found) => openKey(found, sealer)),
    find: (id) => now(store.find(id), (run) => openRecord(run, sealer)),
    streams: {
      read: (query) =>
        now(store.streams.read(query), (page) => openChunks(query.run, page, sealer)),
    },
    list: (query) => now(store.list(query), (runs) => openReasons(runs, sealer)),
  };
}

function sealedShared(shared: SharedStore, sealer: Sealer, batches: BatchSealer): SharedStore {
  return {
    ...shared,
    claim: (ids, namespace) =>
      now(shared.claim(ids, namespace), (runs) => openRuns(runs, sealer, batches)),
    inbox: (ids) =>
      now(shared.inbox(ids), (rows) => (rows.some(hasSealedData) ? openInbox(rows, sealer) : rows)),
    ...(sealer.hasCodecs ? sealedErrands(shared, sealer) : {}),
  };
}

async function openInbox(rows: readonly InboxRow[], sealer: Sealer): Promise<readonly InboxRow[]> {
  const opened: InboxRow[] = [];
  for (const row of rows) {
    const { data } = row;
    opened.push({ ...row, data: await attempt(sealer.open(data, messagePlace(row)), data) });
  }
  return opened;
}

async function commitSealed(
  store: Store,
  batches: BatchSealer,
  batch: Batch,
): Promise<BatchAnswer> {
  const items: CommitItem[] = [];
  const blobs: NewBlob[] = [];
  const refused = new Map<number, string>();
  for (const [at, item] of batch.items.entries()) {
    try {
      const sealed = await batches.seal(item, items.length);
      items.push(sealed.item);
      blobs.push(...sealed.blobs);
    } catch (error) {
      // The others are written without it.
      refused.set(at, isClawError(error) ? error.message : "a codec cannot encode it");
    }
  }
  try {
    const answer = await store.commit({ ...batch, items, blobs });
    return {
      items: withRefused(batch.items.length, answer, refused),
      delivered: answer.delivered.map((row) => {
        const data = batches.plain.get(row.data);
        return data === undefined ? row : { ...row, data };
      }),
      started: answer.started.map((row) => {
        const input = batches.plain.get(row.input);
        if (input === undefined) return row;
        const opened = { ...row, input };
        batches.inputs.set(opened, row.input);
        return opened;
      }),
      woken: answer.woken,
      ...(answer.owes === true ? { owes: true } : {}),
    };
  } finally {
    batches.plain.clear();
  }
}

function withRefused(
  count: number,
  answer: BatchAnswer,
  refused: ReadonlyMap<number, string>,
): BatchAnswer["items"] {
  if (refused.size === 0) return answer.items;
  const written = [...answer.items];
  return Array.from({ length: count }, (_, at) => {
    const detail = refused.get(at);
    if (detail !== undefined) return { status: "refused", why: "poison", detail } as const;
    const next = written.shift();
    if (next === undefined) throw new Error("the store answered fewer items than it got");
    return next;
  });
}

function openRuns(
  runs: readonly StoredRun[],
  sealer: Sealer,
  batches: BatchSealer,
): readonly StoredRun[] | Promise<readonly StoredRun[]> {
  if (!runs.some(isSealed)) return runs;
  return Promise.all(
    runs.map(async (run) => {
      if (!isSealed(run)) return run;
      const { id, input } = run.row;
      const failures: string[] = [];
      const opening = sealer.open(input, inputPlace(id));
      const row = {
        ...run.row,
        input: await attempt(opening, input, failures),
        ...(await openState(run.row, sealer, failures)),
      };
      if (row.input !== input) batches.inputs.set(row, input);
      const journal = Journal.of(await openEntries(id, run.journal, sealer, failures));
      const inbox: InboxRow[] = [];
      for (const message of run.inbox) {
        const { data } = message;
        inbox.push({
          ...message,
          data: await attempt(sealer.open(data, messagePlace(message)), data, failures),
        });
      }
      const [unreadable] = failures;
      return { ...run, row, journal, inbox, ...(unreadable === undefined ? {} : { unreadable }) };
    }),
  );
}

async function openState(
  { namespace, workflow, keyed }: RunRow,
  sealer: Sealer,
  failures: string[],
): Promise<Pick<RunRow, "keyed">> {
  if (keyed === undefined) return {};
  const opening = sealer.open(keyed.state, statePlace({ namespace, workflow, key: keyed.key }));
  return { keyed: { ...keyed, state: await attempt(opening, keyed.state, failures) } };
}

function openKey(
  found: KeyRecord | null,
  sealer: Sealer,
): KeyRecord | null | Promise<KeyRecord | null> {
  if (found === null || !isCoded(found.state)) return found;
  const opening = attempt(sealer.open(found.state, statePlace(found)), found.state);
  return opening.then((state) => ({ ...found, state }));
}

function isSealed({ row, journal, inbox }: StoredRun): boolean {
  if (isCoded(row.keyed?.state ?? "")) return true;
  return isCoded(row.input) || inbox.some(hasSealedData) || journal.hasCoded();
}

function hasSealedData({ data }: { readonly data: Payload }): boolean {
  return isCoded(data);
}

async function openEntries(
  run: RunId,
  journal: Iterable<Entry>,
  sealer: Sealer,
  failures: string[] = [],
): Promise<readonly Entry[]> {
  const opened: Entry[] = [];
  for (const entry of journal) {
    const { data, kind } = entry;
    const inBlob = (readCoded(data)?.blob ?? null) !== null;
    const leave = !isCoded(data) || (inBlob && LEFT_IN_BLOBS.has(kind));
    if (leave) opened.push(entry);
    else {
      const plain = await attempt(sealer.open(data, entryPlace(run, entry)), data, failures);
      opened.push({ ...entry, data: plain });
    }
  }
  return opened;
}

function openRecord(
  run: RunRecord | null,
  sealer: Sealer,
): RunRecord | null | Promise<RunRecord | null> {
  if (run === null) return null;
  const { id, input, output, error, journal } = run;
  const sealed = isCoded(input) || isCoded(output) || isCoded(error?.message ?? "");
  const { generations } = run;
  if (!sealed && generations === undefined && !journal.some(hasSealedData)) return run;
  return (async () => {
    const opened = error === null ? null : await openError(sealer, error, errorPlace(id));
    return {
      ...run,
      reason: opened === error ? run.reason : await openReason(run, sealer),
      input: await attempt(sealer.open(input, inputPlace(id)), input),
      output: await attempt(sealer.open(output, outputPlace(id)), output),
      error: opened,
      journal: await openEntries(id, journal, sealer),
      ...(generations === undefined
        ? {}
        : { generations: await openGenerations(id, generations, sealer) }),
    };
  })();
}

function openChunks(
  run: RunId,
  page: ChunkPage | null,
  sealer: Sealer,
): ChunkPage | null | Promise<ChunkPage> {
  if (page === null || !page.blocks.some(hasSealedData)) return page;
  return (async () => {
    const blocks: ChunkBlock[] = [];
    for (const block of page.blocks) {
      const { seq, data } = block;
      const plain = await attempt(sealer.open(data, chunkPlace(run, seq)), data);
      blocks.push({ ...block, data: plain });
    }
    return { ...page, blocks };
  })();
}

async function openGenerations(
  run: RunId,
  generations: readonly Generation[],
  sealer: Sealer,
): Promise<readonly Generation[]> {
  const opened: Generation[] = [];
  for (const one of generations) {
    const input = await attempt(sealer.open(one.input, inputPlace(run)), one.input);
    opened.push({ ...one, input, journal: await openEntries(run, one.journal, sealer) });
  }
  return opened;
}

function openReasons(
  runs: readonly RunSummary[],
  sealer: Sealer,
): readonly RunSummary[] | Promise<readonly RunSummary[]> {
  if (!runs.some(({ reason }) => reason.includes(": ~"))) return runs;
  return Promise.all(runs.map(async (run) => ({ ...run, reason: await openReason(run, sealer) })));
}

// The store makes a reason of an error: "CODE: message".
async function openReason({ id, reason }: RunSummary, sealer: Sealer): Promise<string> {
  const at = reason.indexOf(": ~");
  if (at < 0) return reason;
  const sealed = reason.slice(at + 2);
  const text = await attempt(sealer.open(sealed, errorPlace(id)), "");
  if (text === "") return `${reason.slice(0, at)}: ${standInFor(sealed)}`;
  return `${reason.slice(0, at)}: ${(JSON.parse(text) as ErrorRecord).message}`;
}

// What cannot be opened stays as it is stored; anything else that goes wrong is the store's.
async function attempt(
  opening: Promise<Payload>,
  stored: Payload,
  failures: string[] = [],
): Promise<Payload> {
  try {
    return await opening;
  } catch (error) {
    if (!isClawError(error, "CLAW-4011")) throw error;
    failures.push(error.message);
    return stored;
  }
}

function now<T, U>(answer: T | Promise<T>, use: (value: T) => U | Promise<U>): U | Promise<U> {
  return answer instanceof Promise ? answer.then(use) : use(answer);
}
