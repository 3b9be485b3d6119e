/** Places in the memory that the main loop and the thread of the lease share, as 64 bit integers. */

/** When the main loop moved last, `process.hrtime`, nanoseconds. */
export const BEAT = 0;
/** When the lease is over, `process.hrtime`, nanoseconds. */
export const UNTIL = 1;
/** The clock of the database less the one of this machine, microseconds. */
export const SKEW = 2;
/** 1 when the incarnation was ended by another. */
export const ENDED = 3;
/** How many places there are. */
export const PLACES = 4;

/** What the thread of a lease is started with. */
export interface LeaseOrder {
  readonly url: string;
  readonly schema: string;
  readonly incarnation: number;
  readonly leaseMs: number;
  readonly stallMs: number;
  readonly memory: SharedArrayBuffer;
}

/** What the main loop tells the thread. */
export interface LeaseWord {
  /** A `NodeReport` as JSON. */
  readonly report: string;
}

/** What the thread tells the main loop after a renewal. */
export interface LeaseNews {
  readonly alive: boolean;
  /** Incarnations that take runs. */
  readonly live: readonly number[];
  /** Leases of others that are over. */
  readonly over: number;
}
