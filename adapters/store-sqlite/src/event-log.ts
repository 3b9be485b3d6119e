import type { DatabaseSync } from "node:sqlite";
import { decodePayload, eventKey, type Shape, type StoredEvent } from "@claw/core/protocol";

/** An event with its number in the log. */
export interface LoggedEvent {
  readonly seq: number;
  readonly event: StoredEvent;
}

/** The log of events and its index by match keys. */
export interface EventLog {
  /** Logs an event; its number, or null when (namespace, source, id) is known already. */
  append(namespace: string, event: StoredEvent): number | null;
  /** The time of a batch: events are logged no earlier, though the clock is set back afterwards. */
  reached(nowMs: number): void;
  /** Indexes an event under every shape that a subscription of its type ever had; its keys. */
  index(namespace: string, event: StoredEvent, seq: number): readonly string[];
  /** Makes a shape known; logged events of the type are indexed under it when it is new. */
  learnShape(namespace: string, type: string, shape: Shape): void;
  /** The first event under `key` that was logged after number `after` and not before `since`. */
  firstAfter(key: string, after: number, since: number): LoggedEvent | null;
  /** Removes an event with its index rows. */
  remove(namespace: string, event: Pick<StoredEvent, "type" | "data">, seq: number): void;
  /** Forgets what is remembered of the tables, after a rollback. */
  refresh(): void;
}

type EventColumns = {
  seq: number;
  source: string;
  id: string;
  type: string;
  subject: string | null;
  time: number;
  data: string;
};

const NONE: readonly string[] = [];

/** The event verbs on an open database. */
export function openEventLog(db: DatabaseSync): EventLog {
  const append = db.prepare(`
    INSERT INTO events (namespace, source, id, type, subject, time, logged_at, data)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (namespace, source, id) DO NOTHING RETURNING seq`);
  const ofType = db.prepare("SELECT seq, data FROM events WHERE namespace = ? AND type = ?");
  const insertKey = db.prepare("INSERT INTO event_keys VALUES (?, ?) ON CONFLICT DO NOTHING");
  const removeKey = db.prepare("DELETE FROM event_keys WHERE key = ? AND seq = ?");
  const removeEvent = db.prepare("DELETE FROM events WHERE seq = ?");
  const selectShapes = db.prepare(
    "SELECT shape FROM shapes WHERE namespace = ? AND type = ? ORDER BY shape",
  );
  const insertShape = db.prepare("INSERT INTO shapes VALUES (?, ?, ?)");
  const lookBack = db.prepare(`
    SELECT e.seq, e.source, e.id, e.type, e.subject, e.time, e.data
    FROM event_keys k JOIN events e ON e.seq = k.seq
    WHERE k.key = ? AND k.seq > ? AND e.logged_at >= ? ORDER BY k.seq LIMIT 1`);
  // Asked for with every event and subscription, written once per shape: kept in memory.
  const known = new Map<string, readonly Shape[]>();

  let latestMs = latestStart(db);

  function shapesOf(namespace: string, type: string): readonly Shape[] {
    const name = `${namespace}\u001f${type}`;
    let shapes = known.get(name);
    if (shapes === undefined) {
      shapes = selectShapes.all(namespace, type).map((row) => String(row["shape"]));
      known.set(name, shapes);
    }
    return shapes;
  }

  function indexUnder(shape: Shape, namespace: string, type: string): void {
    for (const row of ofType.iterate(namespace, type)) {
      const key = eventKey(namespace, type, shape, decodePayload(String(row["data"])));
      if (key !== null) insertKey.run(key, Number(row["seq"]));
    }
  }

  return {
    reached: (nowMs) => void (latestMs = Math.max(latestMs, nowMs)),
    append: (namespace, event) => {
      const { source, id, type, subject = null, time, data } = event;
      const row = append.get(namespace, source, id, type, subject, time, latestMs, data);
      return row === undefined ? null : Number(row["seq"]);
    },
    index: (namespace, event, seq) => {
      const keys = keysOf(namespace, event, shapesOf(namespace, event.type));
      for (const key of keys) insertKey.run(key, seq);
      return keys;
    },
    learnShape: (namespace, type, shape) => {
      if (shapesOf(namespace, type).includes(shape)) return;
      insertShape.run(namespace, type, shape);
      known.clear();
      indexUnder(shape, namespace, type);
    },
    firstAfter: (key, after, since) => {
      const row = lookBack.get(key, after, since) as EventColumns | undefined;
      return row === undefined ? null : { seq: row.seq, event: eventOf(row) };
    },
    remove: (namespace, event, seq) => {
      for (const key of keysOf(namespace, event, shapesOf(namespace, event.type))) {
        removeKey.run(key, seq);
      }
      removeEvent.run(seq);
    },
    refresh: () => known.clear(),
  };
}

// No run that is open now began later than this: its waits look back over events since its start.
function latestStart(db: DatabaseSync): number {
  const latest = db.prepare(
    `SELECT max(
      coalesce((SELECT logged_at FROM events ORDER BY seq DESC LIMIT 1), 0),
      coalesce((SELECT started_at FROM runs ORDER BY id DESC LIMIT 1), 0)) AS ms`,
  );
  return Number(latest.get()?.["ms"] ?? 0);
}

function keysOf(
  namespace: string,
  { type, data }: Pick<StoredEvent, "type" | "data">,
  shapes: readonly Shape[],
): readonly string[] {
  if (shapes.length === 0) return NONE;
  const value = decodePayload(data);
  const keys: string[] = [];
  for (const shape of shapes) {
    const key = eventKey(namespace, type, shape, value);
    if (key !== null) keys.push(key);
  }
  return keys;
}

function eventOf(row: EventColumns): StoredEvent {
  const { source, id, type, subject, time, data } = row;
  return subject === null
    ? { id, source, type, time, data }
    : { id, source, type, subject, time, data };
}
