import type { SweepOrder, Swept } from "@claw/core/ports";
import { type ClosedStatus, newRunId } from "@claw/core/protocol";
import { type EventShapes, keysOf } from "./event-shapes.ts";
import type { Link } from "./link.ts";
import type { Reads } from "./reads.ts";
import { LOCKS } from "./sql/locks.ts";

type ClosedLine = {
  id: string;
  namespace: string;
  status: ClosedStatus;
  endedAt: number;
  needed: boolean;
};
type EventLine = { seq: number; namespace: string; type: string; loggedAt: number; data: string };

/** Removes closed runs and old events; see `Store.sweep`. */
export async function sweep(
  link: Link,
  reads: Reads,
  shapes: EventShapes,
  order: SweepOrder,
): Promise<Swept> {
  return link.transaction(async () => {
    // One node at a time: for the others there is nothing to do.
    const [lock] = await reads.all<{ mine: boolean }>(
      `SELECT pg_try_advisory_xact_lock(claw.lock_class() # 3, ${LOCKS.sweep}) AS mine`,
    );
    if (lock?.mine !== true) return { runs: {}, events: 0, next: { run: null, event: null } };
    const runs = await sweepRuns(reads, order);
    const events = await sweepEvents(reads, shapes, order);
    return {
      runs: runs.counts,
      events: events.count,
      next: { run: runs.next, event: events.next },
    };
  });
}

async function sweepRuns(
  reads: Reads,
  order: SweepOrder,
): Promise<{ counts: Partial<Record<ClosedStatus, number>>; next: string | null }> {
  const counts: Partial<Record<ClosedStatus, number>> = {};
  const { from, limit, namespace, endedBefore } = order;
  const latest = Math.max(0, ...Object.values(endedBefore));
  if (from.run === null || latest === 0) return { counts, next: null };
  // Ids are in the order of starts and a run ends after it started, so no index on the end is needed.
  const seen = await reads.all<ClosedLine>(
    `SELECT c.id, namespace, status, ended_at AS "endedAt",
       EXISTS (SELECT 1 FROM claw.runs r WHERE r.id = c.parent_run)
       OR EXISTS (SELECT 1 FROM claw.runs r WHERE r.parent_run = c.id AND r.parent_run <> '') AS needed
     FROM claw.closed c WHERE c.id > $1 AND c.id < $2 ORDER BY c.id LIMIT $3`,
    [from.run, newRunId(latest, 0, [0, 0, 0]), limit],
  );
  const going = seen.filter(
    (line) =>
      line.namespace === namespace &&
      line.endedAt < (endedBefore[line.status] ?? 0) &&
      !line.needed,
  );
  for (const { status } of going) counts[status] = (counts[status] ?? 0) + 1;
  if (!order.dryRun && going.length > 0) {
    const ids = [going.map(({ id }) => id)];
    await reads.all("DELETE FROM claw.closed WHERE id = ANY ($1)", ids);
    for (const table of [
      "journal",
      "attributes",
      "generations",
      "blobs",
      "chunks",
      "streams",
      "keyed_runs",
      "traces",
    ]) {
      await reads.all(`DELETE FROM claw.${table} WHERE run = ANY ($1)`, ids);
    }
  }
  return { counts, next: seen.length < limit ? null : (seen.at(-1)?.id ?? null) };
}

async function sweepEvents(
  reads: Reads,
  shapes: EventShapes,
  { from, namespace, limit, loggedBefore, dryRun }: SweepOrder,
): Promise<{ count: number; next: number | null }> {
  if (from.event === null || loggedBefore <= 0) return { count: 0, next: null };
  // The newest event stays in any case: numbers go on from it.
  const seen = await reads.all<EventLine>(
    `SELECT seq, namespace, type, logged_at AS "loggedAt", data FROM claw.events
     WHERE seq > $1 AND seq < (SELECT max(seq) FROM claw.events) ORDER BY seq LIMIT $2`,
    [from.event, limit],
  );
  const [first] = seen;
  // The log is in the order of time: what begins too late holds nothing that may go.
  if (first === undefined || first.loggedAt >= loggedBefore) return { count: 0, next: null };
  const [oldest] = await reads.all<{ at: number | null }>(
    "SELECT min(started_at) AS at FROM claw.runs WHERE namespace = $1",
    [namespace],
  );
  const before = Math.min(loggedBefore, oldest?.at ?? loggedBefore);
  const going = seen.filter((one) => one.namespace === namespace && one.loggedAt < before);
  if (!dryRun && going.length > 0) await removeEvents(reads, shapes, going);
  return { count: going.length, next: seen.length < limit ? null : (seen.at(-1)?.seq ?? null) };
}

async function removeEvents(
  reads: Reads,
  shapes: EventShapes,
  events: readonly EventLine[],
): Promise<void> {
  const keyed = events.flatMap(({ namespace, type, data, seq }) => {
    return keysOf(namespace, { type, data }, shapes).map((key) => ({ key, seq }));
  });
  await reads.all(
    `DELETE FROM claw.event_keys k USING unnest($1::text[], $2::bigint[]) AS gone (key, seq)
     WHERE k.key = gone.key AND k.seq = gone.seq`,
    [keyed.map(({ key }) => key), keyed.map(({ seq }) => seq)],
  );
  await reads.all("DELETE FROM claw.events WHERE seq = ANY ($1)", [events.map(({ seq }) => seq)]);
}
