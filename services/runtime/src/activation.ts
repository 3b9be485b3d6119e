import type { CancelTimer, Dedup, ItemAnswer } from "@claw/core/ports";
import {
  addMessages,
  beginCalls,
  continueRun,
  renewedRun,
  type Call,
  deliver,
  type Draft,
  endCode,
  endUpdates,
  explainDivergence,
  finishRun,
  firstUnasked,
  hasOpenChild,
  holdRun,
  idleUpdates,
  isLingering,
  leaveTaken,
  nextItem,
  parkRun,
  type RunState,
  type Scope,
  settleReplay,
  takeInbox,
} from "@claw/core/engine";
import { ClawError, type Hold, type InboxRow, type Payload, type RunId } from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";
import { abortBodies, abortBody, type LiveCall, startBody } from "./bodies.ts";
import { compensate, type FailedVerdict } from "./compensate.ts";
import { RunContext } from "./context.ts";
import { currentRun } from "./current-run.ts";
import { giveUpIdle } from "./handlers.ts";
import type { Node } from "./node.ts";
import { mustCompensate } from "./owed-undo.ts";
import { OpenedData } from "./payloads/opened-data.ts";
import { restNow } from "./rest-now.ts";
import { Halting } from "./halting.ts";
import { leftMemory, Orders } from "./orders.ts";
import type { BodyStreams } from "./streams/body-streams.ts";
import { type Handlers, publishEnds, type Visits } from "./visits.ts";
import { startCode, type Starter } from "./start-code.ts";
import { type CodeEnd, foreignEnd, judge, type Judgement } from "./verdict.ts";

/** One run in memory: its state, its code under way, and the turns that it is given. */
export class Activation {
  readonly node: Node;
  readonly state: RunState;
  readonly workflow: AnyWorkflow;
  readonly context: RunContext;
  readonly dedup: Dedup | null;
  readonly #input: unknown;
  #starter: Starter | null;
  #codeStarted = false;
  #ended: Judgement | null = null;
  /** The code has ended, and what it came to stands; only children are waited for. */
  awaiting = false;
  #concluded = false;
  #stuckTimer: (() => void) | null = null;
  #patienceTimer: (() => void) | null = null;
  #patient = true;
  #heldBack = false;
  #abort: AbortController | null = null;
  #halting: Halting | null = null;
  #orders: Orders | null = null;
  /** Processes in a row that ended while they held the run. */
  recoveries = 0;
  /** To the store it rests, although an update or a skip has brought it here. */
  rests = false;
  /** Timers of calls in memory, cancelled with the activation. */
  timers: Set<CancelTimer> | null = null;
  /** Kept by the turn loop and the committer. */
  queued = false;
  dirty = false;
  sent = false;
  sentDraft: Draft | null = null;
  sentSeq = 0;
  /** Sequence of the last entry that is durable; -1 for a run that is not in the store yet. */
  durableSeq: number;
  /** True between delivery and close: the only time when ctx calls are taken. */
  turnOpen = false;
  /** The scope whose call opened the current turn. */
  turnScope: Scope | null = null;
  /** Queries and updates that the code answers. */
  handlers: Handlers | null = null;
  /** What its bodies write to streams. */
  streams: BodyStreams | null = null;
  /** Clients that wait at this run. */
  visits: Visits | null = null;
  /** Replays to answer queries: begins nothing, writes nothing. */
  onlyReads = false;
  /** True while code answers a client, outside of turns. */
  reading = false;
  readonly #data: OpenedData;
  /** Ended, parked, fenced or discarded: its ctx calls never settle and it writes nothing. */
  inert = false;

  constructor(
    node: Node,
    state: RunState,
    workflow: AnyWorkflow,
    input: unknown,
    starter: Starter | null = null,
    dedup: Dedup | null = null,
  ) {
    this.node = node;
    this.state = state;
    this.workflow = workflow;
    this.#input = input;
    this.#starter = starter;
    this.dedup = dedup;
    this.durableSeq = starter === null ? state.seq : -1;
    this.#data = new OpenedData(node.sealer, state.start.id);
    this.context = new RunContext(this, state.root);
  }

