export type { Assignment, BodyStream, Executor, TaskStep } from "./executor.ts";
export type { BlobPart, BlobStore, NewBlob } from "./blobs.ts";
export type { PayloadCodec, PayloadPlace } from "./codec.ts";
export type { Log, LogLine } from "./log.ts";
export type { StoreLook } from "./look.ts";
export type {
  Batch,
  BatchAnswer,
  Clear,
  CommitItem,
  DecisionItem,
  Dedup,
  Delivery,
  Finish,
  ItemAnswer,
  MaybePromise,
  NewRun,
  Park,
  PastGeneration,
  Pause,
  Publication,
  PublishedEvent,
  RareParts,
  PutBack,
  Renewal,
  Release,
  Start,
  Store,
  Take,
  Transition,
  Wait,
} from "./store.ts";
export type {
  Errand,
  ErrandReply,
  Hosted,
  NodeRecord,
  NodeReport,
  Post,
  SharedStore,
} from "./shared-store.ts";
export type {
  ApprovalQuery,
  Finding,
  RunQuery,
  StoredRun,
  StoreInfo,
  SweepCursor,
  SweepOrder,
  Swept,
} from "./store-reads.ts";
export type { ChunkPage, ChunkQuery, StreamChanges, StreamReads } from "./streams.ts";
export type {
  Enqueue,
  Redrive,
  TaskItem,
  TaskProgress,
  TaskQuery,
  TaskReads,
  TaskScope,
} from "./tasks.ts";
export type { CancelTimer, Clock, Random, Turns } from "./time.ts";
