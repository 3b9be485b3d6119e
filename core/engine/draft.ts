import type {
  AttributeChanges,
  ChildOutcome,
  ChunkBlock,
  Ending,
  Payload,
  Entry,
  Hold,
  InboxRow,
  KeyChange,
  Message,
  OpenApproval,
  Phase,
  RunId,
  StartRow,
  StoredEvent,
  StreamHead,
} from "../protocol/index.ts";

/** A subscription to be registered. */
export interface DraftWait {
  readonly call: string;
  readonly key: string;
  readonly type: string;
  readonly shape: string;
  readonly since: number;
  readonly after: number;
}

/** The end of an update. */
export interface DraftUpdate {
  readonly call: string;
  readonly outcome: ChildOutcome;
}

/** Parts of a transition that few runs ever have. */
export interface DraftRare {
  attributes: AttributeChanges | null;
  /** The entries take the place of all from `firstSeq` on. */
  replaces: boolean;
  approvals: readonly OpenApproval[] | null;
  /** Calls whose approvals are decided or given up. */
  unapprovals: readonly string[] | null;
  /** The run goes on as its next generation. */
  renewal: DraftRenewal | null;
  /** New chunks, and the streams that changed as they stand. */
  streams: { readonly blocks: ChunkBlock[]; readonly heads: StreamHead[] } | null;
  /** The state of the run's key from now on. */
  keyState: KeyChange | null;
  /** Calls that wait for what became of a detached run, by its id. */
  answers: Record<RunId, string> | null;
}

/** What a run goes on with. */
export interface DraftRenewal {
  readonly generation: number;
  readonly endedAt: number;
  readonly input: Payload;
  readonly journal: string;
  readonly seq: number;
  /** The one entry of that journal. */
  readonly entry: Entry;
  /** Messages that were taken and have not come to the code, in the order of taking; absent for none. */
  readonly inbox?: readonly TakenMessage[];
}

/** A message that was taken, under the number that it has in the inbox from now on. */
export interface TakenMessage extends InboxRow {
  /** The call that took it; empty for a cancellation. */
  readonly call: string;
}

/** The parts of a transition that a plain step does not have. */
export interface DraftExtras {
  readonly acks: number[];
  readonly waits: DraftWait[];
  readonly unwaits: string[];
  readonly starts: StartRow[];
  readonly messages: Message[];
  rare: DraftRare | null;
  readonly events: { event: StoredEvent; triggered: readonly StartRow[] }[];
  /** Updates that have ended: their clients are answered when this is durable. */
  updates: DraftUpdate[] | null;
}

/** What a run has decided since its last transition was taken; plain data, written by commands. */
export interface Draft {
  /** True for the first transition of a run that is not in the store yet. */
  start: boolean;
  entries: string;
  /** Sequence of the first entry in `entries`. */
  firstSeq: number;
  /** Null until something of it is needed: most transitions are one entry and nothing else. */
  extras: DraftExtras | null;
  phase: Phase | null;
  park: { due: number | null; waits: number; inboxSeen: number } | null;
  hold: { kind: Hold; reason: string } | null;
  ending: Ending | null;
}

/** An empty draft that would begin with the entry after `seq`. */
export function newDraft(seq: number): Draft {
  return {
    start: false,
    entries: "",
    firstSeq: seq + 1,
    extras: null,
    phase: null,
    park: null,
    hold: null,
    ending: null,
  };
}

/** The extras of a draft, begun if there are none. */
export function extrasOf(draft: Draft): DraftExtras {
  draft.extras ??= {
    acks: [],
    waits: [],
    unwaits: [],
    starts: [],
    messages: [],
    events: [],
    rare: null,
    updates: null,
  };
  return draft.extras;
}

/** The rare parts of a draft, begun if there are none. */
export function rareOf(draft: Draft): DraftRare {
  const extras = extrasOf(draft);
  extras.rare ??= {
    attributes: null,
    replaces: false,
    approvals: null,
    unapprovals: null,
    renewal: null,
    streams: null,
    keyState: null,
    answers: null,
  };
  return extras.rare;
}

/** A message to the parent of a run, or nothing when it has none. */
export function toParent(start: StartRow, data: string): Message[] {
  if (start.parentRun === "") return [];
  const from: RunId = start.id;
  return [{ to: start.parentRun, kind: "child", name: start.parentCall, from, data }];
}
