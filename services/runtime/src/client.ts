import type {
  CommitItem,
  Dedup,
  ItemAnswer,
  NewRun,
  RunQuery,
  StoreInfo,
  TaskQuery,
} from "@claw/core/ports";
import {
  checkName,
  ClawError,
  type Decision,
  decodePayload,
  type Duration,
  durationMs,
  encodePayload,
  type Ending,
  fingerprint,
  type MessageKind,
  type OpenApproval,
  type Payload,
  type RunId,
  type RunRecord,
  type RunSummary,
  type StartRow,
  StepError,
  type StoredEvent,
  type TaskId,
  type TaskRecord,
} from "@claw/core/protocol";
import { type AnyTask, type AnyWorkflow, validate } from "@claw/sdk";
import type {
  ApprovalsQuery,
  Claw,
  EventInput,
  Forked,
  ForkOptions,
  PublishResult,
  Retention,
  RetentionReport,
  RunHandle,
  RunResult,
  RuntimeStats,
  StartOptions,
  UpdateRequest,
} from "./claw.ts";
import { decide } from "./approvals.ts";
import type { Node } from "./node.ts";
import { forkRun, retryRun } from "./fork.ts";
import { pauseRun, refusal, releaseRun, resumeRun, skipInRun, terminateRun } from "./operate.ts";
import { startRow } from "./registry.ts";
import type { EnqueuedTask, EnqueueOptions } from "./tasks/enqueue.ts";
import { findTask, listTasks, redrive } from "./tasks/look-after.ts";
import { offerOf, outputOf, visitToAsk, visitToUpdate } from "./visit-run.ts";

const LIST_LIMIT = 50;
const APPROVALS_LIMIT = 1_000;

interface WaitFor {
  readonly timeout?: Duration;
}

/** The handle of a node that callers get. */
export class Client implements Claw {
  readonly #node: Node;
  readonly #stop: () => Promise<void>;

  constructor(node: Node, stop: () => Promise<void>) {
    this.#node = node;
    this.#stop = stop;
  }

