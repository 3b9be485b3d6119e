import type { ItemAnswer, MaybePromise } from "./store.ts";
import type { StoredRun } from "./store-reads.ts";
import type { InboxRow, RunId } from "../protocol/index.ts";

/** A definition that a node can run. */
export interface Hosted {
  /** Name of the workflow. */
  readonly workflow: string;
  /** Its version. */
  readonly version: number;
}

/** What a node says of itself with each renewal of its lease. */
export interface NodeReport {
  /** For people: host name and process id, or what the operator gave. */
  readonly name: string;
  /** Version of the program. */
  readonly release: string;
  /** Where its gateway listens, or empty. */
  readonly address: string;
  /** False while it drains or is over its limits: then nobody expects it to take runs. */
  readonly takes: boolean;
  /** Runs in memory. */
  readonly active: number;
  /** Runs that it holds in memory at most. */
  readonly activeMax: number;
  /** Bodies under way. */
  readonly bodies: number;
  /** What it can run; it claims nothing else. */
  readonly hosted: readonly Hosted[];
}

/** A node as the store knows it. */
export interface NodeRecord extends NodeReport {
  /** Its life. */
  readonly incarnation: number;
  /** When that began, by the clock of the store, milliseconds since 1970. */
  readonly since: number;
  /** Milliseconds until its lease ends; negative when it is over. */
  readonly leaseLeftMs: number;
}

/** A request of a client that only the node which holds the run can answer. */
export interface Errand {
  /** Chosen by the sender, unique for it. */
  readonly id: string;
  /** Incarnation that asks. */
  readonly from: number;
  /** The run that it is about. */
  readonly run: RunId;
  /** What is asked, as JSON text; the runtime's own words. */
  readonly body: string;
}

/** The answer to an errand. */
export interface ErrandReply {
  /** Of the errand. */
  readonly id: string;
  /** JSON text. */
  readonly body: string;
}

/** What others have left for this node. */
export interface Post {
  /** Runs that it holds or watches and that others have written to: messages came, or they have ended. */
  readonly runs: readonly RunId[];
  /** Requests about runs that it holds. */
  readonly errands: readonly Errand[];
  /** Answers to its own errands. */
  readonly replies: readonly ErrandReply[];
}

/**
 * What a store offers when several nodes work on it at once. Each `open` begins an incarnation with a lease.
 *
 * Holding: a run in memory is held by one incarnation: it created the run with `due` 0, or claimed it. Only that one
 * writes transitions of it; those of others, also of a run at rest, are refused with "elsewhere", as are
 * operations of others on a run that is held (pause, release, decision, clear). It gives the run up by parking,
 * ending, or holding it back in a transition, or with `giveUp`; a pause or a release leaves it the holder. Nobody else
 * takes it away, except `takeOver` after the incarnation's lease. A run at rest is held by nobody, and `due` and
 * `suspects` name no other, and none whose definition this node has not reported as hosted.
 * `Take` items are not used. `BatchAnswer.delivered` may leave out messages to runs that others hold.
 *
 * Fencing: an incarnation that was ended writes nothing any more (CLAW-4007), however late its commits arrive.
 *
 * Post: a message to a run that another incarnation holds leaves a note for that one in the same transaction; `collect`
 * takes the notes. A hint may be lost, late or doubled, so a node collects at bounded times as well.
 */
export interface SharedStore {
  /**
   * Open runs with these ids that no other incarnation holds, in this order: from now on this one holds them, also those
   * that are held back. Others are left out. What was sent to them before is in their inbox, what is sent later is post.
   */
  claim(ids: readonly RunId[], namespace?: string): MaybePromise<readonly StoredRun[]>;
  /**
   * Gives up runs that this incarnation holds and does not go on with: they are as they were written, due at once
   * unless they are held back. Those of others stay as they are.
   */
  giveUp(ids: readonly RunId[]): MaybePromise<void>;
  /** Unread messages of open runs, by run and number. */
  inbox(ids: readonly RunId[]): MaybePromise<readonly InboxRow[]>;
  /** Ids of runs that are due since `dueBefore` or longer and whose definition no live node has reported as hosted. */
  unhosted(dueBefore: number, limit: number, namespace?: string): MaybePromise<readonly RunId[]>;
  /** The incarnation that holds an open run, or null: nobody, or the run is not open. */
  holder(run: RunId): MaybePromise<number | null>;
  /** Takes what others left for this node. What is taken is not given again. */
  collect(): MaybePromise<Post>;
  /** Sets who is told that there may be post, or runs to claim. Null: nobody. */
  onHint(listener: (() => void) | null): void;
  /** This node wants post when these runs (of whomever) change or end, or no longer. Forgotten with the incarnation. */
  watch(runs: readonly RunId[], wanted: boolean): MaybePromise<void>;
  /** Leaves an errand for the holder of the run; `refused` ("unknown") when nobody holds it: claim it then. */
  send(errand: Omit<Errand, "from">): MaybePromise<ItemAnswer>;
  /** Answers an errand; nothing happens when the sender has ended. */
  reply(to: number, reply: ErrandReply): MaybePromise<void>;
  /** Remembered for the next renewal of the lease; called before `open`, it is written with the incarnation. */
  report(report: NodeReport): void;
  /** Nodes with a live incarnation, oldest first. */
  nodes(): MaybePromise<readonly NodeRecord[]>;
  /**
   * Ends incarnations whose lease is over by the store's clock; what they held is due at once and has one recovery more
   * (see `Store.open`). Answers how many incarnations it ended.
   */
  takeOver(): MaybePromise<number>;
  /** Milliseconds, by a monotonic clock, for which this incarnation may begin bodies and answer clients; 0 or less: no more. */
  leaseLeftMs(): number;
  /** What to add to this machine's time to have the store's, milliseconds. */
  skewMs(): number;
}
