import { hostname } from "node:os";
import { type Call, fireTimer, isAsking } from "@claw/core/engine";
import type {
  BatchAnswer,
  Clock,
  CommitItem,
  ItemAnswer,
  Log,
  Random,
  Store,
  StoreInfo,
} from "@claw/core/ports";
import {
  ClawError,
  decodePayload,
  type InboxRow,
  isCoded,
  limits,
  newRunId,
  PARTITION_COUNT,
  partitionOfKey,
  type RefusedStart,
  refusedStartError,
  type RunId,
  type StartRow,
} from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";
import { Activation } from "./activation.ts";
import { isDeciding } from "./approvals.ts";
import { boundTo } from "./bind-namespace.ts";
import { BodiesUnderWay } from "./bodies-under-way.ts";
import type { RuntimeLimits, RuntimeOptions } from "./runtime-options.ts";
import { Committer } from "./committer.ts";
import { Endings } from "./endings.ts";
import { Feeds } from "./feeds/feeds.ts";
import { sealedStore } from "./payloads/sealed-store.ts";
import { Sealer } from "./payloads/sealer.ts";
import type { NodeIdentity } from "./sharing/describe-node.ts";
import type { Registry } from "./registry.ts";
import { Results } from "./results.ts";
import { retentionOf, Sweeper } from "./retention.ts";
import { Sharing } from "./sharing/sharing.ts";
import { storeClock } from "./sharing/store-clock.ts";
import type { Starter } from "./start-code.ts";
import { systemClock, systemRandom, systemTurns } from "./system.ts";
import { TakeUps } from "./take-ups.ts";
import { TaskBoard } from "./tasks/task-board.ts";
import { Timers } from "./timers.ts";
import { openRun, draftOf, type RunState } from "@claw/core/engine";
import { Trials } from "./trials.ts";
import { TurnLoop } from "./turn-loop.ts";
import { UpdateWaiters } from "./update-waiters.ts";
import { Wakes } from "./wakes.ts";

const WARNED_MAX = 1_000;
/** Pause until a wait whose time is over is looked at again, while its subscription is under way. */
const LOOK_BACK_MS = 20;

/** One node: the runs in memory and the parts that serve them. */
export class Node {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly registry: Registry;
  readonly namespace: string;
  readonly limits: RuntimeLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  readonly loop: TurnLoop;
  readonly committer: Committer;
  readonly wakes: Wakes;
  readonly sweeper: Sweeper;
  readonly trials: Trials;
  readonly tasks: TaskBoard;
  readonly results: Results;
  readonly updates: UpdateWaiters;
  readonly feeds: Feeds = new Feeds();
  readonly active = new Map<RunId, Activation>();
  /** Its part in a store that several nodes share; null for a store of its own. */
  readonly sharing: Sharing | null;
  readonly identity: NodeIdentity;
  readonly bodies: BodiesUnderWay = new BodiesUnderWay();
  /** When the store was opened, milliseconds since 1970. */
  openedAt = 0;
  /** True once it is to stop: it takes up nothing more. */
  draining = false;
  readonly #log: Log | undefined;
  readonly #warned = new Set<string>();
  readonly takeUps: TakeUps;
  /** Runs that are being ended without their code: not taken up any more. */
  readonly endings: Endings;
  /** How many decisions are under way, by approval. */
  readonly deciding = new Map<string, number>();
  /** Places in memory that were given to runs which the next commit creates. */
  #admitted = 0;
  /** Until then runs that are taken up are written down before they go on: this process may crash as well. */
  carefulUntil = 0;
  #isSpreading = false;
  bodyCount = 0;
  recoveryCount = 0;
  info: StoreInfo | null = null;
  /** Why nothing is taken at the moment; null when all is well. */
  unavailable: ClawError | null = new ClawError("CLAW-3005", "The runtime is starting");
  /** Called when the store was lost. Set by recovery. */
  onLost: (error: unknown) => void = () => {};

