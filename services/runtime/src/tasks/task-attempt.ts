import type { Executor, TaskStep } from "@claw/core/ports";
import {
  ClawError,
  decodePayload,
  encodePayload,
  isCoded,
  limits,
  type Payload,
  taskIdOf,
  traceparentOf,
} from "@claw/core/protocol";
import type { AnyTask } from "@claw/sdk";
import { currentRun } from "../current-run.ts";
import type { Node } from "../node.ts";
import { taskPlace } from "../payloads/places.ts";
import type { TaskInHand } from "./block-in-hand.ts";
import type { TaskPlan } from "./task-plan.ts";
import { Vigil } from "./vigil.ts";

/** What came of an attempt. */
export type AttemptEnd =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** What an attempt needs around it. */
export interface AttemptHost {
  readonly node: Pick<Node, "clock" | "timers" | "log" | "sealer">;
  readonly executor: Executor<AnyTask>;
  readonly salt: number;
  settled(attempt: TaskAttempt, end: AttemptEnd): void;
}

/** One try of a standalone task, and what its body gets. The first end counts. */
export class TaskAttempt implements TaskStep {
  readonly #host: AttemptHost;
  readonly task: TaskInHand;
  readonly plan: TaskPlan;
  #vigil: Vigil | null = null;
  #controller: AbortController | null = null;
  #abortedBy: ClawError | null = null;
  #over = false;
  /** Input and progress, where they are not stored as they are. */
  #opened: { readonly input: Payload; readonly progress: Payload } | null = null;
  /** What the next attempt gets. */
  progressSaid: string;

  constructor(host: AttemptHost, task: TaskInHand, plan: TaskPlan) {
    this.#host = host;
    this.task = task;
    this.plan = plan;
    this.progressSaid = task.progress;
  }

  get key(): string {
    return `${this.#host.salt.toString(36)}/${taskIdOf(this.task.id)}`;
  }

  get attempt(): number {
    return this.task.attempt;
  }

  get progress(): unknown {
    return decodePayload((this.#opened ?? this.task).progress);
  }

  get traceparent(): string {
    const { key } = this;
    return traceparentOf({ id: key, parentCall: "", cause: "" }, "", this.attempt);
  }

  get tracestate(): "" {
    return "";
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortedBy !== null) this.#controller.abort(this.#abortedBy);
    return this.#controller.signal;
  }

  stream(name: string): never {
    const detail = `The task "${this.task.name}" stands alone and has no stream "${name}"`;
    throw new ClawError("CLAW-2053", detail);
  }

  heartbeat(progress?: unknown): void {
    if (this.#over) return;
    this.#vigil?.heartbeat();
    if (progress === undefined) return;
    try {
      this.progressSaid = encodePayload(progress, limits.PROGRESS_BYTES_MAX);
    } catch {
      // What cannot be kept is not worth an attempt.
    }
  }

  start(): void {
    const { plan, task } = this;
    if (plan.timeoutMs > 0 || plan.heartbeatMs > 0) {
      this.#vigil = new Vigil(this.#host.node.clock, this.#host.node.timers);
      const what = `Attempt ${task.attempt} of ${taskIdOf(task.id)} (${task.name})`;
      this.#vigil.begin(what, plan, (error) => this.#giveUp(error));
    }
    if (!isCoded(task.input) && !isCoded(task.progress)) {
      this.#run();
      return;
    }
    this.#open().then(
      () => this.#run(),
      (error: unknown) => this.#end({ ok: false, error }),
    );
  }

  async #open(): Promise<void> {
    const { id, input, progress } = this.task;
    const { sealer } = this.#host.node;
    const task = taskIdOf(id);
    this.#opened = {
      input: await sealer.open(input, taskPlace(task, "input")),
      progress: await sealer.open(progress, taskPlace(task, "progress")),
    };
  }

  #run(): void {
    if (this.#over) return;
    try {
      const result = currentRun.run(this, this.#execute);
      if (!isThenable(result)) {
        this.#end({ ok: true, value: result });
        return;
      }
      Promise.resolve(result).then(
        (value) => this.#end({ ok: true, value }),
        (error: unknown) => this.#end({ ok: false, error }),
      );
    } catch (error) {
      this.#end({ ok: false, error });
    }
  }

  readonly #execute = (): unknown => {
    const input = decodePayload((this.#opened ?? this.task).input);
    return this.#host.executor.execute({ task: this.plan.task, input, step: this });
  };

  #giveUp(error: ClawError): void {
    this.#abort(error);
    this.#end({ ok: false, error });
  }

  /** A promise of its body was rejected and nobody handled it. */
  rejected(error: unknown): void {
    if (this.#over) {
      this.#host.node.log("warn", "unhandled rejection of a task that has ended", {
        task: taskIdOf(this.task.id),
        error: String(error),
      });
    }
    this.#end({ ok: false, error });
  }

  /** Ends it without a result: it is found again in the store. */
  discard(): void {
    if (this.#over) return;
    this.#over = true;
    this.#vigil?.end();
    this.#abort(new ClawError("CLAW-3005", "The runtime stops"));
  }

  #abort(reason: ClawError): void {
    this.#abortedBy ??= reason;
    this.#controller?.abort(reason);
  }

  #end(end: AttemptEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#vigil?.end();
    this.#host.settled(this, end);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise || typeof (value as { then?: unknown } | null)?.then === "function"
  );
}
