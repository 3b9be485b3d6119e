export type { Decision, OpenApproval } from "./approval.ts";
export {
  ARCHIVE_VERSION,
  type ArchivedKey,
  type ArchivedStreams,
  type OpenState,
  type RunArchive,
  type StartRequest,
} from "./archive.ts";
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
  encodeChild,
  encodeEntry,
  encodeGap,
  entriesBefore,
  numberAfter,
  printOf,
  UNDO_MARK,
  ENTRY_KINDS,
  type AttachedChild,
  type ChildOutcome,
  type Entry,
  type EntryKind,
  type ForkNote,
  type RetryNote,
  type GenerationNote,
  type MoveNote,
  type SavedNote,
  type SkipNote,
  type UndoNote,
} from "./journal.ts";
export {
  checkKey,
  keyForReplay,
  keyOwner,
  refusedOutcome,
  refusedStartError,
  retryAfterMs,
  smoothedTurnMs,
  type HeldHead,
  type KeyChange,
  type KeyLine,
  type KeyName,
  type KeyPlace,
  type KeyRecord,
  type RefusedStart,
  type RunKey,
  type StoredKey,
} from "./key.ts";
export { decodeEntries, Journal } from "./read-journal.ts";
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
  inheritedTrace,
  spanIdOf,
  traceContextOf,
  traceIdOf,
  traceOfHeaders,
  traceparentOf,
  type TraceContext,
  type TracedStart,
} from "./trace-context.ts";
export { otlpOf, type OtlpAttribute, type OtlpSpan, type OtlpTraces } from "./trace-otlp.ts";
export { type SpanEvent, type TraceSpan, traceSpans } from "./trace-spans.ts";
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