  constructor(options: RuntimeOptions, registry: Registry) {
    this.namespace = options.namespace ?? "default";
    this.identity = identityOf(options);
    this.registry = registry;
    this.limits = {
      payloadBytesMax: limits.PAYLOAD_BYTES_MAX,
      activeRunsMax: limits.ACTIVE_RUNS_MAX,
      parkGraceMs: limits.PARK_GRACE_MS,
      stuckAfterMs: limits.STUCK_AFTER_MS,
      dedupWindowMs: limits.DEDUP_WINDOW_MS,
      inlineBytesMax: limits.INLINE_BYTES_MAX,
      streamChunkBytesMax: limits.STREAM_CHUNK_BYTES_MAX,
      streamChunksMax: limits.STREAM_CHUNKS_MAX,
      streamBytesMax: limits.STREAM_BYTES_MAX,
      ...options.limits,
    };
    this.sealer = new Sealer(options.store.blobs, options.codec, this.limits.inlineBytesMax);
    this.store = boundTo(sealedStore(options.store, this.sealer), this.namespace);
    const clock = options.clock ?? systemClock;
    const { shared } = this.store;
    this.clock = shared === undefined ? clock : storeClock(clock, shared);
    this.random = options.random ?? systemRandom();
    this.#log = options.log;
    this.timers = new Timers(this.clock);
    this.results = new Results(this.timers);
    this.updates = new UpdateWaiters(this.timers);
    this.results.onEnded = (run) => this.updates.runEnded(run);
    this.committer = new Committer(
      this.store,
      this.namespace,
      {
        committed: (answer, items) => this.#committed(answer, items),
        lost: (error) => this.onLost(error),
      },
      () => this.admit(),
    );
    this.loop = new TurnLoop(this.clock, options.turns ?? systemTurns(), (nowMs) => {
      this.committer.flush(nowMs);
    });
    this.wakes = new Wakes(this);
    this.sweeper = new Sweeper(this, retentionOf(options.retention));
    this.trials = new Trials(this);
    this.endings = new Endings(this);
    this.takeUps = new TakeUps(this);
    this.tasks = new TaskBoard(this, options);
    this.sharing = shared === undefined ? null : new Sharing(this, shared);
  }

  /** How many more runs may be held in memory; places that are promised already do not count. */
  get room(): number {
    const taken = this.active.size + this.#admitted + this.takeUps.promised;
    return Math.max(0, this.limits.activeRunsMax - taken);
  }

  /** True when one more run may be held in memory. */
  get hasRoom(): boolean {
    return !this.draining && this.room > 0;
  }

  /** Takes a place in memory for a run that the next commit creates, if there is one. */
  admit(): boolean {
    const room = this.hasRoom;
    if (room) this.#admitted++;
    else this.wakes.noRoom();
    return room;
  }

  get available(): boolean {
    return this.unavailable === null;
  }

  log(
    level: "debug" | "info" | "warn" | "error",
    message: string,
    fields: Record<string, unknown>,
  ): void {
    this.#log?.({ level, message, fields });
  }