  get store(): StoreInfo {
    if (this.#node.info === null) throw new ClawError("CLAW-3005");
    return this.#node.info;
  }

  get namespace(): string {
    return this.#node.namespace;
  }

  get workflows(): readonly AnyWorkflow[] {
    return this.#node.registry.workflows;
  }

  // The interface types what comes back from what is given. Inside, outputs have no type: a handle of
  // `never` stands for every one of them.
  async start(
    workflow: AnyWorkflow | string,
    input: unknown,
    options: StartOptions = {},
  ): Promise<RunHandle<never>> {
    const node = this.#node;
    const { registry } = node;
    const known = typeof workflow === "string" ? registry.newest(workflow) : registry.own(workflow);
    const checking = validate(known.options.input, input, `The input of "${known.name}"`);
    const value: unknown = checking instanceof Promise ? await checking : checking;
    const encoded = encodePayload(value, node.limits.payloadBytesMax);
    node.mustBeAvailable();
    const now = node.clock.now();
    const dedup = startDedup(node, known, encoded, options.idempotencyKey, now);
    if (dedup !== null) {
      const met = await node.store.findDedup(dedup.scope);
      if (met !== null) return this.#metBefore(met, dedup);
      node.mustBeAvailable();
    }
    const row = startRow(known, encoded, {
      id: node.newId(now, options.idempotencyKey),
      namespace: node.namespace,
      startedAt: now,
      parentRun: "",
      parentCall: "",
      cause: "",
    });
    if (!node.hasRoom) return this.#startLater(row, dedup);
    // What the code gets is what replay would give it: plain values are the same either way.
    const asIs = typeof value !== "object" && value !== 0; // -0 is stored as 0
    const given = asIs ? value : decodePayload(encoded);
    return new Promise((resolve, reject) => {
      const started = (id: RunId, existing: boolean): void => resolve(this.#handle(id, existing));
      node.begin(row, given, { started, failed: reject }, dedup);
    });
  }

  #metBefore(met: { run: RunId; print: string }, dedup: Dedup): RunHandle<never> {
    if (met.print !== dedup.print) throw new ClawError("CLAW-3003");
    return this.#handle(met.run, true);
  }

  async #startLater(row: StartRow, dedup: Dedup | null): Promise<RunHandle<never>> {
    const { id, namespace, startedAt } = row;
    const answer = await this.#request({
      type: "transition",
      run: id,
      namespace,
      startedAt,
      start: row,
      dedup,
      entries: "",
      firstSeq: 1,
      seq: 0,
      acks: [],
      waits: [],
      unwaits: [],
      starts: [],
      messages: [],
      events: [],
      phase: null,
      park: { due: 1, waits: 0, inboxSeen: 0 },
      hold: null,
      finish: null,
    });
    this.#node.wakes.noRoom();
    if (answer.status === "applied") return this.#handle(id, false);
    if (answer.status === "refused") throw new ClawError("CLAW-4009", answer.detail);
    if (!answer.same) throw new ClawError("CLAW-3003");
    return this.#handle(answer.run, true);
  }

  async enqueue(
    task: AnyTask | string,
    input: unknown,
    options: EnqueueOptions = {},
  ): Promise<EnqueuedTask> {
    return this.#node.tasks.intake.one(task, input, options);
  }

  async enqueueMany(
    task: AnyTask | string,
    inputs: readonly unknown[],
    options: EnqueueOptions = {},
  ): Promise<readonly TaskId[]> {
    return this.#node.tasks.intake.many(task, inputs, options);
  }

  async tasks(query: Partial<TaskQuery> = {}): Promise<readonly TaskRecord[]> {
    return listTasks(this.#node, query);
  }

  async findTask(id: TaskId): Promise<TaskRecord | null> {
    return findTask(this.#node, id);
  }

  async deadLetters(query: Partial<TaskQuery> = {}): Promise<readonly TaskRecord[]> {
    return listTasks(this.#node, { ...query, status: "dead" });
  }

  async redrive(id: TaskId): Promise<void> {
    return redrive(this.#node, id);
  }

  async publish(event: EventInput): Promise<PublishResult> {
    const node = this.#node;
    const stored = toStored(node, event);
    node.mustBeAvailable();
    const now = node.clock.now();
    const { started, refused } = node.registry.triggered(
      event.type,
      decodePayload(stored.data),
      node.limits.payloadBytesMax,
    );
    for (const { workflow, error } of refused) node.triggerRefused(event.type, workflow, error);
    const starts = started.map(
      ({ workflow, input }): NewRun => ({
        row: startRow(workflow, input, {
          id: node.newId(now, undefined),
          namespace: node.namespace,
          startedAt: now,
          parentRun: "",
          parentCall: "",
          cause: `event ${stored.source} ${stored.id}`,
        }),
        due: node.admit() ? 0 : 1,
      }),
    );
    const answer = await this.#request({
      type: "publication",
      namespace: node.namespace,
      event: stored,
      starts,
    });
    if (answer.status === "refused") throw new ClawError("CLAW-4009", answer.detail);
    if (answer.status === "duplicate") {
      return { status: "duplicate", started: [], refused: [] };
    }
    return {
      status: "accepted",
      started: starts.map((start) => start.row.id),
      refused: refused.map(({ workflow, error }) => ({ workflow, reason: error.detail })),
    };
  }

  async signal(
    run: RunId,
    name: string,
    value?: unknown,
    options: { readonly id?: string } = {},
  ): Promise<void> {
    checkName(name, "The signal");
    const data = encodePayload(value, this.#node.limits.payloadBytesMax);
    await this.#deliver(run, "signal", name, data, options.id);
  }

  async query(run: RunId, name: string, input?: unknown): Promise<never> {
    checkName(name, "The query");
    const data = encodePayload(input, this.#node.limits.payloadBytesMax);
    return decodePayload(await visitToAsk(this.#node, run, { name, input: data })) as never;
  }

  async update(
    run: RunId,
    name: string,
    input?: unknown,
    options: UpdateRequest = {},
  ): Promise<never> {
    const node = this.#node;
    checkName(name, "The update");
    const now = node.clock.now();
    const deadline = options.timeout === undefined ? 0 : now + durationMs(options.timeout);
    const id = options.id ?? `upd_${node.newId(now, undefined).slice(4)}`;
    const offer = offerOf(id, name, encodePayload(input, node.limits.payloadBytesMax));
    // Registered before it is taken: its end is not missed.
    const wait = node.updates.wait(run, offer.call, deadline);
    try {
      const before = await visitToUpdate(node, run, offer);
      return outputOf(before ?? (await wait.outcome), offer.call);
    } finally {
      wait.cancel();
    }
  }

  async approvals(query: ApprovalsQuery = {}): Promise<readonly OpenApproval[]> {
    this.#node.mustBeAvailable();
    return this.#node.store.approvals({ limit: APPROVALS_LIMIT, ...query });
  }

  async approve(run: RunId, call: string, decision: Decision): Promise<void> {
    await decide(this.#node, run, call, decision, (item) => this.#request(item));
  }

  async cancel(run: RunId, reason = ""): Promise<void> {
    await this.#deliver(
      run,
      "cancel",
      "",
      encodePayload(reason.slice(0, 1_000).toWellFormed()),
      undefined,
    );
  }

  async #deliver(
    run: RunId,
    kind: MessageKind,
    name: string,
    data: Payload,
    id: string | undefined,
  ): Promise<void> {
    const node = this.#node;
    node.mustBeAvailable();
    const dedup: Dedup | null =
      id === undefined
        ? null
        : {
            scope: [node.namespace, kind, run, id].join("\u001f"),
            print: fingerprint(`${name}|${data}`),
            expiresAt: node.clock.now() + node.limits.dedupWindowMs,
          };
    const message = { to: run, kind, name, from: "", data };
    const answer = await this.#request({ type: "delivery", message, dedup });
    if (answer.status === "duplicate" && !answer.same) throw new ClawError("CLAW-3003");
    if (answer.status === "refused") throw refusal(answer, run);
  }

  release(run: RunId): Promise<void> {
    return releaseRun(this.#node, run);
  }

  pause(run: RunId, note = ""): Promise<void> {
    return pauseRun(this.#node, run, note);
  }

  resume(run: RunId): Promise<void> {
    return resumeRun(this.#node, run);
  }

  terminate(run: RunId, reason = ""): Promise<void> {
    return terminateRun(this.#node, run, reason);
  }

  fork(run: RunId, options: ForkOptions): Promise<Forked> {
    return forkRun(this.#node, run, options);
  }

  retry(run: RunId): Promise<Forked> {
    return retryRun(this.#node, run);
  }

  skip(run: RunId, call: string, value: unknown, options: { readonly by: string }): Promise<void> {
    return skipInRun(this.#node, run, call, value, options.by);
  }

  run<Output = unknown>(id: RunId): RunHandle<Output> {
    return this.#handle(id, false, true);
  }

  #handle(id: RunId, existing: boolean, unsure = existing): RunHandle<never> {
    const ended = async (options: WaitFor = {}): Promise<RunResult<never>> => {
      return toResult(await this.#ending(id, unsure, options.timeout), id);
    };
    const result = async (options: WaitFor = {}): Promise<never> => {
      const outcome = toResult(await this.#ending(id, unsure, options.timeout), id);
      if (outcome.status === "completed") return outcome.output;
      throw outcome.error;
    };
    return { id, existing, ended, result };
  }

  async #ending(id: RunId, unsure: boolean, timeout: Duration | undefined): Promise<Ending> {
    const node = this.#node;
    node.mustBeAvailable();
    const deadline = timeout === undefined ? 0 : node.clock.now() + durationMs(timeout);
    // Registered before looking: an end between the two is not missed.
    const waiting = node.results.wait(id, deadline);
    if (!unsure && node.active.has(id)) return waiting;
    waiting.catch(() => {});
    const record = await node.store.find(id);
    if (record === null) {
      node.results.unknown(id, new ClawError("CLAW-3001", `There is no run ${id}`));
      return waiting;
    }
    if (record.endedAt === null) return waiting;
    const { status, endedAt, output, error, abandoned } = record;
    const ending = { status, endedAt, output, error, abandoned } as Ending;
    node.results.ended(id, ending);
    return ending;
  }

  async list(query: Partial<RunQuery> = {}): Promise<readonly RunSummary[]> {
    this.#node.mustBeAvailable();
    return this.#node.store.list({ namespace: this.namespace, limit: LIST_LIMIT, ...query });
  }

  async find(id: RunId): Promise<RunRecord | null> {
    this.#node.mustBeAvailable();
    return this.#node.store.find(id);
  }

  async backup(path: string): Promise<void> {
    this.#node.mustBeAvailable();
    await this.#node.store.backup(path);
  }

  async sweep(
    options: { readonly dryRun?: boolean; readonly keep?: Partial<Retention> } = {},
  ): Promise<RetentionReport> {
    return this.#node.sweeper.sweep(options.keep ?? {}, options.dryRun ?? false);
  }

  stats(): RuntimeStats {
    const { active, committer, loop, bodyCount, recoveryCount } = this.#node;
    return {
      active: active.size,
      commits: committer.commitCount,
      transitions: committer.transitionCount,
      turns: loop.turnCount,
      bodies: bodyCount,
      recoveries: recoveryCount,
    };
  }

  flush(): Promise<void> {
    return this.#node.drain(Number.POSITIVE_INFINITY);
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  #request(item: CommitItem): Promise<ItemAnswer> {
    return this.#node.request(item);
  }
}

function startDedup(
  node: Node,
  workflow: AnyWorkflow,
  input: Payload,
  key: string | undefined,
  now: number,
): Dedup | null {
  if (key === undefined) return null;
  if (key === "" || key.length > 500 || !key.isWellFormed() || /\p{Cc}/u.test(key)) {
    throw new ClawError("CLAW-1008", "The idempotency key is not valid");
  }
  return {
    scope: [node.namespace, "start", workflow.name, key].join("\u001f"),
    print: fingerprint(input),
    expiresAt: now + node.limits.dedupWindowMs,
  };
}

function toStored(node: Node, event: EventInput): StoredEvent {
  const { type, subject } = event;
  const now = node.clock.now();
  const source = event.source ?? `/claw/${node.namespace}`;
  const id = event.id ?? `evt_${node.newId(now, undefined).slice(4)}`;
  const time = event.time === undefined ? now : Math.round(Number(event.time));
  for (const [field, text] of Object.entries({ type, source, id, subject })) {
    if (field === "subject" && text === undefined) continue;
    const valid = typeof text === "string" && text !== "" && text.length <= 2_000;
    if (!valid || /\p{Cc}/u.test(text) || !text.isWellFormed()) {
      throw new ClawError("CLAW-5008", `The event's ${field} is not valid`);
    }
  }
  if (!Number.isSafeInteger(time))
    throw new ClawError("CLAW-5008", "The event's time is not valid");
  const data = encodePayload(event.data, node.limits.payloadBytesMax);
  return { id, source, type, ...(subject === undefined ? {} : { subject }), time, data };
}

function toResult(ending: Ending, run: RunId): RunResult<never> {
  if (ending.status === "completed") {
    return { status: "completed", output: decodePayload(ending.output) as never };
  }
  const record = ending.error ?? { name: "Error", message: "no error was recorded" };
  return { status: ending.status, error: new StepError(record, run, 1, "CLAW-2001") };
}