  /** No turn and no body begins any more; it ends when what is under way has ended. */
  get halting(): boolean {
    return this.#halting !== null;
  }

  /** Its end or hold is decided, if not durable yet. */
  get concluded(): boolean {
    return this.#concluded;
  }

  get id(): RunId {
    return this.state.start.id;
  }

  /** Aborted when the run is cancelled or this activation ends. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.inert || this.state.cancelled !== null) this.#abort.abort();
    return this.#abort.signal;
  }

  /** Begins the code, or delivers one item to it. Called by the turn loop only. */
  openTurn(): void {
    if (this.inert || this.#concluded || this.halting) return;
    if (this.#codeStarted && this.#data.mustWait(nextItem(this.state)?.entry, this.#opened)) return;
    // What is to begin waits until all that the code has seen is durable: until then it sees nothing more.
    this.#heldBack = this.sentDraft !== null && this.state.begun.length > 0;
    if (this.#heldBack) return;
    this.turnOpen = true;
    this.#stuckTimer?.();
    this.#stuckTimer = null;
    if (!this.#codeStarted) {
      this.#codeStarted = true;
      this.turnScope = null;
      currentRun.run(this, this.#startCode);
      return;
    }
    const item = nextItem(this.state);
    if (item === null) return;
    this.#patient = true;
    this.turnScope = item.call?.scope ?? null;
    deliver(this.state, item, this.#data.take(item.entry.seq));
    if (item.call === null) this.#abort?.abort();
  }

  readonly #opened = (failure: string | null): void => {
    if (this.inert || this.#concluded) return;
    if (failure === null) return this.node.loop.wake(this);
    this.#hold("unreadable", failure);
    this.node.loop.schedule();
  };

  readonly #startCode = (): void => {
    startCode(this, this.#input, (end) => this.#codeEnded(end));
  };

  #codeEnded(end: CodeEnd): void {
    if (this.inert || this.#concluded || this.#ended?.kind === "hold") return;
    const foreign = !this.turnOpen && this.workflow.options.foreignAwait !== "warn";
    const known = foreign ? foreignEnd(end) : end;
    const verdict = this.#judge(known);
    if (verdict.kind === "end" && verdict.verdict.status !== "completed" && mustCompensate(this)) {
      // Still in the turn in which the code ended: the undos are its continuation.
      void this.#compensate(verdict.verdict);
      return;
    }
    this.#ended ??= verdict;
    if (!this.turnOpen) this.node.loop.wake(this);
  }

  async #compensate(verdict: FailedVerdict): Promise<void> {
    try {
      this.#ended = { kind: "end", verdict: await compensate(this, verdict) };
    } catch (error) {
      this.#ended = this.#judge({ ok: false, error });
    }
    if (!this.turnOpen) this.node.loop.wake(this);
  }

  #judge(end: CodeEnd): Judgement {
    const { payloadBytesMax } = this.node.limits;
    return judge(end, this.workflow, this.state.cancelled, payloadBytesMax);
  }

  /** The code made a mistake that holds its run, whatever else it does in this turn. */
  mistaken(error: unknown): void {
    if (!this.inert && !this.#concluded) this.#ended ??= this.#judge({ ok: false, error });
  }

  /** The code goes on as the run's next generation, at the close of this turn. */
  goOnWith(input: Payload): void {
    if (this.inert || this.#concluded) return;
    if (this.#ended === null) leaveTaken(this.state);
    this.#ended ??= { kind: "continue", input };
    if (!this.turnOpen) this.node.loop.wake(this);
  }

  /** An author's promise was rejected and nobody handled it: that is an error of this run. */
  rejected(error: unknown): void {
    if (this.inert || this.#concluded || this.halting || this.awaiting) return;
    const verdict = this.#judge({ ok: false, error });
    // A stray promise has no place in the order of turns, so no compensation can stand on it.
    const held = { kind: "hold", hold: "bug", reason: String(error) } as const;
    this.#ended = mustCompensate(this) ? held : verdict;
    this.node.loop.wake(this);
  }

  /** Closes a turn of a replay that only goes on; false, and nothing done, when there is more to it. */
  replaysOn(): boolean {
    const { state } = this;
    if (!state.replaying || this.#ended !== null || this.visits !== null) return false;
    if (this.inert || this.#concluded || this.halting || this.#data.isOpening) return false;
    if (state.draft !== null || state.evolution?.inserting === true) return false;
    if (state.divergence !== null || state.begun.length + state.closedCalls.length > 0)
      return false;
    if (nextItem(state) === null) return false;
    this.turnOpen = false;
    this.node.loop.wake(this);
    return true;
  }

  /** All microtasks of the turn have drained: decides what follows. */
  closeTurn(nowMs: number): void {
    const wasOpen = this.turnOpen;
    this.turnOpen = false;
    if (this.inert || this.#concluded) return;
    if (!wasOpen && this.#halting !== null) return this.#halting.settle();
    if (settleReplay(this.state, this.#mayAskLater) && this.state.divergence !== null) {
      return this.#hold("diverged", explainDivergence(this.state));
    }
    if (this.onlyReads) return this.#readOn(nowMs);
    if (this.#ended !== null) return this.#conclude(this.#ended, nowMs);
    this.#advance(nowMs);
  }

  // Replays on to where the journal ends, answers, and is dropped.
  #readOn(nowMs: number): void {
    if (this.#data.isOpening) return;
    // Code that has ended is told nothing more, here as where it lived: unless it has diverged.
    const isOver = this.#ended !== null && firstUnasked(this.state) === null;
    if (!isOver && nextItem(this.state) !== null) return this.node.loop.wake(this);
    if (this.state.replaying && this.#mayAskLater) return this.#watch(nowMs);
    this.visits?.answerQueries();
    this.retire();
  }

  // Code with leave to await other things than ctx may ask for what the journal has outside of turns.
  get #mayAskLater(): boolean {
    return this.workflow.options.foreignAwait === "warn" && this.#ended === null;
  }

  #advance(nowMs: number): void {
    const { state } = this;
    // Something has happened since it was put to rest in a draft that waits to be sent.
    if (state.draft !== null) state.draft.park = null;
    beginCalls(state, nowMs);
    takeInbox(state, nowMs);
    if (state.updates !== null && !state.replaying) endUpdates(state, nowMs);
    this.visits?.takeOffer(nowMs);
    if (this.#orders !== null && !state.replaying) this.#orders.carryOut(nowMs);
    if (!this.#data.isOpening) this.#goOn(nowMs);
    if (state.draft !== null || state.begun.length > 0 || state.closedCalls.length > 0) {
      this.node.committer.touch(this);
    }
    this.visits?.letIn();
  }

  #goOn(nowMs: number): void {
    const { state } = this;
    if (nextItem(state) !== null) {
      if (!this.#heldBack) this.node.loop.wake(this);
    } else if (state.replaying && state.evolution?.inserting !== true) this.#watch(nowMs);
    else this.#rest(nowMs);
  }

  #rest(nowMs: number): void {
    const { node } = this;
    const rest = restNow(this, this.#patient, nowMs);
    if (rest.kind === "stuck" || (!this.awaiting && idleUpdates(this.state).length > 0)) {
      this.#watch(nowMs);
    } else if (rest.kind === "park") {
      parkRun(this.state, rest.due, rest.waits);
    } else if (this.#patient && this.#patienceTimer === null && hasOpenChild(this.state)) {
      this.#patienceTimer = node.timers.add(nowMs + node.limits.parkGraceMs, () => {
        this.#patienceTimer = null;
        this.#patient = false;
        this.touched(node.clock.now());
      });
    }
  }

  // Code that waits for nothing durable has so much time until its next turn.
  #watch(nowMs: number): void {
    const { timers, limits } = this.node;
    this.#stuckTimer ??= timers.add(nowMs + limits.stuckAfterMs, () => this.#stuck());
  }

  #stuck(): void {
    this.#stuckTimer = null;
    if (this.halting || this.inert || this.#concluded || this.turnOpen || this.#ended !== null)
      return;
    if (settleReplay(this.state) && this.state.divergence !== null) {
      this.#hold("diverged", explainDivergence(this.state));
    } else if (this.state.open.size === 0) {
      this.#hold("stuck", "the code has not ended and waits for no ctx call");
    } else if (giveUpIdle(this)) {
      this.#advance(this.node.clock.now());
    }
    this.node.loop.schedule();
  }

  /** Something happened outside of a turn (a message, a due time, a failed attempt). */
  touched(nowMs: number): void {
    if (this.inert || this.#concluded || this.turnOpen || this.halting) return;
    if (!this.#codeStarted || (this.#ended !== null && !this.awaiting)) return;
    this.#advance(nowMs);
    this.node.loop.schedule();
  }

  /** Messages that the store put into the inbox of this run. */
  receive(row: InboxRow): void {
    if (!this.inert) addMessages(this.state, [row]);
  }

  #conclude(verdict: Judgement, nowMs: number): void {
    if (verdict.kind === "hold") return this.#hold(verdict.hold, verdict.reason);
    if (this.state.updates !== null) endUpdates(this.state, nowMs);
    const goesOn = verdict.kind === "continue";
    const left = endCode(this.state, goesOn ? "its next generation" : "the end of the code", nowMs);
    if (left === "diverged") return this.#hold("diverged", explainDivergence(this.state));
    this.awaiting = left === "waits";
    if (this.awaiting) return this.#advance(nowMs);
    if (goesOn) continueRun(this.state, verdict.input, nowMs);
    else finishRun(this.state, verdict.verdict, nowMs);
    this.#concluded = true;
    this.node.committer.touch(this);
  }

  #hold(kind: Hold, reason: string): void {
    if (this.onlyReads) {
      this.visits?.fail(kind, reason);
      return this.retire();
    }
    this.#concluded = true;
    holdRun(this.state, kind, reason);
    this.node.committer.touch(this);
    this.node.log("warn", `run held: ${kind}`, {
      run: this.id,
      workflow: this.workflow.name,
      reason,
    });
  }

  /** The transition that was sent is durable, or was refused. */
  committed(answer: ItemAnswer, nowMs: number): void {
    const draft = this.sentDraft;
    this.sentDraft = null;
    if (this.inert || draft === null) return;
    if (answer.status !== "applied") return this.#notApplied(answer);
    if (answer.refused !== undefined) this.node.startsRefused(answer.refused);
    this.durableSeq = this.sentSeq;
    if (this.#heldBack) this.node.loop.wake(this);
    this.#orders?.durable(draft);
    if (this.recoveries > 0) this.node.trials.proved(this);
    this.#starter?.started(this.id, false);
    this.#starter = null;
    if (draft.extras !== null) publishEnds(this, draft.extras.updates);
    if (draft.ending !== null) {
      this.retire();
      this.node.results.ended(this.id, draft.ending);
    } else if (draft.extras?.rare?.renewal) {
      this.retire();
      this.node.updates.runEnded(this.id);
      this.node.renew(this.workflow, renewedRun(this.state, draft.extras.rare.renewal));
    } else if (draft.hold !== null) {
      this.retire();
      this.node.updates.fail(this.id, new ClawError("CLAW-2015", `Run ${this.id} is held back`));
      // A request to cancel would meet nobody: the held run ends by what its journal says.
      if (this.state.inbox.some(({ kind }) => kind === "cancel")) this.node.takeUpSoon([this.id]);
    } else if (draft.park !== null && answer.parked) {
      this.retire();
      if (draft.park.due !== null) this.node.wakes.expect(draft.park.due);
    } else {
      // It did not rest because of a message; of several nodes another may have put it there.
      if (draft.park !== null) void this.node.sharing?.inboxes.read(this.id);
      this.act(nowMs);
      this.visits?.letIn();
      if (this.visits?.hasOffers === true) this.touched(nowMs);
    }
  }

  #notApplied(answer: Exclude<ItemAnswer, { status: "applied" }>): void {
    const starter = this.#starter;
    this.retire();
    if (answer.status === "duplicate") this.node.answerDuplicate(answer, starter);
    // It was held and others were let past before this was written, or another node has it: it goes on from what is stored.
    else if (answer.why === "state" || answer.why === "elsewhere") return;
    else this.node.endings.failPoisoned(this.id, answer.detail, starter);
  }

  /** Everything so far is durable: bodies may start, timers count, closed calls are aborted. */
  act(nowMs: number): void {
    const { state } = this;
    if (state.closedCalls.length > 0) {
      for (const call of state.closedCalls) {
        abortBody(call as LiveCall, isLingering(state, call));
      }
      state.closedCalls = [];
    }
    if (this.#halting !== null) return this.#halting.settle();
    if (this.inert || state.begun.length === 0 || state.draft !== null) {
      // A draft made meanwhile: what began stands on it and waits for its commit.
      if (!this.inert && state.draft !== null) this.node.committer.touch(this);
      return;
    }
    const begun = state.begun;
    state.begun = [];
    for (const call of begun) {
      if (!call.open || call.answered) continue;
      if (call.plan.kind === "step" && call.dueAt <= nowMs) startBody(this, call as LiveCall);
      else this.node.setTimer(this, call);
    }
  }

  /** Starts the body of a step whose pause is over. */
  attempt(call: Call): void {
    if (this.inert || this.halting || !call.open || call.running) return;
    if (this.state.draft === null && this.sentDraft === null) {
      startBody(this, call as LiveCall);
      return;
    }
    // The body may hold, in its closure, what the code has seen and no commit has answered for yet.
    this.state.begun.push(call);
    this.node.committer.touch(this);
    this.node.loop.schedule();
  }

  /** Ends this activation: it becomes inert, its bodies are aborted, its memory is given back. */
  retire(): void {
    if (this.inert) return;
    this.inert = true;
    this.#stuckTimer?.();
    this.#patienceTimer?.();
    if (this.timers !== null) for (const cancel of this.timers) cancel();
    abortBodies(this.state);
    this.streams?.drop();
    this.#abort?.abort();
    this.visits?.end();
    this.node.retired(this);
    this.#halting?.ended();
    this.#orders?.drop(leftMemory(this.id));
  }

  /**
   * Begins nothing any more and settles when this activation has ended: bodies under way are let to end, at
   * the longest for `lingerMs`, and what is known by then is stored.
   */
  halt(lingerMs: number): Promise<void> {
    if (this.inert) return Promise.resolve();
    this.#halting ??= new Halting(this);
    return this.#halting.begin(lingerMs);
  }

  /**
   * Does something as soon as nothing of the journal is left to deliver; settles when it is durable.
   * Errors: what `act` throws; CLAW-3005 when this activation ends before.
   */
  order(act: (nowMs: number) => void): Promise<void> {
    if (this.inert) return Promise.reject(leftMemory(this.id));
    this.#orders ??= new Orders(this.state);
    const carriedOut = this.#orders.add(act);
    this.touched(this.node.clock.now());
    return carriedOut;
  }

  /** Ends this activation because the store was lost: whoever waits for its start is told. */
  discard(error: unknown): void {
    const starter = this.#starter;
    this.#starter = null;
    this.retire();
    starter?.failed(error);
  }
}
