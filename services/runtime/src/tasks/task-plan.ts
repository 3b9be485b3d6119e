import { type RetryPolicy, retryPolicy } from "@claw/core/engine";
import { ClawError, durationMs } from "@claw/core/protocol";
import { type AnyTask, isTask } from "@claw/sdk";

/** Where standalone tasks wait whose definition names no queue. */
const DEFAULT_QUEUE = "default";

/** A definition with its options read once. */
export interface TaskPlan {
  readonly task: AnyTask;
  readonly queue: string;
  readonly priority: number;
  readonly retry: RetryPolicy;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly keepsResults: boolean;
}

/**
 * The tasks of a process by name. Errors: CLAW-1001 for something that is no task, CLAW-1002 for two of one
 * name.
 */
export function planTasks(tasks: readonly AnyTask[]): ReadonlyMap<string, TaskPlan> {
  const plans = new Map<string, TaskPlan>();
  for (const task of tasks) {
    if (!isTask(task)) {
      throw new ClawError("CLAW-1001", "tasks has something that task() did not make");
    }
    const known = plans.get(task.name)?.task;
    if (known === task) continue;
    if (known !== undefined) throw new ClawError("CLAW-1002", `Task ${task.name} is defined twice`);
    plans.set(task.name, planOf(task));
  }
  return plans;
}

function planOf(task: AnyTask): TaskPlan {
  const { queue, priority, retry, timeout, heartbeat, keep } = task.options;
  return {
    task,
    queue: queue ?? DEFAULT_QUEUE,
    priority: priority ?? 0,
    retry: retryPolicy(retry),
    timeoutMs: timeout === undefined ? 0 : durationMs(timeout),
    heartbeatMs: heartbeat === undefined ? 0 : durationMs(heartbeat),
    keepsResults: keep === "all",
  };
}
