import { isLastAttempt, pauseMs } from "@claw/core/engine";
import type { Executor } from "@claw/core/ports";
import {
  type AsideTask,
  ClawError,
  encodePayload,
  limits,
  recordError,
  taskIdOf,
} from "@claw/core/protocol";
import type { AnyTask } from "@claw/sdk";
import type { RuntimeOptions } from "../runtime-options.ts";
import type { Node } from "../node.ts";
import type { TaskInHand } from "./block-in-hand.ts";
import { Intake } from "./enqueue.ts";
import { inlineExecutor } from "./inline-executor.ts";
import { Outcomes, type Written } from "./outcomes.ts";
import { type AttemptEnd, TaskAttempt } from "./task-attempt.ts";
import { planTasks, type TaskPlan } from "./task-plan.ts";
import { TaskQueue } from "./task-queue.ts";

/** Ends that may wait to become durable before no further task starts. */
const OUTCOMES_MAX = 16_384;
/** Looks at what other nodes have left are so far apart at least. */
const LOOK_AGAIN_MS = 100;

type BoardOptions = Pick<RuntimeOptions, "tasks" | "queues" | "executor">;

/** The standalone tasks of a node: its queues, and the attempts under way. */
export class TaskBoard {
  readonly node: Node;
  readonly executor: Executor<AnyTask>;
  readonly plans: ReadonlyMap<string, TaskPlan>;
  readonly #concurrency: ReadonlyMap<string, number>;
  readonly #queues = new Map<string, TaskQueue>();
  readonly #attempts = new Set<TaskAttempt>();
  readonly #outcomes: Outcomes;
  readonly intake: Intake = new Intake(this);
  #open = false;
  #looks = false;
  /** The greatest number ever given. */
  lastId = 0;
  salt = 0;

  /** Errors: CLAW-1001, CLAW-1002. */
  constructor(node: Node, options: BoardOptions) {
    this.node = node;
    this.executor = options.executor ?? inlineExecutor;
    this.plans = planTasks(options.tasks ?? []);
    this.#concurrency = checkQueues(options.queues);
    this.#outcomes = new Outcomes(node, (written) => this.#written(written));
  }

  /** The plan of a task. Errors: CLAW-1003. */
  planOf(task: AnyTask | string): TaskPlan {
    const name = typeof task === "string" ? task : task.name;
    const plan = this.plans.get(name);
    if (plan !== undefined && (typeof task === "string" || plan.task === task)) return plan;
    throw new ClawError("CLAW-1003", `Task ${JSON.stringify(name)} is not registered here`);
  }

  /** The store was opened: what waits there is looked for. */
  async takeOver(): Promise<void> {
    if (this.plans.size === 0) return;
    const { store, namespace } = this.node;
    const { lastId, salt } = await store.tasks.head();
    this.lastId = lastId;
    this.salt = salt;
    this.#open = true;
    for (const name of await store.tasks.queues(namespace)) this.queue(name).lookAgain();
  }

