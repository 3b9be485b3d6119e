import type { MaybePromise, Store } from "@claw/core/ports";

/** Ways in which rows can come to contradict each other; `run` is the victim. */
export type Damage =
  | "stranded run"
  | "gap in the journal"
  | "inbox beyond its counter"
  | "subscription without a run"
  | "message without a run"
  | "open child without a run";

/** Where a store lives, with the means of a test to look behind it. */
export interface StorePlace {
  /** A folder for files of the test. */
  readonly folder: string;
  /** A store on this place that is not open yet; each call makes another. */
  store(): Store;
  /** A store on the copy that `backup` wrote. */
  restored(path: string): MaybePromise<Store>;
  /** Rows of each table, asked behind the store's back. */
  countRows(): MaybePromise<Readonly<Record<HotTable | "closed", number>>>;
  /** Damages rows behind the store's back. */
  plant(damage: Damage, run: string): MaybePromise<void>;
  remove(): MaybePromise<void>;
}

/** Tables that hold nothing of a run that has ended. */
export type HotTable = "runs" | "journal" | "inbox" | "waits";

/** Makes a new, empty place. */
export type PlaceMaker = () => StorePlace;
