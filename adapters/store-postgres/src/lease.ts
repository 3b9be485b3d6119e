import type { NodeReport } from "@claw/core/ports";
import { Worker } from "node:worker_threads";
import {
  BEAT,
  ENDED,
  type LeaseNews,
  type LeaseOrder,
  type LeaseWord,
  PLACES,
  SKEW,
  UNTIL,
} from "./lease-memory.ts";

/** How often a stall of the main loop would be noticed within its bound. */
const BEATS_PER_STALL = 4;
const NS_PER_MS = 1_000_000;

/** The lease of an incarnation, renewed by a thread of its own while the main loop moves. */
export class Lease {
  readonly #shared: BigInt64Array;
  readonly #worker: Worker;
  readonly #beat: NodeJS.Timeout;
  #live: readonly number[];
  /** Is told when leases of others are over, or this one was ended. */
  onNews: () => void = () => {};

  /** `grantedAt`: `process.hrtime` from before the statement was sent that granted it; `skewMs`: as measured then. */
  constructor(order: Omit<LeaseOrder, "memory">, grantedAt: bigint, skewMs: number) {
    const memory = new SharedArrayBuffer(PLACES * BigInt64Array.BYTES_PER_ELEMENT);
    this.#shared = new BigInt64Array(memory);
    this.#live = [order.incarnation];
    Atomics.store(this.#shared, UNTIL, grantedAt + BigInt(order.leaseMs * NS_PER_MS));
    Atomics.store(this.#shared, SKEW, BigInt(Math.round(skewMs * 1_000)));
    const beat = (): void => void Atomics.store(this.#shared, BEAT, process.hrtime.bigint());
    beat();
    this.#beat = setInterval(beat, order.stallMs / BEATS_PER_STALL).unref();
    // Beside this file, whether it runs from source or packed.
    const file = import.meta.url.replace(/lease(?=\.[jt]s$)/, "lease-thread");
    this.#worker = new Worker(new URL(file), { workerData: { ...order, memory } });
    this.#worker.unref();
    this.#worker.on("message", (news: LeaseNews) => this.#hear(news));
    // A thread that ends renews nothing: the lease runs out, which is what this node sees.
    this.#worker.on("error", () => this.onNews());
  }

  /** Milliseconds until it is over, by the monotonic clock; 0 or less: over. */
  get leftMs(): number {
    if (Atomics.load(this.#shared, ENDED) === 1n) return 0;
    return Number(Atomics.load(this.#shared, UNTIL) - process.hrtime.bigint()) / NS_PER_MS;
  }

  /** The clock of the database less the one of this machine, whole milliseconds. */
  get skewMs(): number {
    return Math.round(Number(Atomics.load(this.#shared, SKEW)) / 1_000);
  }

  /** Incarnations that take runs, as was read last. */
  get live(): readonly number[] {
    return this.#live;
  }

  /** These take runs, as was read just now. */
  see(live: readonly number[]): void {
    this.#live = live;
  }

  /** This incarnation was ended: the thread need not find it out. */
  end(): void {
    Atomics.store(this.#shared, ENDED, 1n);
  }

  /** Written with the next renewal. */
  report(report: NodeReport): void {
    const word: LeaseWord = { report: JSON.stringify(report) };
    this.#worker.postMessage(word, []);
  }

  async stop(): Promise<void> {
    clearInterval(this.#beat);
    this.#worker.removeAllListeners();
    // What fails while it is ended concerns nobody any more.
    this.#worker.on("error", () => {});
    await this.#worker.terminate();
  }

  #hear(news: LeaseNews): void {
    this.#live = news.live;
    if (news.over > 0 || !news.alive) this.onNews();
  }
}
