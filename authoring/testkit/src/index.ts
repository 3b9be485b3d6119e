export type { BodyRun } from "./body-log.ts";
export type { CommitView } from "./commit-words.ts";
export type { CrashOutcome, CrashPoint, CrashRun, RunEnd, Scenario } from "./crash-points.ts";
export type { EntryKindName, JournalLine, SeenRun, Waits } from "./seen-run.ts";
export type { Replacements, StepBody, TaskBody } from "./stand-ins.ts";
export {
  type FailedCommit,
  type PublishOptions,
  testWorld,
  World,
  type WorldOptions,
} from "./world.ts";
export { WorldRun, type WorldResult } from "./world-run.ts";
export { exportHistory } from "./history.ts";
export {
  type FolderVerdict,
  replayFolder,
  replayHistory,
  type ReplayOptions,
  type ReplayVerdict,
} from "./replay-history.ts";
