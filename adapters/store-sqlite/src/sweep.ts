import type { DatabaseSync } from "node:sqlite";
import type { SweepOrder, Swept } from "@claw/core/ports";
import { type ClosedStatus, newRunId } from "@claw/core/protocol";
import type { EventLog } from "./event-log.ts";

/** Removes closed runs and old events; see `Store.sweep`. */
export type Sweeper = (order: SweepOrder) => Swept;

type ClosedLine = {
  id: string;
  namespace: string;
  status: ClosedStatus;
  endedAt: number;
  parent: string;
  loose: 0 | 1;
};

type EventLine = { seq: number; namespace: string; type: string; loggedAt: number; data: string };

/** The sweeping verb on an open database. */
export function openSweeper(db: DatabaseSync, log: EventLog): Sweeper {
  const sweepRuns = openRunSweeper(db);
  const sweepEvents = openEventSweeper(db, log);
  return (order) => {
    db.exec("BEGIN IMMEDIATE");
    const { counts, next: run } = sweepRuns(order);
    const { count, next: event } = sweepEvents(order);
    db.exec(order.dryRun ? "ROLLBACK" : "COMMIT");
    return { runs: counts, events: count, next: { run, event } };
  };
}

function openRunSweeper(db: DatabaseSync) {
  // Ids are in the order of starts and a run ends after it started, so no index on the end is needed.
  const lines = db.prepare(`
    SELECT id, namespace, status, ended_at AS endedAt, parent_run AS parent, journal IS NULL AS loose
    FROM closed WHERE id > ? AND id < ? ORDER BY id LIMIT ?`);
  const isOpen = db.prepare("SELECT 1 FROM runs WHERE id = ?");
  const isParent = db.prepare(`
    SELECT 1 FROM runs WHERE parent_run = ? AND parent_run <> '' LIMIT 1`);
  const removals = [
    "DELETE FROM closed WHERE id = ?",
    "DELETE FROM attributes WHERE run = ?",
    "DELETE FROM generations WHERE run = ?",
    "DELETE FROM blobs WHERE run = ?",
    "DELETE FROM chunks WHERE run = ?",
    "DELETE FROM streams WHERE run = ?",
    "DELETE FROM traces WHERE run = ?",
    "DELETE FROM keyed_runs WHERE run = ?",
  ].map((sql) => db.prepare(sql));
  const removeJournal = db.prepare("DELETE FROM journal WHERE run = ?");

  const mayGo = ({ namespace, endedBefore }: SweepOrder, line: ClosedLine): boolean =>
    line.namespace === namespace &&
    line.endedAt < (endedBefore[line.status] ?? 0) &&
    (line.parent === "" || isOpen.get(line.parent) === undefined) &&
    isParent.get(line.id) === undefined;

  return (
    order: SweepOrder,
  ): { counts: Partial<Record<ClosedStatus, number>>; next: string | null } => {
    const counts: Partial<Record<ClosedStatus, number>> = {};
    const { from, limit } = order;
    const latest = Math.max(0, ...Object.values(order.endedBefore));
    if (from.run === null || latest === 0) return { counts, next: null };
    const seen = lines.all(from.run, newRunId(latest, 0, [0, 0, 0]), limit) as ClosedLine[];
    for (const line of seen) {
      if (!mayGo(order, line)) continue;
      counts[line.status] = (counts[line.status] ?? 0) + 1;
      if (order.dryRun) continue;
      for (const removal of removals) removal.run(line.id);
      if (line.loose === 1) removeJournal.run(line.id);
    }
    return { counts, next: seen.length < limit ? null : (seen.at(-1)?.id ?? null) };
  };
}

function openEventSweeper(db: DatabaseSync, log: EventLog) {
  const lines = db.prepare(`
    SELECT seq, namespace, type, logged_at AS loggedAt, data FROM events
    WHERE seq > ? AND seq < (SELECT max(seq) FROM events) ORDER BY seq LIMIT ?`);
  // Ids are in the order of starts; runs that began later than the bound of the order look back to nothing older.
  const oldest = db.prepare(`
    SELECT started_at AS at FROM runs WHERE id < ? AND namespace = ? ORDER BY id LIMIT 1`);

  return (order: SweepOrder): { count: number; next: number | null } => {
    const { from, namespace, limit, loggedBefore } = order;
    if (from.event === null || loggedBefore <= 0) return { count: 0, next: null };
    const seen = lines.all(from.event, limit) as EventLine[];
    const [first] = seen;
    // The log is in the order of time: what begins too late holds nothing that may go.
    if (first === undefined || first.loggedAt >= loggedBefore) return { count: 0, next: null };
    const open = oldest.get(newRunId(loggedBefore, 0, [0, 0, 0]), namespace) as
      | { at: number }
      | undefined;
    const before = Math.min(loggedBefore, open?.at ?? loggedBefore);
    const going = seen.filter((one) => one.namespace === namespace && one.loggedAt < before);
    if (!order.dryRun) for (const one of going) log.remove(namespace, one, one.seq);
    return { count: going.length, next: seen.length < limit ? null : (seen.at(-1)?.seq ?? null) };
  };
}
