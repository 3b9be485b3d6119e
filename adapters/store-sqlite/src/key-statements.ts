import type { DatabaseSync } from "node:sqlite";

const KEY = "namespace = ? AND workflow = ? AND key = ?";

/** The statements of the queues of keys. */
export type KeyStatements = ReturnType<typeof keyStatements>;

/** Prepares them on an open database. */
// Their types follow from what is prepared.
export function keyStatements(db: DatabaseSync) {
  return {
    any: db.prepare("SELECT 1 FROM keyed_runs LIMIT 1"),
    keyRow: db.prepare(`
      SELECT head, head_since AS headSince, waiting, turn_ms AS turnMs
      FROM keys WHERE ${KEY}`),
    member: db.prepare(`
      SELECT run, namespace, workflow, key, seq, place, passes, on_held_head AS onHeldHead
      FROM keyed_runs WHERE run = ?`),
    insert: db.prepare("INSERT INTO keyed_runs VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)"),
    // The number of a new run, and whether one more waits.
    count: db.prepare(`
      INSERT INTO keys VALUES (?1, ?2, ?3, 1, '', 0, ?4, 0)
      ON CONFLICT DO UPDATE SET last_seq = last_seq + 1, waiting = waiting + ?4
      RETURNING last_seq AS seq`),
    keepKey: db.prepare(`
      INSERT INTO keys VALUES (?, ?, ?, ?, '', 0, 0, 0) ON CONFLICT DO NOTHING`),
    setHead: db.prepare(`UPDATE keys SET head = ?, head_since = ? WHERE ${KEY}`),
    freeKey: db.prepare(`UPDATE keys SET head = '', turn_ms = ? WHERE ${KEY}`),
    addWaiting: db.prepare(`UPDATE keys SET waiting = waiting + ? WHERE ${KEY}`),
    forget: db.prepare(`DELETE FROM keys WHERE ${KEY}`),
    next: db.prepare(`
      SELECT m.run, m.on_held_head AS onHeldHead, r.held
      FROM keyed_runs m JOIN runs r ON r.id = m.run
      WHERE m.namespace = ? AND m.workflow = ? AND m.key = ? AND m.place = 'waiting'
      ORDER BY m.seq LIMIT 1`),
    setPlace: db.prepare("UPDATE keyed_runs SET place = ? WHERE run = ?"),
    stepAside: db.prepare(
      "UPDATE keyed_runs SET place = 'aside', passes = passes + 1 WHERE run = ?",
    ),
    skipped: db.prepare(`
      SELECT 1 FROM keyed_runs m JOIN runs r ON r.id = m.run
      WHERE m.run = ? AND m.on_held_head = 'skip' AND r.held <> ''`),
    quarantined: db.prepare(`
      SELECT m.run FROM runs r JOIN keyed_runs m ON m.run = r.id
      WHERE r.held = 'quarantined' AND r.held <> '' AND m.place = 'head'`),
    wake: db.prepare(
      "UPDATE runs SET held = '', held_reason = '', due = 1 WHERE id = ? AND held = 'queued'",
    ),
    queue: db.prepare(`
      UPDATE runs SET held = 'queued', held_reason = '', due = NULL, recoveries = 0
      WHERE id = ? AND held <> ''`),
    cancels: db.prepare("SELECT 1 FROM inbox WHERE run = ? AND kind = 'cancel' LIMIT 1"),
    parentOf: db.prepare("SELECT parent_run AS parent FROM runs WHERE id = ?"),
    stateOf: db.prepare(`SELECT state FROM key_states WHERE ${KEY}`),
    setState: db.prepare(`
      INSERT INTO key_states VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET state = excluded.state`),
    forgetState: db.prepare(`DELETE FROM key_states WHERE ${KEY}`),
  };
}