  /** Other nodes may have left tasks: looks for them, soon and not too often. */
  lookSoon(): void {
    if (this.plans.size === 0 || !this.#open || this.#looks) return;
    this.#looks = true;
    const { clock } = this.node;
    clock.after(LOOK_AGAIN_MS, () => {
      this.#looks = false;
      this.#lookAgain().catch((error: unknown) => {
        this.node.log("warn", "looking for tasks failed", { error: String(error) });
      });
    });
  }

  async #lookAgain(): Promise<void> {
    const { node } = this;
    if (!this.#open || !node.available || node.draining) return;
    const { incarnation } = node.committer;
    const names = await node.store.tasks.queues(node.namespace);
    if (!this.#open || incarnation !== node.committer.incarnation) return;
    for (const name of names) this.queue(name).lookAgain();
  }

  /** The queue of a name; made when it is named first. */
  queue(name: string): TaskQueue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const { store, namespace, timers } = this.node;
    const queue: TaskQueue = new TaskQueue(
      name,
      this.#concurrency.get(name) ?? limits.QUEUE_CONCURRENCY,
      {
        reads: store.tasks,
        timers,
        scope: { namespace, queue: name, names: [...this.plans.keys()] },
        now: () => this.node.clock.now(),
        mayStart: () => this.#open && this.node.available && this.#outcomes.open < OUTCOMES_MAX,
        start: (task) => this.#start(task, queue),
        again: (full) => this.node.loop.later(() => full.pump()),
        failed: (error) => {
          this.node.log("warn", "looking for tasks failed", { queue: name, error: String(error) });
        },
      },
    );
    this.#queues.set(name, queue);
    return queue;
  }

  #start(task: TaskInHand, queue: TaskQueue): void {
    const plan = this.plans.get(task.name) as TaskPlan;
    this.node.bodyCount++;
    const { node, executor, salt } = this;
    const settled = (attempt: TaskAttempt, end: AttemptEnd): void => {
      this.#attempts.delete(attempt);
      this.#settle(attempt, end);
      queue.leave();
    };
    const attempt = new TaskAttempt({ node, executor, salt, settled }, task, plan);
    this.#attempts.add(attempt);
    attempt.start();
  }

  #settle(attempt: TaskAttempt, end: AttemptEnd): void {
    const { task, plan } = attempt;
    if (!end.ok) {
      const next = this.#afterFailure(attempt, end.error);
      if (next.status === "waiting") this.queue(task.queue).hold(task.id);
      this.#outcomes.add(task, next);
    } else if (plan.keepsResults) {
      this.#outcomes.add(task, this.#kept(attempt, end.value));
    } else {
      this.#outcomes.add(task, null);
    }
  }

  #kept(attempt: TaskAttempt, value: unknown): AsideTask {
    try {
      const output = encodePayload(value, this.node.limits.payloadBytesMax);
      const due = this.node.clock.now() + limits.TASK_KEPT_MS;
      return { ...rowOf(attempt), status: "completed", due, output, progress: "", error: null };
    } catch (error) {
      return this.#afterFailure(attempt, error);
    }
  }

  #afterFailure(attempt: TaskAttempt, thrown: unknown): AsideTask {
    const { task, plan } = attempt;
    const now = this.node.clock.now();
    const error = recordError(thrown);
    const row = { ...rowOf(attempt), output: "", progress: attempt.progressSaid, error };
    if (isRefusal(thrown) || isLastAttempt(plan.retry, task.attempt, error)) {
      return { ...row, status: "dead", due: now };
    }
    const due = now + pauseMs(plan.retry, task.attempt, attempt.key);
    return { ...row, status: "waiting", attempt: task.attempt + 1, due };
  }

  #written({ blocksGone, asideGone, aside }: Written): void {
    for (const block of blocksGone) this.#queues.get(block.row.queue)?.forget(block);
    for (const { queue, id } of asideGone) this.#queues.get(queue)?.forgetAside(id);
    for (const { queue, id, status, due, name } of aside) {
      this.#queues.get(queue)?.forgetAside(id);
      if (status === "waiting") this.#queues.get(queue)?.expect(due);
      else if (status === "dead") {
        this.node.log("warn", "task is dead", { task: taskIdOf(id), name, queue });
      }
    }
    for (const queue of this.#queues.values()) queue.pump();
  }

  /** Drops everything in memory; what the store knows is the truth. */
  reset(): void {
    this.#open = false;
    for (const attempt of this.#attempts) attempt.discard();
    this.#attempts.clear();
    this.#outcomes.reset();
    for (const queue of this.#queues.values()) queue.reset();
  }
}

function rowOf(
  attempt: TaskAttempt,
): Pick<
  AsideTask,
  "id" | "namespace" | "queue" | "rank" | "name" | "attempt" | "addedAt" | "input"
> {
  const { id, namespace, queue, rank, name, attempt: number, addedAt, input } = attempt.task;
  return { id, namespace, queue, rank, name, attempt: number, addedAt, input };
}

function isRefusal(error: unknown): boolean {
  try {
    return (error as { retryable?: unknown } | null)?.retryable === false;
  } catch {
    return false; // reading the author's error may throw
  }
}

function checkQueues(queues: RuntimeOptions["queues"]): ReadonlyMap<string, number> {
  const checked = new Map<string, number>();
  for (const [name, { concurrency }] of Object.entries(queues ?? {})) {
    if (!Number.isInteger(concurrency) || concurrency < 0) {
      throw new ClawError("CLAW-1001", `queues.${name}.concurrency must be a whole number from 0`);
    }
    checked.set(name, concurrency);
  }
  return checked;
}
