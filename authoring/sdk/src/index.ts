export type { RetryOptions } from "@claw/core/engine";
export {
  CancelledError,
  ClawError,
  isCancelled,
  isClawError,
  StepError,
  type Duration,
  type ErrorCode,
  type Match,
  type RunId,
  type Stored,
} from "@claw/core/protocol";
export type {
  Branch,
  CallOptions,
  Context,
  MapOptions,
  RunAttributes,
  RunInfo,
  RunLog,
  StepContext,
  StepOptions,
  UpdateOptions,
  Waited,
  WaitOptions,
} from "./context.ts";
export {
  event,
  isWorkflow,
  task,
  workflow,
  type AnyTask,
  type AnyWorkflow,
  type Effect,
  type EventType,
  type Task,
  type TaskOptions,
  type Workflow,
  type WorkflowOptions,
} from "./define.ts";
export {
  isSchema,
  jsonSchemaOf,
  validate,
  type Schema,
  type SchemaIssue,
  type SchemaResult,
} from "./schema.ts";
