export type { Executor, TaskJob, TaskStep } from "./executor.ts";
export type { Log, LogLine } from "./log.ts";
export type {
  Batch,
  BatchAnswer,
  Clear,
  CommitItem,
  Dedup,
  Delivery,
  Finding,
  Finish,
  ItemAnswer,
  MaybePromise,
  NewRun,
  Park,
  Pause,
  Publication,
  PublishedEvent,
  RareParts,
  Release,
  RunQuery,
  Store,
  StoredRun,
  StoreInfo,
  Transition,
  Wait,
} from "./store.ts";
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
