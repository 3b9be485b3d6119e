import { setTimeout as pause } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import {
  BEAT,
  ENDED,
  type LeaseNews,
  type LeaseOrder,
  type LeaseWord,
  SKEW,
  UNTIL,
} from "./lease-memory.ts";
import { Link } from "./link.ts";
import { inSchema } from "./schema.ts";

/** A lease is renewed so many times before it would be over. */
const RENEWALS = 3;
/** Until the next attempt after one that failed, milliseconds. */
const RETRY_MS = 100;
/** Measurements of the clock among which the one of the shortest way counts. */
const MEASURES = 8;
const NS_PER_MS = 1_000_000n;

/** What `claw.renew` answers. */
type Renewed = { alive: boolean; live: string[] | number[]; over: number; now_ms: number };

const { url, schema, incarnation, leaseMs, stallMs, memory } = workerData as LeaseOrder;
const shared = new BigInt64Array(memory);
const text = inSchema("SELECT * FROM claw.renew($1, $2, $3)", schema);
let report: string | null = null;
let link: Link | null = null;
const measures: { readonly wayMs: number; readonly skewMs: number }[] = [];

parentPort?.on("message", (word: LeaseWord) => {
  report = word.report;
});

// Ends with the thread: the one who started it stops it.
await pause(leaseMs / RENEWALS);
for (;;) {
  const began = process.hrtime.bigint();
  const isDone = isStalled(began) || (await renewed());
  if (Atomics.load(shared, ENDED) === 1n) break;
  const tookMs = Number((process.hrtime.bigint() - began) / NS_PER_MS);
  await pause(isDone ? Math.max(RETRY_MS / 10, leaseMs / RENEWALS - tookMs) : RETRY_MS);
}

// Who hosts bodies in a main loop that does not move must not keep their runs.
function isStalled(now: bigint): boolean {
  return now - Atomics.load(shared, BEAT) > BigInt(stallMs) * NS_PER_MS;
}

async function renewed(): Promise<boolean> {
  const said = report;
  try {
    link ??= await Link.to(url);
    const [sentAt, before] = [process.hrtime.bigint(), Date.now()];
    const [row] = await inTime(link.query<Renewed>(text, [incarnation, leaseMs, said], "renew"));
    if (row === undefined) return false;
    if (report === said) report = null;
    if (row.alive) {
      // Counted from before it was sent, the lease is over here before it is over in the database.
      Atomics.store(shared, UNTIL, sentAt + BigInt(leaseMs) * NS_PER_MS);
      measure(before, Date.now(), row.now_ms);
    } else Atomics.store(shared, ENDED, 1n);
    const live = row.live.map(Number);
    parentPort?.postMessage({ alive: row.alive, live, over: row.over } satisfies LeaseNews, []);
    return true;
  } catch {
    // Said by the lease that is not renewed; another connection may do it.
    link?.end().catch(() => {});
    link = null;
    return false;
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = new AbortController();
  const giveUp = pause(leaseMs, null, { signal: late.signal }).then(() => {
    throw new Error("the database does not answer");
  });
  giveUp.catch(() => {});
  try {
    return await Promise.race([answer, giveUp]);
  } finally {
    late.abort();
    answer.catch(() => {});
  }
}

function measure(before: number, after: number, thereMs: number): void {
  measures.push({ wayMs: after - before, skewMs: thereMs - (before + after) / 2 });
  if (measures.length > MEASURES) measures.shift();
  const best = measures.reduce((a, b) => (b.wayMs < a.wayMs ? b : a));
  Atomics.store(shared, SKEW, BigInt(Math.round(best.skewMs * 1_000)));
}
