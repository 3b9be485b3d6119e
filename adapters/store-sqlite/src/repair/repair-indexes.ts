import type { DatabaseSync } from "node:sqlite";
import { decodePayload, eventKey } from "@claw/core/protocol";
import type { Tell } from "./repair-store.ts";

const INDEX_DAMAGE = /(missing from index|wrong # of entries in index|non-unique entry in index)/;

/** What the pages of a file say: damage of indexes, which are made of tables, and of tables themselves. */
export function pageDamage(db: DatabaseSync): {
  readonly indexes: readonly string[];
  readonly others: readonly string[];
} {
  const lines = db
    .prepare("PRAGMA integrity_check(100)")
    .all()
    .map((row) => String(Object.values(row)[0]))
    .filter((line) => line !== "ok");
  return {
    indexes: lines.filter((line) => INDEX_DAMAGE.test(line)),
    others: lines.filter(
      (line) => !INDEX_DAMAGE.test(line) && !line.startsWith("CHECK constraint"),
    ),
  };
}

/** Builds all indexes of the database anew when one of them disagrees with its table. */
export function repairIndexes(db: DatabaseSync, indexes: readonly string[], tell: Tell): void {
  if (indexes.length === 0) return;
  db.exec("REINDEX");
  for (const line of indexes) tell(line, "all indexes are built anew");
}

/** Indexes logged events under the shapes of their type where an index row is missing. */
export function repairEventIndex(db: DatabaseSync, tell: Tell): void {
  const shapes = db.prepare("SELECT namespace, type, shape FROM shapes").all();
  const ofType = db.prepare("SELECT seq, data FROM events WHERE namespace = ? AND type = ?");
  const insert = db.prepare("INSERT INTO event_keys VALUES (?, ?) ON CONFLICT DO NOTHING");
  let missing = 0;
  for (const row of shapes) {
    const [namespace, type, shape] = [row["namespace"], row["type"], row["shape"]].map(String);
    for (const { seq, data } of ofType.all(namespace ?? "", type ?? "")) {
      const key = eventKey(namespace ?? "", type ?? "", shape ?? "", decodePayload(String(data)));
      if (key !== null) missing += Number(insert.run(key, Number(seq)).changes);
    }
  }
  if (missing > 0) tell(`${missing} index rows of events are missing`, "indexed again");
}