  /** Warns of something once in the life of this node. */
  warnOnce(key: string, message: string, fields: Record<string, unknown>): void {
    if (this.#warned.has(key) || this.#warned.size >= WARNED_MAX) return;
    this.#warned.add(key);
    this.log("warn", message, fields);
  }

  /** A trigger did not start its workflow because the event does not match its schema. */
  triggerRefused(type: string, workflow: string, error: ClawError): void {
    this.log("warn", "trigger refused", { type, workflow, code: error.code, reason: error.detail });
  }

  /** Runs were not created because their keys take no more; whoever waits for one has been told. */
  startsRefused(refused: readonly RefusedStart[]): void {
    for (const one of refused) {
      const { code, detail } = refusedStartError(one);
      this.log("warn", "start refused", { workflow: one.workflow, code, reason: detail });
    }
  }

  /** An id for a new run; the same key gives the same partition. */
  newId(nowMs: number, key: string | undefined): RunId {
    const { random } = this;
    const partition = key === undefined ? random.word() % PARTITION_COUNT : partitionOfKey(key);
    return newRunId(nowMs, partition, [random.word(), random.word(), random.word()]);
  }

  /** Begins a run that is not in the store yet; its first transition carries the start. */
  begin(row: StartRow, input: unknown, starter: Starter, dedup: Activation["dedup"]): void {
    const workflow = this.registry.find(row.workflow, row.version);
    if (workflow === undefined) throw new ClawError("CLAW-1003");
    const state = openRun(row);
    draftOf(state).start = true;
    const activation = new Activation(this, state, workflow, input, starter, dedup);
    this.active.set(row.id, activation);
    this.loop.wake(activation);
  }

  /** Goes on with the next generation of a run. */
  renew(workflow: AnyWorkflow, state: RunState): void {
    // What it took in an earlier life and puts back is opened where messages are: with what the store has.
    if (state.inbox.some(({ data }) => isCoded(data))) return this.takeUpSoon([state.start.id]);
    const activation = new Activation(this, state, workflow, decodePayload(state.start.input));
    this.active.set(state.start.id, activation);
    this.loop.wake(activation);
  }

  /** Begins runs whose rows this node has just written. */
  #beginWritten(row: StartRow): void {
    const workflow = this.registry.find(row.workflow, row.version);
    if (this.active.has(row.id)) return;
    if (workflow === undefined) {
      // It was started by code that knows it, on a node that does not: it is held as such.
      this.takeUpSoon([row.id]);
      return;
    }
    const activation = new Activation(this, openRun(row), workflow, decodePayload(row.input));
    this.active.set(row.id, activation);
    this.loop.wake(activation);
  }

