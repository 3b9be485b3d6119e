import type {
  Attributes,
  ClosedStatus,
  Journal,
  InboxRow,
  RunId,
  RunRow,
  RunStatus,
  StreamHead,
} from "../protocol/index.ts";

/** Which open approvals to list; oldest first. */
export interface ApprovalQuery {
  /** Default: all. */
  readonly namespace?: string;
  /** Default: all. */
  readonly run?: RunId;
  /** Those that this person may decide: named, or open to everybody. */
  readonly assignee?: string;
  /** Rows at most. */
  readonly limit: number;
}

/** All that is needed to go on with an open run. */
export interface StoredRun {
  /** As it was last written. */
  readonly row: RunRow;
  /** All entries, in their order. */
  readonly journal: Journal;
  /** Text of the journal as stored, for packing at the end. */
  readonly journalText: string;
  /** Messages that it has not taken, in their order. */
  readonly inbox: readonly InboxRow[];
  /** Calls that have a subscription or an open approval. */
  readonly waits: readonly string[];
  /** Its streams; absent for none. */
  readonly streams?: readonly StreamHead[];
  /** Why something of it cannot be decoded; said by what decodes payloads, never by a store. */
  readonly unreadable?: string;
}

/** Which runs to list; newest first. */
export interface RunQuery {
  /** Default: all. */
  readonly namespace?: string;
  /** Name of it, in any version. Default: all. */
  readonly workflow?: string;
  /** Default: all. */
  readonly status?: RunStatus;
  /** Started at or after, milliseconds since 1970. */
  readonly since?: number;
  /** Only runs that have all these attributes, compared as text. */
  readonly attributes?: Attributes;
  /** Only runs with a smaller id: the last id of the page before. */
  readonly before?: RunId;
  /** Rows at most. */
  readonly limit: number;
}

/** What an open store says about itself, as read back from it. */
export interface StoreInfo {
  /** For example "sqlite". */
  readonly kind: string;
  /** Where it is: a path, or "memory". */
  readonly location: string;
  /** What a commit guarantees, for example "sqlite WAL synchronous=FULL". */
  readonly durability: string;
  /** Of the tables; rises with each migration. */
  readonly schemaVersion: number;
  /** This life of the owner: rises by one with each `open`. */
  readonly incarnation: number;
  /** True when the owner before ended without closing the store. Default false. */
  readonly afterCrash?: boolean;
  /** True when an event is owed to waiting runs: see `BatchAnswer.owes`. Absent: false. */
  readonly owes?: true;
}

/** How far a sweep has come; null where nothing is left that it could remove. */
export interface SweepCursor {
  /** Closed runs with greater ids are looked at. */
  readonly run: RunId | null;
  /** Events with greater numbers are looked at. */
  readonly event: number | null;
}

/** What may go of one namespace. */
export interface SweepOrder {
  /** What is of another one stays. */
  readonly namespace: string;
  /** Runs of a status that ended before this, milliseconds since 1970; those of absent ones stay. */
  readonly endedBefore: Readonly<Partial<Record<ClosedStatus, number>>>;
  /** Events logged before this, milliseconds since 1970; 0 for none. */
  readonly loggedBefore: number;
  /** Where the one before stopped; null fields begin at the newest. */
  readonly from: SweepCursor;
  /** Most closed runs, and most events, that are looked at; it bounds the time that a commit may have to wait. */
  readonly limit: number;
  /** true: nothing is removed, the answer is the same. */
  readonly dryRun: boolean;
}

/** What went in one sweep. */
export interface Swept {
  /** How many, by the status of their end. */
  readonly runs: Readonly<Partial<Record<ClosedStatus, number>>>;
  /** How many. */
  readonly events: number;
  /** Where the next one goes on. */
  readonly next: SweepCursor;
}

/** A finding of the integrity check. */
export interface Finding {
  /** `error`: something is lost or wrong; `warning`: it can be worked with. */
  readonly severity: "error" | "warning";
  /** What was found, for people. */
  readonly message: string;
}
