import type { DatabaseSync } from "node:sqlite";
import { type AttributeChanges, type Attributes, limits, type RunId } from "@claw/core/protocol";
import { Contradiction } from "./batch-work.ts";

/** Sets attributes of a run, merged with those that it has; null takes one away. */
export type AttributeSetter = (run: RunId, changes: AttributeChanges) => void;

/** Condition for a run that has an attribute; its values are name and text. */
export const HAS_ATTRIBUTE = "id IN (SELECT run FROM attributes WHERE name = ? AND words = ?)";

/** The setting verb on an open database. */
export function openAttributeSetter(db: DatabaseSync): AttributeSetter {
  const set = db.prepare("INSERT OR REPLACE INTO attributes VALUES (?, ?, ?, ?)");
  const remove = db.prepare("DELETE FROM attributes WHERE run = ? AND name = ?");
  const count = db.prepare("SELECT count(*) AS n FROM attributes WHERE run = ?");
  return (run, changes) => {
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) remove.run(run, name);
      else set.run(run, name, JSON.stringify(value), String(value));
    }
    const { n } = count.get(run) as { n: number };
    if (n > limits.ATTRIBUTES_MAX) throw new Contradiction(`${run} has too many attributes`);
  };
}

/** Reads the attributes of a run, in the order of their names. */
export function openAttributeReader(db: DatabaseSync): (run: RunId) => Attributes {
  const read = db.prepare("SELECT name, value FROM attributes WHERE run = ? ORDER BY name");
  return (run) =>
    Object.fromEntries(
      read.all(run).map(({ name, value }) => [String(name), JSON.parse(String(value)) as never]),
    );
}
