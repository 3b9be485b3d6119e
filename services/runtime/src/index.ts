export type {
  Claw,
  EventInput,
  PublishResult,
  RunHandle,
  RunResult,
  RuntimeLimits,
  RuntimeOptions,
  RuntimeStats,
  StartOptions,
} from "./claw.ts";
export { openRuntime } from "./open-runtime.ts";
