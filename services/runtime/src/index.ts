export type {
  ApprovalsQuery,
  Chunk,
  Claw,
  DeadLetterQuery,
  EventInput,
  Forked,
  ForkOptions,
  KeyView,
  NodeView,
  PublishResult,
  RedriveReport,
  ReadOptions,
  RetentionReport,
  RunEvent,
  RunHandle,
  RunResult,
  RuntimeStats,
  StartOptions,
  StopOptions,
  UpdateRequest,
} from "./claw.ts";
export type { ExportSelection, ExportSource, MoveProgress } from "./moves/export-runs.ts";
export { exportRuns, readRecords } from "./moves/when-needed.ts";
export { storeName } from "./moves/store-name.ts";
export { exportFile } from "./moves/export-file.ts";
export type { ExportBytes, ImportOptions, ImportReport } from "./moves/import-runs.ts";
export { exportRecord } from "./moves/export-record.ts";
export type { Retention, RuntimeLimits, RuntimeOptions } from "./runtime-options.ts";
export { openRuntime } from "./open-runtime.ts";
export { type Replayed, replayRecorded } from "./replay-recorded.ts";
export type { EnqueuedTask, EnqueueOptions } from "./tasks/enqueue.ts";
export { compression, type CompressionOptions } from "./codecs/compression.ts";
export { encryption, type KeyRing } from "./codecs/encryption.ts";
