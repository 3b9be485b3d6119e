import type { MaybePromise, Store } from "@claw/core/ports";

/** Where stores live that several nodes share. */
export interface SharedPlace {
  /** The store of one more node; not open yet. */
  node(): Store;
  /** The lease of an incarnation is over by the clock of the store, although its process does not know. */
  lapse(incarnation: number): MaybePromise<void>;
  remove(): MaybePromise<void>;
}

/** Makes a new, empty place. */
export type SharedPlaceMaker = () => SharedPlace;
