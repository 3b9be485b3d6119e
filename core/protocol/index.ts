export type { Decision, OpenApproval } from "./approval.ts";
export {
  readCoded,
  shownEntry,
  shownPayload,
  shownRun,
  shownSummary,
  shownTask,
  standInFor,
  writeCoded,
  type BlobPlace,
  type CodedPayload,
} from "./coded.ts";
export { durationMs, type Duration } from "./duration.ts";
export {
  ClawError,
  ERRORS,
  isClawError,
  type ClawErrorOptions,
  type ErrorCode,
  type ErrorRecord,
  type ErrorSpec,
} from "./errors.ts";
export {
  checkMatch,
  encodeEventNote,
  eventKey,
  eventNumberOf,
  matchKey,
  shapeOf,
  valueAt,
  type EventNote,
  type Match,
  type Shape,
  type StoredEvent,
} from "./event.ts";
export {
  CancelledError,
  describeError,
  isCancelled,
  isKernelError,
  recordError,
  StepError,
} from "./failure.ts";
export { fingerprint, hash128 } from "./hash.ts";
export {
  derivedRunId,
  isRunId,
  newRunId,
  PARTITION_COUNT,
  partitionOf,
  partitionOfKey,
  startTimeOf,
  type RunId,
} from "./ids.ts";
export {
  entryKindName,
  type EntryKindName,
  entryParts,
  joinParts,
  type EntryPart,
  childOf,
  childrenOf,
  decodeEntries,
  encodeChild,
  encodeEntry,
  encodeGap,
  entriesBefore,
  numberAfter,
  ENTRY_KINDS,
  type AttachedChild,
  type ChildOutcome,
  type Entry,
  type EntryKind,
  type ForkNote,
  type RetryNote,
  type GenerationNote,
  type SavedNote,
  type SkipNote,
  type UndoNote,
} from "./journal.ts";
export * as limits from "./limits.ts";
export type { InboxRow, Message, MessageKind } from "./message.ts";
export { checkName, encodeKey } from "./name.ts";
export {
  isCoded,
  decodePayload,
  encodePayload,
  utf8Bytes,
  type Payload,
  type Stored,
} from "./payload.ts";
export type {
  AttributeChanges,
  Attributes,
  AttributeValue,
  ClosedStatus,
  Ending,
  Hold,
  OnParentEnd,
  Phase,
  RunRecord,
  Generation,
  RunRow,
  RunStatus,
  RunSummary,
  StartRow,
} from "./run.ts";
export type { ChunkBlock, StreamHead } from "./stream.ts";
export {
  joinInputs,
  queueCounts,
  recordOfAside,
  recordsOfBlock,
  splitInputs,
  taskIdOf,
  taskRecordOf,
  taskNumberOf,
  type AsideTask,
  type OpenBlock,
  type QueueCounts,
  type StoredTask,
  type TaskBlock,
  type TaskCount,
  type TaskId,
  type TaskPlace,
  type TaskRecord,
  type TaskStatus,
} from "./task.ts";
