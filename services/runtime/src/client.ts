import type {
  CommitItem,
  Dedup,
  ItemAnswer,
  RunQuery,
  StoreInfo,
  TaskQuery,
} from "@claw/core/ports";
import {
  checkName,
  ClawError,
  type Decision,
  decodePayload,
  durationMs,
  encodePayload,
  fingerprint,
  type MessageKind,
  type OpenApproval,
  type Payload,
  type QueueCounts,
  type RunId,
  type RunRecord,
  type RunSummary,
  type TaskId,
  type TaskRecord,
} from "@claw/core/protocol";
import type { AnyTask, AnyWorkflow } from "@claw/sdk";
import type {
  ApprovalsQuery,
  Claw,
  DeadLetterQuery,
  EventInput,
  Forked,
  ForkOptions,
  KeyView,
  NodeView,
  PublishResult,
  RedriveReport,
  RetentionReport,
  RunHandle,
  RuntimeStats,
  StartOptions,
  StopOptions,
  UpdateRequest,
} from "./claw.ts";
import type { Retention } from "./runtime-options.ts";
import { decide } from "./approvals.ts";
import { viewNodes } from "./sharing/view-nodes.ts";
import { viewKey } from "./key-view.ts";
import type { ExportSelection } from "./moves/export-runs.ts";
import type { ExportBytes, ImportOptions, ImportReport } from "./moves/import-runs.ts";
import { storeName } from "./moves/store-name.ts";
import { exportRuns } from "./moves/when-needed.ts";
import type { Node } from "./node.ts";
import { publish } from "./publish.ts";
import { handleOf } from "./run-handle.ts";
import { startRun } from "./start-run.ts";
import { forkRun, retryRun } from "./fork.ts";
import { pauseRun, refusal, releaseRun, resumeRun, skipInRun, terminateRun } from "./operate.ts";
import type { EnqueuedTask, EnqueueOptions } from "./tasks/enqueue.ts";
import { countQueues, findTask, listTasks, redrive, redriveAll } from "./tasks/look-after.ts";
import { offerOf, outputOf, visitToAsk, visitToUpdate } from "./visit-run.ts";

const LIST_LIMIT = 50;
const APPROVALS_LIMIT = 1_000;

/** The handle of a node that callers get. */
export class Client implements Claw {
  readonly #node: Node;
  readonly #stop: (options: StopOptions) => Promise<void>;

  constructor(node: Node, stop: (options: StopOptions) => Promise<void>) {
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

  get taskNames(): readonly string[] {
    return [...this.#node.tasks.plans.keys()];
  }

  // The interface types what comes back from what is given. Inside, outputs have no type: a handle of
  // `never` stands for every one of them.
  start(
    workflow: AnyWorkflow | string,
    input: unknown,
    options: StartOptions = {},
  ): Promise<RunHandle<never>> {
    return startRun(this.#node, workflow, input, options);
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

  async deadLetters(query: DeadLetterQuery = {}): Promise<readonly TaskRecord[]> {
    return listTasks(this.#node, { ...query, status: "dead" });
  }

  async queues(): Promise<readonly QueueCounts[]> {
    return countQueues(this.#node);
  }

  async redriveAll(
    query: DeadLetterQuery,
    options: { readonly dryRun?: boolean } = {},
  ): Promise<RedriveReport> {
    return redriveAll(this.#node, query, options.dryRun ?? false);
  }

  async redrive(id: TaskId): Promise<void> {
    return redrive(this.#node, id);
  }

  publish(event: EventInput): Promise<PublishResult> {
    return publish(this.#node, event);
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
      const before = await visitToUpdate(node, run, offer, options.id === undefined);
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
    await decide(this.#node, run, call, decision);
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

  state(workflow: AnyWorkflow | string, key: string): Promise<KeyView<never>> {
    return viewKey(this.#node, workflow, key);
  }

  run<Output = unknown>(id: RunId): RunHandle<Output> {
    return handleOf(this.#node, id, false);
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

  async *exportRuns(
    selection: ExportSelection = {},
    options: Parameters<Claw["exportRuns"]>[1] = {},
  ): AsyncGenerator<string> {
    const { store, namespace, clock, sealer } = this.#node;
    this.#node.mustBeAvailable();
    const look = await store.look();
    try {
      const { plain = false, onProgress } = options;
      const source = {
        look,
        namespace,
        store: storeName(this.store),
        nowMs: clock.now(),
        sealer: plain ? sealer : null,
        ...(onProgress === undefined ? {} : { onProgress }),
      };
      yield* exportRuns(source, selection);
    } finally {
      await look.close();
    }
  }

  async importRuns(bytes: ExportBytes, options?: ImportOptions): Promise<ImportReport> {
    // Loaded with the first use, as in moves/when-needed.ts.
    const { importRuns } = await import("./moves/import-runs.ts");
    return importRuns(this.#node, bytes, options);
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

  assertReady(): void {
    this.#node.mustBeAvailable();
    if (this.#node.draining) throw new ClawError("CLAW-3005", "The runtime hands its work over");
  }

  flush(): Promise<void> {
    return this.#node.drain(Number.POSITIVE_INFINITY);
  }

  nodes(): Promise<readonly NodeView[]> {
    return viewNodes(this.#node);
  }

  stop(options: StopOptions = {}): Promise<void> {
    return this.#stop(options);
  }

  #request(item: CommitItem): Promise<ItemAnswer> {
    return this.#node.request(item);
  }
}
