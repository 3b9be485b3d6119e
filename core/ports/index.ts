export type { Log, LogLine } from "./log.ts";
export type {
  Batch,
  BatchAnswer,
  CommitItem,
  Dedup,
  Delivery,
  Finding,
  Finish,
  ItemAnswer,
  MaybePromise,
  NewRun,
  Park,
  Publication,
  PublishedEvent,
  Release,
  RunQuery,
  Store,
  StoredRun,
  StoreInfo,
  Transition,
  Wait,
} from "./store.ts";
export type { CancelTimer, Clock, Random, Turns } from "./time.ts";
