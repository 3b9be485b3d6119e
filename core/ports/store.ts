import type {
  AttributeChanges,
  Ending,
  Hold,
  InboxRow,
  KeyChange,
  KeyName,
  KeyRecord,
  Message,
  OpenApproval,
  Payload,
  Phase,
  RefusedStart,
  RunId,
  RunRecord,
  RunSummary,
  Shape,
  StartRow,
  StoredEvent,
} from "../protocol/index.ts";

import type { BlobStore, NewBlob } from "./blobs.ts";
import type { StoreLook } from "./look.ts";
import type { SharedStore } from "./shared-store.ts";
import type {
  ApprovalQuery,
  Finding,
  RunQuery,
  StoreInfo,
  StoredRun,
  SweepOrder,
  Swept,
} from "./store-reads.ts";
import type { StreamChanges, StreamReads } from "./streams.ts";
import type { TaskItem, TaskReads } from "./tasks.ts";

/** A value now, or a promise of it: embedded stores answer at once, others later. */
export type MaybePromise<T> = T | Promise<T>;

/** Remembers a client's request so that its repetition meets the first one. */
export interface Dedup {
  /** Namespace, operation, target and the client's key, joined. */
  readonly scope: string;
  /** Fingerprint of what was asked; the same scope with another one is a conflict. */
  readonly print: string;
  /** When the row may be forgotten, milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A subscription of one call to events with one key. */
export interface Wait {
  /** The call that waits: its address together with the run. */
  readonly call: string;
  /** `matchKey` of the subscription. */
  readonly key: string;
  /** Type of the events, exactly. */
  readonly type: string;
  /** Of its match. */
  readonly shape: Shape;
  /** Looks back over logged events not older than this, milliseconds since 1970. */
  readonly since: number;
  /** Looks back only over events with a greater number than this. */
  readonly after: number;
}

/** How a run is put to rest. */
export interface Park {
  /** When it is owed a look, or null when only a message wakes it. */
  readonly due: number | null;
  /** Open waits for something else than time. */
  readonly waits: number;
  /** The last inbox number that the run has seen: a later message refuses the parking. */
  readonly inboxSeen: number;
}

/** What few transitions have. */
export interface RareParts {
  /** Attributes to set, merged with those that the run has. */
  readonly attributes?: AttributeChanges | null;
  /**
   * The entries take the place of all that the run has from number `firstSeq` on, and may have gaps
   * (`encodeGap`): numbers are not used again.
   */
  readonly replaces?: boolean;
  /** Approvals that the run waits for from now on; one that is known stays as it is. */
  readonly approvals?: readonly OpenApproval[] | null;
  /** Calls whose approvals are given up; taken after `approvals`. */
  readonly unapprovals?: readonly string[] | null;
  /** The run goes on as its next generation; applied after the entries. */
  readonly renewal?: Renewal | null;
  /** What was written to the run's streams. */
  readonly streams?: StreamChanges | null;
  /** The state of the run's key from now on. Refused ("state") from a run that does not have the key: others were let past it. */
  readonly keyState?: KeyChange | null;
  /** Calls of `starts` that wait for what became of them, by run: a `start` message answers each. */
  readonly answers?: Readonly<Record<RunId, string>> | null;
  /** Ended generations of a run that comes from another store; only beside `start`. */
  readonly past?: readonly PastGeneration[] | null;
}

/** An ended generation of a run that comes from another store. */
export interface PastGeneration {
  /** From 1. */
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  /** What it began with. */
  readonly input: Payload;
  /** Text of its entries and gaps. */
  readonly journal: string;
}

/** The journal of a run is closed under the number of its generation, and the run goes on with another. */
export interface Renewal {
  /** The generation that ends, from 1. */
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  /** Input of the next generation. */
  readonly input: Payload;
  /** The whole journal of the next generation, with the numbers that are gone. */
  readonly journal: string;
  /** Sequence of its last entry. */
  readonly seq: number;
  /**
   * Messages that are put into the inbox, after the acks, under these numbers: none of an unread message, and 0 or less
   * where what is unread begins with the first. They count for nothing where new messages get theirs. Default: none.
   */
  readonly inbox?: readonly PutBack[];
}

/** A message that a run took and puts back for its next generation. */
export interface PutBack extends InboxRow {
  /** The call whose entry holds what is put back; empty for a cancellation. Not stored. */
  readonly call: string;
}

/** The atomic change of one run: all of it is written, or none. */
export interface Transition {
  readonly type: "transition";
  /** The run that changes. */
  readonly run: RunId;
  /** Its namespace, which never changes. */
  readonly namespace: string;
  /** When the run began; entries count their time from it. */
  readonly startedAt: number;
  /** Present in the first transition of a run that a client starts. */
  readonly start: StartRow | null;
  /** Of the request that started it; a known one answers `duplicate`. */
  readonly dedup: Dedup | null;
  /** Text of the new entries (`encodeEntry`), empty for none. */
  readonly entries: string;
  /** Sequence of the first new entry. */
  readonly firstSeq: number;
  /** Sequence of the last entry of the run after this transition. */
  readonly seq: number;
  /** Numbers of inbox rows that were taken. */
  readonly acks: readonly number[];
  /** Subscriptions that begin. */
  readonly waits: readonly Wait[];
  /** Calls whose subscriptions end. */
  readonly unwaits: readonly string[];
  /** New runs: children, detached runs. */
  readonly starts: readonly NewRun[];
  /**
   * Never refused for room. Dropped for a run that is unknown or closed; a request of a run to cancel also while
   * another one lies in that inbox: a parent that is replayed sends it again.
   */
  readonly messages: readonly Message[];
  /** Events that the run publishes, in their order. */
  readonly events: readonly PublishedEvent[];
  /** Counts for nothing beside a hold or an end. */
  /** Shown as the run's status from now on. */
  readonly phase: Phase | null;
  /** Null while it stays in memory. */
  readonly park: Park | null;
  /** Held from now on, and why; null otherwise. A paused run stays paused. */
  readonly hold: { readonly kind: Hold; readonly reason: string } | null;
  /** Its end; null while it goes on. */
  readonly finish: Finish | null;
  /** Default: nothing of it. */
  readonly rare?: RareParts | null;
}

/**
 * A run to be created. One of a key joins the queue of its key, and `due` counts as 1: the answer's `woken` names it
 * if it has the key at once. It is refused when as many runs wait as may, and when it would wait for a key that
 * an ancestor of it (its parent, that one's parent, as long as they are open) holds or queues for; then nothing of it is written,
 * and its parent gets a `child` message with the error.
 */
export interface NewRun {
  /** All that is written of it. */
  readonly row: StartRow;
  /** 0: the committing process runs it now; 1: it waits for a process with room. */
  readonly due: 0 | 1;
}

/**
 * A run that a client starts; nothing but its row is written. `refused` with "start" when its key takes
 * no more.
 */
export interface Start {
  readonly type: "start";
  /** The run. */
  readonly start: NewRun;
  /** A known request answers `duplicate`; null for none. */
  readonly dedup: Dedup | null;
}

/** An event with the runs that its triggers start; nothing happens when the event is known already. */
export interface PublishedEvent {
  /** Nobody of another one hears it. */
  readonly namespace: string;
  /** As it is logged. */
  readonly event: StoredEvent;
  /** Runs of its triggers; nothing of them is written for a known event. */
  readonly starts: readonly NewRun[];
}

/** The end of a run: its rows leave the hot tables, one closed row remains. */
export interface Finish {
  /** The row as it was written at the start. */
  readonly start: StartRow;
  /** What came of the run. */
  readonly ending: Ending;
  /** The whole journal as text when it is small enough to be packed; null leaves its rows in place. */
  readonly journal: string | null;
  /** Whether rows of these kinds may exist and must be removed. */
  readonly hadJournal: boolean;
  /** Subscriptions. */
  readonly hadWaits: boolean;
  /** Messages. */
  readonly hadInbox: boolean;
}

/** A message of a client to a run. */
export interface Delivery {
  readonly type: "delivery";
  /** To a run of the batch's namespace. */
  readonly message: Message;
  /** A known request answers `duplicate`; null for none. */
  readonly dedup: Dedup | null;
}

/** An event of a client. */
export interface Publication extends PublishedEvent {
  readonly type: "publication";
}

/**
 * Releases a held run so that it is tried again. A run that is not held stays as it is. Its count of
 * recoveries begins again.
 */
export interface Release {
  readonly type: "release";
  /** The held run. */
  readonly run: RunId;
  /** Refused ("state") unless the run is held for one of these reasons; "" for not held. Default: any. */
  readonly from?: readonly (Hold | "")[];
}

/** Holds an open run as paused; refused ("state") when it is held for another reason. */
export interface Pause {
  readonly type: "pause";
  /** The open run. */
  readonly run: RunId;
  /** Shown with it; may be empty. */
  readonly reason: string;
}

/**
 * Decides an open approval: its row goes and the run gets an `approval` message, both or none. Refused
 * ("state") with the detail "decided" when the message lies in the inbox already, "expired" when its time is over,
 * "none" when there is no such approval.
 */
export interface DecisionItem {
  readonly type: "decision";
  /** The run that waits. */
  readonly run: RunId;
  /** Its call that waits. */
  readonly call: string;
  /** A Decision. */
  readonly data: Payload;
}

/**
 * Writes down that this process holds open runs in memory from now on (due 0), so that they are blamed if
 * it ends. Held runs and unknown ones stay as they are. Never refused.
 */
export interface Take {
  readonly type: "take";
  /** Their ids. */
  readonly runs: readonly RunId[];
}

/** Clears a run of the suspicion that it ends the processes that take it up. Never refused. */
export interface Clear {
  readonly type: "clear";
  /** Its id. */
  readonly run: RunId;
}

/**
 * Goes on with the oldest event that more calls wait for than one commit should answer: the next of them are
 * answered. Never refused.
 */
export interface Spread {
  /** Tells it from other items. */
  readonly type: "spread";
}

/** One atomic part of a batch. */
export type CommitItem =
  | Transition
  | Start
  | Delivery
  | Publication
  | Release
  | Pause
  | Take
  | Clear
  | Spread
  | DecisionItem
  | TaskItem;

/** What one store transaction writes. */
export interface Batch {
  /** The incarnation that sends it; any but the store's current one is refused whole. */
  readonly incarnation: number;
  /** Rises by one with each batch of an incarnation. */
  readonly number: number;
  /** The sender's: to its clients, runs of another namespace are unknown. Default: no bound. */
  readonly namespace?: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** In the order in which they take effect. */
  readonly items: readonly CommitItem[];
  /** Large payloads of the items. Default: none. */
  readonly blobs?: readonly NewBlob[];
}

/**
 * What became of an item. `applied`: written; `parked` false means that a message came in between,
 * so the run stays active. `duplicate`: known already, nothing written. `refused`: nothing written.
 */
export type ItemAnswer =
  | {
      readonly status: "applied";
      readonly parked: boolean;
      /** Runs that it did not create; absent for none. */
      readonly refused?: readonly RefusedStart[];
    }
  | { readonly status: "duplicate"; readonly run: RunId | ""; readonly same: boolean }
  | {
      readonly status: "refused";
      /**
       * `state`: the run is in another state; `detail` is its hold, or empty · `start`: see `start` · `elsewhere`: another
       * node holds the run.
       */
      readonly why: "unknown" | "closed" | "full" | "poison" | "state" | "start" | "elsewhere";
      readonly detail: string;
      readonly start?: RefusedStart;
    };

/** The answer to a batch, given only when it is durable. */
export interface BatchAnswer {
  /** One for each item, in order. */
  readonly items: readonly ItemAnswer[];
  /** Messages that this batch put into inboxes, in order. */
  readonly delivered: readonly InboxRow[];
  /** Runs with `due` 0 that this batch created besides its own starts: children, detached, triggered. */
  readonly started: readonly StartRow[];
  /** Runs that have their key by now and are due at once. */
  readonly woken: readonly RunId[];
  /** True while an event is owed to waiting runs: a `spread` item goes on with it. Absent: false. */
  readonly owes?: true;
}

/**
 * The durable truth. One process owns an embedded store at a time; `shared` says what is different for several nodes.
 *
 * Namespaces: verbs that take a namespace answer for its runs alone, others for all. A store keeps runs
 * of several namespaces apart, and what asks for one of them leaves the rows of the others as they are.
 *
 * Keys: the runs of one namespace, workflow and key have the key one after the other, in the order in which they were
 * created. Others rest held as `queued`. What ends the run that has it, or holds it while its `onHeldHead` is
 * "skip" and others wait, gives the key to the next one in the same transaction. A run that others were let past
 * queues again under its old number when it is released, so it is the next. A request to cancel takes a run that
 * never had its key out of the queue: it is due at once, with the place `ended`.
 *
 * Order: items of a batch take effect in order; later items see earlier ones. Durability: `commit` answers
 * only when its writes survive a power loss. Atomicity: a batch is applied whole, except items that are
 * refused or duplicates, which leave no trace. Errors: `commit` throws ClawError CLAW-4007 when fenced
 * (nothing written); anything else that it throws means that the outcome is unknown: the caller drops
 * what it has in memory, calls `open` again and goes on from what it reads.
 */
export interface Store {
  /**
   * Takes ownership and begins a new incarnation; called again after an error it closes and reopens.
   * Runs that another owner held when it ended without `close` have one recovery more; those with more
   * than `RECOVERIES_MAX` are held as quarantined. Parking and holding a run sets its recoveries to 0.
   * `lost` is called when an error of another verb than `commit` has closed the store: nothing else would tell a caller
   * that writes nothing at the moment.
   * Errors: CLAW-4001 owned by another process, 4002 damaged, 4003 newer, 4004 full, 4005 locked, 4008.
   */
  open(lost?: (error: unknown) => void): MaybePromise<StoreInfo>;
  /** Gives ownership back. Idempotent. */
  close(): MaybePromise<void>;
  /** Writes a batch in one transaction; answers when it is durable. */
  commit(batch: Batch): MaybePromise<BatchAnswer>;
  /** Open runs with these ids, in this order; unknown and closed ones are left out. */
  load(ids: readonly RunId[]): MaybePromise<readonly StoredRun[]>;
  /**
   * Ids of open, unheld runs owed a look at `nowMs` that are no suspects, most overdue first, at most `limit`. What an ended
   * process held (due 0) became due at once (1) with `open`, so it comes first, in this and in later
   * calls; `orphans` says that this is the first call after `open`.
   */
  due(
    nowMs: number,
    limit: number,
    orphans: boolean,
    namespace?: string,
  ): MaybePromise<readonly RunId[]>;
  /** Ids of open, unheld runs with at least `SUSPECT_RECOVERIES`, the fewest first. */
  suspects(limit: number, namespace?: string): MaybePromise<readonly RunId[]>;
  /** The earliest due time after `afterMs` among open, unheld runs, or null. */
  nextDue(afterMs: number, namespace?: string): MaybePromise<number | null>;
  /** Ids of runs held for one of the given reasons, oldest first. */
  held(kinds: readonly Hold[], limit: number, namespace?: string): MaybePromise<readonly RunId[]>;
  /** The run that a dedup scope belongs to (empty for messages), or null. */
  findDedup(scope: string): MaybePromise<{ run: RunId | ""; print: string } | null>;
  /** Runs that a query names, newest first. */
  list(query: RunQuery): MaybePromise<readonly RunSummary[]>;
  /** Open approvals, by creation, run and call. */
  approvals(query: ApprovalQuery): MaybePromise<readonly OpenApproval[]>;
  /** One run, open or closed, with its journal; null when unknown. */
  find(id: RunId): MaybePromise<RunRecord | null>;
  /**
   * Removes closed runs with all their rows, and events, in one transaction. An open run is never touched, and
   * what it may still need stays: its parent, its children, the events since its start. The newest event stays
   * in any case: numbers go on from it.
   */
  sweep(order: SweepOrder): MaybePromise<Swept>;
  /** Removes dedup rows that expired before `nowMs`; answers how many. */
  expire(nowMs: number, limit: number): MaybePromise<number>;
  /** What runs wrote to their streams; removed with the run. */
  readonly streams: StreamReads;
  /** A key with the first `limit` runs that wait for it; null when it has neither a state nor runs. */
  key(name: KeyName, limit: number): MaybePromise<KeyRecord | null>;
  /** Standalone tasks. */
  readonly tasks: TaskReads;
  /** Large payloads. */
  readonly blobs: BlobStore;
  /** What several nodes need that work on it at once; absent for a store that one process owns. */
  readonly shared?: SharedStore;
  /** Integrity: damaged pages, rows that contradict each other, stranded runs. Empty when sound. */
  check(): MaybePromise<readonly Finding[]>;
  /** Opens a look at the state of this moment. */
  look(): MaybePromise<StoreLook>;
  /** Writes a consistent copy to `path` while work goes on. */
  backup(path: string): MaybePromise<void>;
}