  #committed(answer: BatchAnswer, items: readonly CommitItem[]): void {
    if (!this.feeds.isIdle) this.feeds.committed(items, answer.items);
    this.#admitted = 0;
    for (const row of answer.started) this.#beginWritten(row);
    this.#deliver(answer.delivered);
    // Due in the store in any case.
    if (answer.woken.length > 0) this.takeUpSoon(answer.woken);
    if (answer.owes === true) this.spreadEvents();
    if (!this.committer.idle) this.loop.schedule();
  }

  /** Goes on with events that the store owes to very many waiting runs, one commit after the other. */
  spreadEvents(): void {
    if (this.#isSpreading) return;
    this.#isSpreading = true;
    this.committer.request({
      item: { type: "spread" },
      answered: ({ status }) => {
        this.#isSpreading = false;
        // The next commit of others tries again.
        if (status === "refused") this.log("error", "an event cannot be spread", {});
      },
      lost: () => {
        this.#isSpreading = false;
      },
    });
    this.loop.schedule();
  }

  #deliver(rows: readonly InboxRow[]): void {
    if (rows.length === 0) return;
    const touched = new Set<Activation>();
    const parked = new Set<RunId>();
    const cancelled: RunId[] = [];
    for (const row of rows) {
      const activation = this.active.get(row.to);
      if (activation !== undefined) {
        // What another node wrote before this is read first: a mailbox keeps its order.
        if (this.sharing !== null && row.seq > activation.state.inboxSeen + 1) {
          void this.sharing.inboxes.read(row.to);
          continue;
        }
        activation.receive(row);
        touched.add(activation);
      } else if (!this.takeUps.receive(row) && !this.endings.receive(row)) {
        parked.add(row.to);
        if (row.kind === "cancel") cancelled.push(row.to);
      }
    }
    const now = this.clock.now();
    for (const activation of touched) activation.touched(now);
    if (parked.size === 0) return;
    // Runs for which there is no room stay due in the store; a held run is never due, and the
    // cancellation that ends it needs no room.
    const { room } = this;
    if (parked.size > room) this.wakes.noRoom();
    this.takeUpSoon([...parked].slice(0, room).concat(cancelled));
  }

  /** Takes up runs; what fails stays due in the store. */
  takeUpSoon(ids: readonly RunId[]): void {
    this.takeUps.soon(ids);
  }

  /** Loads runs and goes on with them; those in memory or being loaded are passed over. */
  takeUp(ids: readonly RunId[]): Promise<void> {
    return this.takeUps.takeUp(ids);
  }

  /** Writes something for a client with the next commit; `first` is called before anything else acts on it. */
  request(item: CommitItem, first: (answer: ItemAnswer) => void = () => {}): Promise<ItemAnswer> {
    return new Promise((resolve, lost) => {
      const answered = (answer: ItemAnswer): void => {
        first(answer);
        resolve(answer);
      };
      this.committer.request({ item, answered, lost });
      this.loop.schedule();
    });
  }

  /** A run was paused, durably: it leaves the memory as soon as what is under way has ended. */
  haltPaused(run: RunId): void {
    const activation = this.active.get(run);
    if (activation !== undefined) {
      void activation.halt(limits.PAUSE_LINGER_MS).then(() => this.takeUps.giveUp([run]));
    }
    // What was read before the pause is not what the store holds now.
    else if (this.takeUps.forget(run)) this.log("debug", "paused while it was loaded", { run });
  }

  /** A start met an earlier one of the same key: the earlier run answers, or it is a conflict. */
  answerDuplicate(answer: ItemAnswer & { status: "duplicate" }, starter: Starter | null): void {
    if (starter === null) return;
    if (answer.same) starter.started(answer.run, true);
    else starter.failed(new ClawError("CLAW-3003"));
  }

  /** Acts on a call when it is due, but not before `notBefore`. */
  setTimer(activation: Activation, call: Call, notBefore = 0): void {
    const fire = (isRead: boolean): void => {
      activation.timers?.delete(cancel);
      if (activation.inert || activation.halting) return;
      const now = this.clock.now();
      // The answer to a subscription or decision under way may hold what comes before the timeout, and so may
      // an event that the store still owes.
      const asking =
        isAsking(activation.sentDraft, call) ||
        isDeciding(this, activation.id, call.id) ||
        (this.#isSpreading && call.plan.kind === "event");
      if (!isRead && this.sharing !== null && call.plan.kind !== "step") {
        // What another node has sent in time lies in the inbox, however late the note about it comes.
        void this.sharing.inboxes.read(activation.id).then(() => fire(true));
        return;
      }
      const fired = asking ? "early" : fireTimer(activation.state, call, now);
      if (fired === "answered") activation.touched(now);
      else if (fired === "attempt") activation.attempt(call);
      // Of a wait that is due and asking only the next commit can tell more.
      else if (fired === "early") this.setTimer(activation, call, now + LOOK_BACK_MS);
    };
    const cancel = this.timers.add(Math.max(call.dueAt, notBefore), () => fire(false));
    activation.timers ??= new Set();
    activation.timers.add(cancel);
  }

  /** An activation has ended. */
  retired(activation: Activation): void {
    if (this.active.get(activation.id) === activation) this.active.delete(activation.id);
    this.wakes.roomFreed();
  }

  /** Drops every run in memory; what the store knows is the truth. Who waits for an end goes on waiting. */
  discardAll(error: unknown): void {
    const all = [...this.active.values()];
    this.active.clear();
    this.endings.clear();
    this.takeUps.clear();
    this.wakes.stop();
    this.trials.stop();
    this.tasks.reset();
    for (const activation of all) activation.discard(error);
    this.updates.drop(error);
    // From now on what commits is not all that there is: the batch under way may be written as well.
    this.feeds.reread();
    this.committer.drop(error);
    this.sharing?.stop(error);
  }

  /** Settles when what was asked for before is durable or has failed, at the latest after so many turns. */
  async drain(turnsMax: number): Promise<void> {
    // The first turn is that of runs that were just begun: they have written nothing yet.
    for (let turn = 0; turn < turnsMax && this.committer.open; turn++) {
      if (turn > 0 && this.committer.idle) return;
      this.loop.schedule();
      await this.loop.pause();
    }
  }

  /** Throws when nothing is taken at the moment. Errors: CLAW-3005, CLAW-4004, CLAW-4006. */
  mustBeAvailable(): void {
    if (this.unavailable !== null) throw this.unavailable;
  }
}

function identityOf({ node = {} }: RuntimeOptions): NodeIdentity {
  return { name: `${hostname()}:${process.pid}`, release: "", address: "", ...node };
}
