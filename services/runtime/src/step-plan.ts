import { type Plan, RETRY_DEFAULT, retryPolicy } from "@claw/core/engine";
import { ClawError, durationMs, limits } from "@claw/core/protocol";
import type { StepOptions, TaskOptions } from "@claw/sdk";
import type { UndoPlan } from "./bodies.ts";

type TaskParts = Pick<TaskOptions<unknown, unknown>, "queue" | "priority">;

/** The plan of a step without options. */
export const STEP_DEFAULT = {
  kind: "step",
  retry: RETRY_DEFAULT,
  timeoutMs: 0,
  heartbeatMs: 0,
  queue: "",
  rank: 0,
  undoable: false,
  shielded: false,
} as const satisfies Plan;
const UNDO_ATTEMPTS = 10;

/** Checks the options of a step or call. Errors: CLAW-1001, CLAW-1007. */
export function stepPlan(options: (StepOptions & TaskParts) | undefined): Plan {
  if (options === undefined) return STEP_DEFAULT;
  return {
    kind: "step",
    retry: retryPolicy(options.retry),
    timeoutMs: options.timeout === undefined ? 0 : durationMs(options.timeout),
    heartbeatMs: options.heartbeat === undefined ? 0 : durationMs(options.heartbeat),
    queue: options.queue ?? "",
    rank: 0 - (options.priority ?? 0),
    undoable: options.undo !== undefined,
    shielded: options.shield ?? false,
  };
}

/** Checks how a step is taken back. Errors: CLAW-1001, CLAW-1007. */
export function undoPlan(options: StepOptions | undefined): UndoPlan | null {
  if (options?.undo === undefined) return null;
  if (typeof options.undo !== "function") throw new ClawError("CLAW-1001", "undo is no function");
  const { undoTimeout, uncertain = "report" } = options;
  if (!POLICIES.includes(uncertain)) {
    throw new ClawError("CLAW-1001", 'uncertain must be "report", "rerun" or "call"');
  }
  return {
    body: options.undo.bind(options),
    retry: retryPolicy({ attempts: UNDO_ATTEMPTS, ...options.undoRetry }),
    timeoutMs: undoTimeout === undefined ? limits.UNDO_TIMEOUT_MS : durationMs(undoTimeout),
    uncertain,
  };
}

const POLICIES: readonly string[] = ["report", "rerun", "call"];
