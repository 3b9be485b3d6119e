import {
  type Entry,
  ENTRY_KINDS,
  entryKindName,
  type EntryKind,
  type Generation,
  type InboxRow,
  type RunArchive,
} from "@claw/core/protocol";

/** The first line of an export. */
export interface ExportHeader {
  readonly claw: "export";
  /** Version of the lines. */
  readonly format: number;
  /** ARCHIVE_VERSION of the product that wrote it. */
  readonly archive: number;
  /** Kind and schema version of the store that it came from, for people. */
  readonly store: string;
  /** The one that the runs belonged to. */
  readonly namespace: string;
  /** Milliseconds since 1970. */
  readonly exportedAt: number;
  /** How many there are in the file. */
  readonly runs: number;
  /** `stored`: as the store has them, what was encrypted stays so. `plain`: opened. */
  readonly payloads: "stored" | "plain";
}

const KINDS = new Map<string, EntryKind>(Object.entries(ENTRY_KINDS));

/** The kind of this name; undefined for a name that this version does not know. */
export function kindOfName(name: string): EntryKind | undefined {
  return KINDS.get(name);
}

/** The records of a run, in their order: the run, its entries, its generations with theirs, its streams, its messages. */
export function* recordsOf(archive: RunArchive): Generator<object> {
  const { start, seq, attributes, request, open, ending, journal, generations, streams, keyName } =
    archive;
  const { namespace: _same, keyed: _key, ...row } = start;
  const { inbox = [], ...state } = open ?? {};
  const rest = open === null ? null : state;
  yield { run: { ...row, seq, keyName, attributes, request, open: rest, ending } };
  yield* entriesOf(journal);
  for (const one of generations) yield* generationOf(one);
  for (const stream of streams.heads) yield { stream };
  for (const chunks of streams.blocks) yield { chunks };
  for (const row of inbox) yield { message: messageOf(row) };
}

function* generationOf({ journal, ...generation }: Generation): Generator<object> {
  yield { generation };
  yield* entriesOf(journal);
}

function* entriesOf(journal: readonly Entry[]): Generator<object> {
  for (const entry of journal) yield { entry: { ...entry, kind: entryKindName(entry.kind) } };
}

function messageOf({ to: _run, ...message }: InboxRow): object {
  return message;
}
